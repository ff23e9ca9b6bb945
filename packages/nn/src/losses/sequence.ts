import {
  abs,
  add,
  cast,
  cat,
  clamp,
  DTypeError,
  div,
  exp,
  full,
  gather,
  gt,
  hideFrames,
  log,
  logicalAnd,
  lt,
  maximum,
  mean,
  mul,
  ne,
  reshape,
  ShapeError,
  slice,
  squeeze,
  stack,
  stopGradient,
  sub,
  Tensor,
  unbind,
  unsqueeze,
  ValueError,
  where,
  zeros,
} from "@cotangent/autograd/functional";
import { type Lengths, lengthsOf } from "../lengths.ts";
import { optionsOf } from "../options.ts";
import type { LossOptions, LossShape, Reduction } from "./reduction.ts";
import { format, reduced } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of sequences. */

export interface CtcOptions {
  /** The class that stands for nothing; 0 unless given. */
  readonly blank?: number | undefined;
  /** Targets that no path leads to, since the input is too short, count for 0 and not infinity. */
  readonly zeroInfinity?: boolean | undefined;
}

const [none, infinity] = [-Infinity, Infinity];

/**
 * Connectionist temporal classification: the negative logarithm of the probability of a sequence of classes, over all ways to stretch it
 * to the steps of the input by repetitions and blanks (Graves et al. 2006, "Connectionist temporal classification"). Takes logarithms of
 * probabilities [steps, n, c], as `logSoftmax` gives them, targets [n, length] of int32 without blanks, and how many steps and how many
 * targets of each example count, [n] each. The mean is that of the losses divided by the lengths of the targets, as in PyTorch.
 *
 * Throws ShapeError or DTypeError if they do not fit, ValueError for an unknown reduction, a blank that is no class and
 * lengths that are not there, and at evaluation IndexError for a class outside `0 ... c - 1`. The steps are unrolled.
 *
 * @example
 * ```ts
 * import { full, tensor } from "@cotangent/autograd";
 * import { ctc } from "@cotangent/nn/loss";
 * // Two steps, two classes, all equally likely: 1-1, blank-1 and 1-blank are three ways of four.
 * const even = full([2, 1, 2], Math.log(0.5));
 * ctc(even, tensor([[1]], { dtype: "int32" }), [2], [1]); // => Tensor(0.2877, float32)
 * ```
 */
export function ctc<R extends Reduction = "mean">(
  logProbabilities: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: LossOptions<R> & CtcOptions = {},
): Tensor<LossShape<[number], R>> {
  const {
    blank = 0,
    zeroInfinity = false,
    reduction = "mean",
  } = optionsOf<LossOptions & CtcOptions>("ctc", options, {
    reduction: true,
    blank: true,
    zeroInfinity: "boolean",
  });
  const n = check(logProbabilities, targets, blank);
  const steps = lengthsOf("ctc", "inputLengths", inputLengths, n, logProbabilities.shape[0]!);
  const sizes = lengthsOf("ctc", "targetLengths", targetLengths, n, targets.shape[1]!);
  const found = likelihood(logProbabilities, extended(targets, blank), blank, steps, sizes);
  const all: Tensor = sub(0, found);
  const losses: Tensor = zeroInfinity ? where(lt(all, infinity) as Tensor, all, 0) : all;
  const out =
    reduction === "mean"
      ? mean(div(losses, cast(maximum(sizes, 1) as Tensor, losses.dtype)) as Tensor)
      : reduced("ctc", losses, options);
  return out as Tensor<LossShape<[number], R>>;
}

/** How many examples there are. Throws typed errors if something does not fit. */
function check(x: Tensor, targets: Tensor, blank: number): number {
  if (!(x instanceof Tensor && targets instanceof Tensor))
    throw new ValueError("ctc: takes two tensors, logarithms of probabilities and targets");
  const [steps, n, c] = x.shape as [number, number, number];
  if (x.rank !== 3 || steps < 1 || targets.rank !== 2 || targets.shape[0] !== n)
    throw new ShapeError(
      `ctc: takes logarithms of probabilities [steps, n, c] and targets [n, length], got ${format(x.shape)} and ` +
        `${format(targets.shape)}`,
    );
  if (targets.dtype !== "int32")
    throw new DTypeError(`ctc: targets are int32, got ${targets.dtype}; cast(targets, "int32")`);
  if (!x.dtype.startsWith("float"))
    throw new DTypeError(`ctc: logarithms of probabilities are floats, got ${x.dtype}`);
  if (!Number.isInteger(blank) || blank < 0 || blank >= c)
    throw new ValueError(`ctc: blank is one of the classes 0 ... ${c - 1}, got ${String(blank)}`);
  return n;
}

/** The targets with a blank before, between and behind them: [n, 2 length + 1]. */
function extended(targets: Tensor, blank: number): Tensor {
  const [n, length] = targets.shape as [number, number];
  const blanks = (columns: number) => full([n, columns], blank, { dtype: "int32" }) as Tensor;
  const between: Tensor = reshape(stack([blanks(length), targets], -1), [n, 2 * length]);
  return cat([between, blanks(1)], 1);
}

/** The logarithm of the probability of each example's target: the forward variables of the paper, step by step. */
function likelihood(x: Tensor, symbols: Tensor, blank: number, steps: Tensor, sizes: Tensor): Tensor {
  const [n, width] = symbols.shape as [number, number];
  const nowhere = (columns: number) => full([n, columns], none, { dtype: x.dtype }) as Tensor;
  const before = (state: Tensor, by: number): Tensor =>
    cat([nowhere(Math.min(by, width)), slice(state, 0, Math.max(width - by, 0), { axis: 1 }) as Tensor], 1);
  // From one symbol to the next but one, leaving the blank out, if it is another one.
  const earlier = slice(symbols, 0, Math.max(width - 2, 0), { axis: 1 }) as Tensor;
  const later = slice(symbols, 2, width, { axis: 1 }) as Tensor;
  const differs: Tensor = logicalAnd(ne(later, blank) as Tensor, ne(later, earlier) as Tensor);
  const skips: Tensor = cat([zeros([n, Math.min(2, width)], { dtype: "bool" }) as Tensor, differs], 1);
  const emitted = unbind(x).map((scores): Tensor => gather(scores, 1, symbols, { caller: "ctc" }));
  // Before the first step it stands at the first blank, from where it can stay or go on to the first symbol.
  let state: Tensor = cat([zeros([n, 1], { dtype: x.dtype }) as Tensor, nowhere(width - 1)], 1);
  emitted.forEach((scores, t) => {
    const jumped: Tensor = where(skips, before(state, 2), none);
    const next: Tensor = add(together([state, before(state, 1), jumped]), scores);
    state = where(unsqueeze(gt(steps, t) as Tensor, 1) as Tensor, next, state);
  });
  // It ends with the last symbol, if there is one, or the blank behind it.
  const last = unsqueeze(mul(sizes, 2) as Tensor, 1) as Tensor;
  const onBlank: Tensor = gather(state, 1, last, { caller: "ctc" });
  const onSymbol: Tensor = gather(state, 1, clamp(sub(last, 1) as Tensor, 0) as Tensor);
  return squeeze(together([onBlank, where(gt(last, 0) as Tensor, onSymbol, none) as Tensor]), 1);
}

/** `log(exp(a) + exp(b) + ...)`, element by element, also where all are -inf. */
function together(xs: readonly Tensor[]): Tensor {
  const largest: Tensor = stopGradient(xs.reduce((a, b): Tensor => maximum(a, b)));
  const shift: Tensor = where(lt(abs(largest), infinity) as Tensor, largest, 0);
  const total = xs.map((x): Tensor => exp(sub(x, shift) as Tensor)).reduce((a, b): Tensor => add(a, b));
  const some = gt(total, 0) as Tensor;
  return where(some, add(log(where(some, total, 1) as Tensor), shift) as Tensor, none);
}
