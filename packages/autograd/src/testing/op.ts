import type { DType } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { CotangentError, ValueError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import { Tensor } from "../graph.ts";
import { cast } from "../ops/cast.ts";
import { fromTypedArray } from "../ops/leaf.ts";
import type { Chooser, Samples } from "../ops/sample.ts";
import { Draw, isDeclared } from "../ops/sample.ts";
import { optionsOf } from "../options.ts";
import type { Tree } from "../tree.ts";
import { Sequence } from "../verify/direction.ts";
import { laws } from "./laws.ts";
import { sampledCall } from "./sampled.ts";

export interface OpCheckOptions {
  /** How many calls each law is tried on; 50 unless given. */
  readonly runs?: number | undefined;
  /** Of the samples; 0 unless given. */
  readonly seed?: number | undefined;
  /** The arguments of sample calls, for a function that was not made by `pointwise`. */
  readonly samples?: Samples | undefined;
}

/** A law that a function breaks, and the call that shows it. */
export interface Breach {
  readonly law: string;
  /** What went wrong. */
  readonly message: string;
  /** The call, in words. */
  readonly call: string;
  /** `checkOp(f, { seed, runs: 1 })` makes the same call. */
  readonly seed: number;
}

/** What `checkOp` found: the laws that do not hold. Printed, it is a list of them. */
export class OpReport {
  readonly name: string;
  readonly runs: number;
  readonly breaches: readonly Breach[];

  constructor(name: string, runs: number, breaches: readonly Breach[]) {
    this.name = name;
    this.runs = runs;
    this.breaches = breaches;
  }

  /** Do all laws hold? */
  get pass(): boolean {
    return this.breaches.length === 0;
  }

  toString(): string {
    const head = `${this.name}: ${laws.length - this.breaches.length} of ${laws.length} laws hold (${this.runs} calls each)`;
    const lines = this.breaches.map(
      ({ law, message, call, seed }) =>
        `not so: ${law}\n  for ${call} (seed ${seed})\n${message.replace(/^/gm, "  ")}`,
    );
    return [head, ...lines].join("\n");
  }
}

/**
 * Checks all laws of an op, a user's or one of the registry, on calls made from its samples: the shape and dtype are those of the
 * elements, both modes are adjoint and equal finite differences, to second order, the Hessian is symmetric, float32 is as
 * good as it can be, rebuilding changes nothing, `vmap` gives what one example after the other gives, and wrong arguments are refused: by
 * an op of its own with its name. One breach is reported for each law.
 *
 * Throws ValueError if `f` has no samples and none are given.
 *
 * @example
 * ```ts
 * import { partial, pointwise, within, type Unary } from "@cotangent/autograd";
 * import { checkOp } from "@cotangent/autograd/testing";
 * const cube: Unary = pointwise({
 *   name: "cube",
 *   body: (m, x) => m.mul(m.mul(x, x), x),
 *   derivatives: [partial((_, x) => x.mul(x).mul(3))],
 *   samples: within([-2, 2]),
 * });
 * checkOp(cube).pass; // => true
 * ```
 */
export function checkOp(f: object, options?: OpCheckOptions): OpReport {
  const known = { runs: true, seed: true, samples: true } as const;
  const { runs = 50, seed = 0, samples } = optionsOf("checkOp", options, known);
  const given = samples ?? (isDeclared(f) ? f.samples : null);
  if (typeof f !== "function" || !given)
    throw new ValueError(
      "checkOp: takes a function with samples; give them: checkOp(f, { samples: within([-2, 2]) })",
    );
  const call = f as (...operands: readonly unknown[]) => Tree;
  const name = f.name || "the function";
  const breaches = laws.flatMap((law) => {
    for (let run = 0; run < runs; run++) {
      const draw = new Draw(chooser(seed + run), law.dtype);
      const args = given(draw).map((x) => inDType(x, law.dtype));
      try {
        law.check(sampledCall(call, args), draw);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const kind = error instanceof CotangentError ? `${error.name}: ` : "";
        const text = `${name}(${args.map(argumentText).join(", ")})`;
        return [{ law: law.sentence, message: kind + message, call: text, seed: seed + run }];
      }
    }
    return [];
  });
  return new OpReport(name, runs, breaches);
}

/** An argument whose floats are of this dtype: samples may be tensors that somebody wrote down, in float32. */
function inDType(x: unknown, dtype: DType): unknown {
  if (Array.isArray(x)) return x.map((one) => inDType(one, dtype));
  if (!(x instanceof Tensor) || !isFloat(x.dtype) || x.dtype === dtype) return x;
  const [values] = evaluate([cast(x, dtype)]);
  return fromTypedArray(values!, x.shape);
}

/** Chooses evenly, by a seed. */
function chooser(seed: number): Chooser {
  const random = new Sequence(seed);
  return {
    integer: (low, high) => low + Math.floor(random.next() * (high - low + 1)),
    real: (low, high) => low + (high - low) * random.next(),
  };
}

const argumentText = (x: unknown): string =>
  typeof x === "object" && x !== null && "dtype" in x && "shape" in x
    ? `${x.dtype}[${x.shape}]`
    : (JSON.stringify(x) ?? String(x));
