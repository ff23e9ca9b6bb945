import { type Tensor, tensor } from "@cotangent/autograd";
import { Linear, type Sequential } from "@cotangent/nn";

/** A point of the plane and which of two classes it belongs to. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1;
}

/** A straight line of the plane: all points with `a * x + b * y + c = 0`. */
export interface Line {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** What a model says on `[low, high]^2`: `size * size` numbers between 0 and 1, row by row from `low` on both axes. */
export interface Field {
  readonly values: ArrayLike<number>;
  readonly size: number;
  readonly low: number;
  readonly high: number;
}

/** The four inputs of XOR, and its answers. */
export const corners: Tensor = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
export const xorAnswers: Tensor = tensor([[0], [1], [1], [0]]);

/** Rows of `x` [n, 2] with their classes, to be drawn. */
export function labelled(x: Tensor, answers: ArrayLike<number>): Labelled[] {
  const places = x.toTypedArray();
  return Array.from(answers, (answer, i) => ({
    x: places[2 * i]!,
    y: places[2 * i + 1]!,
    label: answer === 1 ? 1 : 0,
  }));
}

/** The middles of `size * size` cells of the square from `low` to `high`, [size * size, 2], row by row. */
export function middles({ size, low, high }: Omit<Field, "values">): Tensor {
  const at = Array.from({ length: size }, (_, i) => low + ((i + 0.5) / size) * (high - low));
  return tensor(at.flatMap((y) => at.map((x) => [x, y])));
}

/** What `f` says in the middles of `size * size` cells of the square from `low` to `high`. */
export function sampled(f: (x: Tensor) => Tensor, size = 64, low = -0.5, high = 1.5): Field {
  const area = { size, low, high };
  return { ...area, values: f(middles(area)).toTypedArray() };
}

/** Where the weighted sum of each neuron of the first layer is 0. */
export function hiddenLines(model: Sequential): Line[] {
  const [layer] = model.layers;
  if (!(layer instanceof Linear)) return [];
  const weights = layer.weight.toTypedArray();
  const biases = layer.bias?.toTypedArray();
  return Array.from({ length: layer.outFeatures }, (_, i) => ({
    a: weights[2 * i]!,
    b: weights[2 * i + 1]!,
    c: biases?.[i] ?? 0,
  }));
}

/** Where a line enters and leaves the square `[low, high]^2`; nothing if it passes by. */
export function across({ a, b, c }: Line, low: number, high: number): { x: number; y: number }[] {
  const inside = (t: number) => t >= low && t <= high;
  const onSides = [low, high].map((x) => ({ x, y: -(a * x + c) / b })).filter(({ y }) => inside(y));
  const onEnds = [low, high].map((y) => ({ x: -(b * y + c) / a, y })).filter(({ x }) => inside(x));
  return [...onSides, ...onEnds].slice(0, 2);
}
