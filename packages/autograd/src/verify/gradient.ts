import { withMakers } from "../differentiate.ts";
import { ValueError } from "../errors.ts";
import { evaluate, withCache } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import { checkFloat } from "../transform/gradient.ts";
import type { Checked } from "./call.ts";
import { callOn, checkResult, checkTolerance } from "./call.ts";
import type { Question, Survey } from "./diagnosis.ts";
import { examine } from "./diagnosis.ts";
import type { Sequence } from "./direction.ts";
import { readsValues } from "./higher.ts";
import { Replay } from "./replay.ts";
import type { GradientReport } from "./report.ts";
import { asymmetry, derivative, jacobianDirections, nonlinearity, randomDirections } from "./survey.ts";

export interface CheckOptions {
  /** How many times to differentiate: 1 unless given. Lower orders are checked before, each along one random direction. */
  readonly order?: number | undefined;
  /**
   * The mode of each derivative but the last, which is taken in both: `order - 1` of them. Unless given the directions take
   * turns with several mixtures.
   */
  readonly modes?: readonly ("forward" | "reverse")[] | undefined;
  /** How many random directions to try; 4 unless given. */
  readonly directions?: number | undefined;
  /** Check every element of the result by every element of the inputs, instead of random directions. */
  readonly jacobian?: boolean | undefined;
  /** The largest relative difference that counts as equal; 1e-6 for order 1 and 1e-5 for more unless given. */
  readonly tolerance?: number | undefined;
  /** Of the random directions and cotangents; 0 unless given. */
  readonly seed?: number | undefined;
}

const known: Known<CheckOptions> = {
  order: true,
  modes: true,
  directions: true,
  jacobian: "boolean",
  tolerance: true,
  seed: true,
};

/**
 * Checks the derivatives of `f` at `inputs` (tensors of floats; variables may also be used by `f` directly, so the parameters
 * of a model can be checked as they are: `checkGradient(() => loss(model), model.parameters())`). Reverse mode, forward mode and finite
 * differences with error bars must agree along random directions, with random cotangents; where they do not, every op's own
 * rule is checked with its actual operands, and the report names the one that is wrong, its worst element and the line that
 * made it. The graph that `f` makes is replayed in float64, whatever its dtype.
 *
 * The derivatives of higher order are those of what the rules give: the report is on the first order that fails, or else on the first
 * that is inconclusive, or else on the one asked for.
 *
 * At a kink (`relu` at 0, ties in `max`) what the rules say must lie between the derivatives of either side. What an op says
 * of its derivative on purpose (`stopGradient`, `straightThrough`, `gradientReversal`) is taken at its word. Where a `customGradient`
 * uses an input past its own inputs, or a variable is assigned on the way, derivatives end: the check fails and says so.
 *
 * `f` is called a few times, also nearby, to see whether it is a function at all; what it assigns to variables is
 * discarded. Throws GradientError if `f` does not return a float tensor or an input is no float, ValueError for options that are
 * none, and what `f` itself throws.
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
  given?: CheckOptions,
): GradientReport {
  const options = optionsOf("checkGradient", given, known);
  checkOptions(options);
  if (!Array.isArray(inputs))
    throw new ValueError("checkGradient: takes a list of inputs: checkGradient(f, [x])");
  inputs.forEach((input, i) => {
    checkFloat("checkGradient", `input ${i}`, input);
  });
  // What is pending is computed too, so that every leaf has its elements.
  evaluate(inputs);
  // The graphs are many and each is read once: programs would be compiled in vain.
  return withCache(null, () => check(f, inputs, options));
}

function checkOptions({ order = 1, directions = 4, modes, tolerance }: CheckOptions): void {
  if (!Number.isInteger(order) || order < 1)
    throw new ValueError(`checkGradient: order is ${order}; give a whole number of at least 1`);
  if (!Number.isInteger(directions) || directions < 1)
    throw new ValueError(`checkGradient: directions is ${directions}; give a whole number of at least 1`);
  checkTolerance("checkGradient", tolerance);
  if (!modes || modes.length === order - 1) return;
  throw new ValueError(
    order === 1
      ? "checkGradient: modes are for orders above 1, since the last derivative is taken in both; give an order or leave modes out"
      : `checkGradient: order ${order} has ${order - 1} modes to choose, got ${modes.length}`,
  );
}

function check(f: Checked, inputs: readonly Tensor[], options: CheckOptions): GradientReport {
  const { order = 1, seed = 0 } = options;
  const call = callOn(f, inputs);
  checkResult("checkGradient", "the result", call);
  const questions = Array.from({ length: order }, (_, i): Question => {
    const isLast = i + 1 === order;
    const { tolerance = i === 0 ? 1e-6 : 1e-5 } = options;
    const asked: CheckOptions = isLast ? options : { order: i + 1, directions: 1 };
    return { order: i + 1, tolerance, ask: (...given) => surveyed(asked, ...given) };
  });
  return examine(f, inputs, call, seed, questions);
}

/** Asks about the derivatives: of the graph itself, or of those of its derivatives that have one order less. */
function surveyed(options: CheckOptions, primal: Replay, random: Sequence, tolerance: number): Survey {
  const { order = 1, directions = 4, jacobian = false } = options;
  const replays =
    order === 1 ? [primal] : withMakers(() => derivatives(primal, order, options.modes, random));
  const found = replays.flatMap((replay, i) =>
    jacobian
      ? jacobianDirections(replay, tolerance)
      : randomDirections(replay, Math.ceil((directions - i) / replays.length), random, tolerance),
  );
  const notes = [nonlinearity(replays[0]!, random)];
  if (order > 1) {
    notes.push(asymmetry(primal.y, primal.x, random, tolerance));
    if (readsValues(primal.y, primal.x, random))
      notes.push("a rule reads values: the derivative is another one when it is built for inputs nearby");
  }
  return { replays, directions: found, notes: notes.filter((note) => note !== null) };
}

/** The derivatives of one order less along random directions, by the given modes or by two mixtures. */
function derivatives(
  primal: Replay,
  order: number,
  modes: CheckOptions["modes"],
  random: Sequence,
): Replay[] {
  const turns = (first: number) =>
    Array.from({ length: order - 1 }, (_, i) => ((first + i) % 2 === 0 ? "forward" : "reverse"));
  const mixtures = modes ? [modes] : [turns(0), turns(1)];
  const nodes = new Set(primal.order.nodes);
  return mixtures.map(
    (mixture) => new Replay(derivative(primal.y, primal.x, mixture, random), primal.x, nodes),
  );
}
