import type { Shape, Tensor, TypedArray } from "@cotangent/autograd/functional";
import { hideFrames, IndexError, ShapeError } from "@cotangent/autograd/functional";
import { checkPair } from "../options.ts";

hideFrames(import.meta.url);

export interface ClassOptions {
  /** Scores of a single class above this say yes; 0.5 unless given, 0 suits logits. */
  readonly threshold?: number | undefined;
}

export const shown = (shape: Shape): string => `[${shape.join(", ")}]`;

/** The class of each example: of a prediction, and of a target. */
export interface Classes {
  readonly predicted: TypedArray;
  readonly true: TypedArray;
}

/**
 * Reads classes. Predictions with one axis more than the targets have scores along axis 1, and the largest counts; where both are
 * floats [n, classes] that holds for the targets too. Else a score above the threshold says yes, and integers are classes.
 */
export function classesOf(
  name: string,
  prediction: Tensor,
  target: Tensor,
  { threshold = 0.5 }: ClassOptions,
): Classes {
  checkPair(name, prediction, target);
  const [from, to] = [prediction.shape, target.shape];
  if (from.join() === to.join()) {
    const several = from.length === 2 && from[1]! > 1 && isFloat(prediction) && isFloat(target);
    return several
      ? { predicted: largest(prediction), true: largest(target) }
      : { predicted: decided(prediction, threshold), true: decided(target, 0.5) };
  }
  if (from.length < 2 || from.filter((_, axis) => axis !== 1).join() !== to.join())
    throw new ShapeError(
      `${name}: prediction ${shown(from)} and target ${shown(to)} do not fit; scores [n, classes] go with classes [n], others with ` +
        "their own shape",
    );
  return { predicted: largest(prediction), true: wholeNumbers(name, target) };
}

const isFloat = ({ dtype }: Tensor): boolean => dtype === "float32" || dtype === "float64";

/** Integers and truth values as they are; floats 1 above the threshold, else 0. */
function decided(x: Tensor, threshold: number): TypedArray {
  const elements = x.toTypedArray();
  return isFloat(x) ? Uint8Array.from(elements, (score) => (score > threshold ? 1 : 0)) : elements;
}

function wholeNumbers(name: string, target: Tensor): TypedArray {
  const elements = target.toTypedArray();
  const wrong = elements.findIndex((x) => !(Number.isInteger(x) && x >= 0));
  if (wrong >= 0)
    throw new IndexError(`${name}: target ${wrong} is ${elements[wrong]}; classes are 0, 1, 2 ...`);
  return elements;
}

/** Where the largest score lies along axis 1, the first of equal ones. */
function largest(x: Tensor): Int32Array {
  const scores = x.toTypedArray();
  const [examples = 0, classes = 0] = x.shape;
  const inner = examples * classes === 0 ? 0 : scores.length / (examples * classes);
  const out = new Int32Array(examples * inner);
  for (let i = 0; i < out.length; i++) {
    const start = Math.floor(i / inner) * classes * inner + (i % inner);
    for (let c = 1; c < classes; c++)
      if (scores[start + c * inner]! > scores[start + out[i]! * inner]!) out[i] = c;
  }
  return out;
}
