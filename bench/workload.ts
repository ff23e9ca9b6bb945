import type { Tensor } from "@cotangent/autograd";
import { compile, evaluate } from "@cotangent/autograd";

/** What is measured. */
export interface Workload {
  /** Computes everything that the workload asks for, and returns its loss. */
  step(): number;
  /** The loss of the first and of this step are compared with other libraries. */
  readonly check: number;
  /** Compared too: one entry of a result without a loss. */
  entry?(): number;
}

export const variants = ["plain", "compiled"] as const;
export type Variant = (typeof variants)[number];

/** A workload as a user writes it, and with its step given to `compile`. */
export type Variants = Readonly<Record<Variant, () => Workload>>;

/** A training step that returns its loss; `make` builds the model anew. */
export function training(check: number, make: () => () => Tensor): Variants {
  const run = (step: () => Tensor): Workload => ({ step: () => step().item(), check });
  return { plain: () => run(make()), compiled: () => run(compile(make())) };
}

/** A function of one tensor whose result is read. */
export function reading(check: number, input: () => Tensor, f: (x: Tensor) => Tensor): Variants {
  const run = (call: typeof f): Workload => {
    const x = input();
    return { step: () => call(x).item(), check };
  };
  return { plain: () => run(f), compiled: () => run(compile(f)) };
}

/** A function of several: all its results are computed, the first is read. */
export function computing(
  check: number,
  inputs: () => readonly Tensor[],
  f: (...inputs: readonly Tensor[]) => readonly Tensor[],
): Variants {
  const run = (call: typeof f): Workload => {
    const given = inputs();
    const step = () => {
      const results = call(...given);
      evaluate(...results);
      return results[0]!.item();
    };
    return { step, check };
  };
  return { plain: () => run(f), compiled: () => run(compile(f)) };
}
