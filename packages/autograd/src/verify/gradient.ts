import { GradientError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import { elementsOf, Tensor } from "../graph.ts";
import { identity } from "../ops/composed.ts";
import { fromElements, onesLike } from "../ops/leaf.ts";
import { sum } from "../ops/movement.ts";
import { add, mul } from "../ops/pointwise.ts";
import { rebuild } from "../rebuild.ts";
import { checkFloat, grad, pushforward } from "../transform/gradient.ts";
import { Trace, tracing } from "../variable.ts";

export interface CheckOptions {
  /** How many times to differentiate: 1 unless given, or 2. */
  readonly order?: 1 | 2;
  /** How many random directions to try; 4 unless given. */
  readonly directions?: number;
  /** The largest relative difference that counts as equal; 1e-6 for order 1 and 1e-5 for order 2 unless given. */
  readonly tolerance?: number;
  /** Of the random directions and cotangents; 0 unless given. */
  readonly seed?: number;
}

/** The derivative of one number along one direction, from three witnesses. */
export interface Witnesses {
  readonly reverse: number;
  readonly forward: number;
  readonly differences: number;
  /** How far the differences themselves may be off: from two step sizes. */
  readonly uncertainty: number;
}

/** What `checkGradient` found. Printed, it is a table of all directions. */
export class GradientReport {
  readonly order: number;
  readonly tolerance: number;
  readonly directions: readonly Witnesses[];

  constructor(order: number, tolerance: number, directions: readonly Witnesses[]) {
    this.order = order;
    this.tolerance = tolerance;
    this.directions = directions;
  }

  /** Do all witnesses agree in all directions? */
  get pass(): boolean {
    return this.directions.every((witnesses) => this.error(witnesses) <= this.tolerance);
  }

  /** The largest difference between two witnesses, relative to their size, beyond what the differences are unsure of. */
  error({ reverse, forward, differences, uncertainty }: Witnesses): number {
    const size = Math.max(1, Math.abs(reverse), Math.abs(forward), Math.abs(differences));
    const modes = Math.abs(reverse - forward);
    const numeric = Math.max(
      0,
      Math.max(Math.abs(reverse - differences), Math.abs(forward - differences)) - uncertainty,
    );
    const error = Math.max(modes, numeric) / size;
    return error === error ? error : Number.POSITIVE_INFINITY;
  }

  toString(): string {
    const column = (x: number) => x.toPrecision(10).padStart(18);
    const rows = this.directions.map(
      (w, i) =>
        `${String(i).padStart(9)}${column(w.reverse)}${column(w.forward)}${column(w.differences)}   ${this.error(w).toExponential(1)}`,
    );
    const verdict = this.pass ? "pass" : "fail";
    const head = `gradient of order ${this.order}: ${verdict} (tolerance ${this.tolerance})`;
    const title = `${"direction".padStart(9)}${"reverse".padStart(18)}${"forward".padStart(18)}${"differences".padStart(18)}   error`;
    return [head, title, ...rows].join("\n");
  }
}

/**
 * Checks the derivatives of `f` at `inputs` (tensors of floats; variables may also be used by `f` directly, so the parameters
 * of a model can be checked as they are: `checkGradient(() => loss(model), model.parameters())`): reverse mode, forward mode and central differences must
 * agree along random directions, with random cotangents. The graph that `f` makes is replayed in float64, whatever its
 * dtype, and `f` itself is called once; what it assigns to variables is discarded.
 *
 * Throws GradientError if `f` does not return a float tensor. Reference for the differences: Richardson's extrapolation
 * of two step sizes.
 *
 * @example
 * ```ts
 * import { checkGradient, tensor } from "@cotangent/autograd";
 * checkGradient((x) => x.tanh().sum(), [tensor([0.5, -1])]).pass; // => true
 * ```
 */
export function checkGradient(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { order = 1, directions = 4, tolerance = order === 1 ? 1e-6 : 1e-5, seed = 0 }: CheckOptions = {},
): GradientReport {
  const random = new Sequence(seed);
  const replay = replayed(f, inputs);
  const found = Array.from({ length: directions }, () => {
    const { y, x } = weighed(replay, random);
    if (order === 1) return witness(y, x, random);
    // The derivative along one direction is a function to be checked like any other.
    const t = x.map((input) => random.like(input, scaleOf(input)));
    return witness(pushforward(y, x, t), x, random);
  });
  return new GradientReport(order, tolerance, found);
}

interface Replay {
  readonly y: Tensor;
  readonly x: readonly Tensor[];
}

/** The graph of `f` in float64, on leaves of its own. */
function replayed(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Replay {
  const own = inputs.map((input, i) => {
    checkFloat("checkGradient", `input ${i}`, input);
    return identity(input);
  });
  const y = tracing(new Trace(false), () => f(...own));
  if (!(y instanceof Tensor)) throw new GradientError("checkGradient: the function did not return a tensor");
  checkFloat("checkGradient", "the result", y);
  const x = inputs.map((input) => {
    evaluate([input]);
    return fromElements(Float64Array.from(elementsOf(input.node)!), input.shape);
  });
  // A variable that `f` uses without taking it as an argument is the same input.
  const leaves = [...own.entries(), ...inputs.entries()].map(([i, leaf]) => [leaf, x[i]!] as const);
  const [replay] = rebuild([y], new Map(leaves), { float32: "float64" });
  return { y: replay!, x };
}

/** One number from the result: its elements weighed with random numbers. */
function weighed({ y, x }: Replay, random: Sequence): Replay {
  return { y: sum(mul(y, random.like(y))), x };
}

function witness(y: Tensor, x: readonly Tensor[], random: Sequence): Witnesses {
  const t = x.map((input) => random.like(input, scaleOf(input)));
  const gradients = grad(y, x);
  const products = gradients.map((g, i) => sum(mul(g, t[i]!)));
  const reverse = products.length === 0 ? onesLike(y) : products.reduce((a, b) => add(a, b));
  const forward = pushforward(y, x, t);
  const along = (h: number) => {
    const moved = x.map((input, i) => add(input, mul(t[i]!, h)));
    return evaluate(rebuild([y], new Map(x.map((input, i) => [input, moved[i]!]))))[0]![0]!;
  };
  const central = (h: number) => (along(h) - along(-h)) / (2 * h);
  const [wide, narrow] = [central(step), central(step / 2)];
  const differences = (4 * narrow - wide) / 3;
  const [reverseValue, forwardValue] = evaluate([reverse, forward]).map((data) => data[0]!) as [
    number,
    number,
  ];
  return {
    reverse: reverseValue,
    forward: forwardValue,
    differences,
    uncertainty: Math.abs(differences - narrow) / 4,
  };
}

/** The size of the elements of an input: directions go as far as it is large, so that steps suit its scale. */
function scaleOf(x: Tensor): number {
  let largest = 0;
  for (const value of elementsOf(x) ?? [])
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest === 0 ? 1 : largest;
}

/** Near the fourth root of the float64 rounding error, where truncation and rounding of the extrapolation balance. */
const step = 1e-4;

/** Random numbers for directions: SplitMix32 is enough here and keeps the generators of the model untouched. */
class Sequence {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  }
  /** Numbers between 0.25 and 1 times `scale` of either sign, shaped as `x`. */
  like(x: Tensor, scale = 1): Tensor {
    const data = Float64Array.from(
      { length: x.size },
      () => (this.next() < 0.5 ? -scale : scale) * (0.25 + 0.75 * this.next()),
    );
    return fromElements(data, x.shape);
  }
}
