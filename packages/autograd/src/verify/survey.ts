import { forward, reverse } from "../differentiate.ts";
import { ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { fromElements, onesLike, zerosLike } from "../ops/leaf.ts";
import { sum } from "../ops/movement.ts";
import { add, mul } from "../ops/pointwise.ts";
import { indexOf } from "../shape.ts";
import type { Scale, Sequence, Tangent } from "./direction.ts";
import { directionAt, tensorsOf } from "./direction.ts";
import { along, computed, flowOf, rounding } from "./flow.ts";
import type { Replay } from "./replay.ts";
import type { Direction } from "./report.ts";
import { cotangentOf, Line, Pullback, sides, witness } from "./witness.ts";

/** Which directions are asked about, and what else a derivative must fulfil. */

/** One direction: what moves and by how much. */
function ask(replay: Replay, pullback: Pullback, line: Line, moves: string, tolerance: number): Direction {
  const found = witness(replay, pullback, line, tolerance);
  if (found.kinks.length === 0) return { ...found, moves, sides: null };
  const { left, right } = sides(replay, pullback.cotangent, line.t);
  return { ...found, moves, sides: { left: left.value, right: right.value } };
}

/** With more inputs than these, they are moved together only. */
const fewInputs = 8;

/**
 * `count` random directions through all inputs, each with its own cotangent, and one through each input alone where there are
 * several.
 */
export function randomDirections(
  replay: Replay,
  count: number,
  random: Sequence,
  tolerance: number,
): Direction[] {
  const { x } = replay;
  const all = Array.from({ length: count }, (_, i) =>
    explore(replay, x.length === 1 ? "the input" : "all inputs", null, random, tolerance, i % 2),
  );
  if (count === 0 || x.length === 1 || x.length > fewInputs) return all;
  const each = x.flatMap(({ size }, i) =>
    size > 0 ? [explore(replay, `input ${i}`, i, random, tolerance)] : [],
  );
  return [...all, ...each];
}

const tries: readonly Scale[] = ["input", "element", "element"];

/** A random direction through one input, or all (null); where it is inconclusive another is tried. */
export function explore(
  replay: Replay,
  moves: string,
  only: number | null,
  random: Sequence,
  tolerance: number,
  start = 0,
): Direction {
  let found: Direction;
  let k = 0;
  do {
    const scale = tries[(start + k) % tries.length]!;
    const t = directionAt(replay.x, random, scale, only);
    const pullback = new Pullback(replay, cotangentOf(replay, random));
    found = ask(replay, pullback, new Line(replay, t), moves, tolerance);
  } while (found.verdict === "inconclusive" && ++k < tries.length);
  return found;
}

/** More entries than these take minutes. */
const largestJacobian = 1e5;

/** Every element of the result by every element of the inputs. Throws ValueError if these are too many. */
export function jacobianDirections(replay: Replay, tolerance: number): Direction[] {
  const { x, y } = replay;
  const entries = y.size * x.reduce((total, input) => total + input.size, 0);
  if (entries > largestJacobian)
    throw new ValueError(
      `checkGradient: the Jacobian has ${entries} entries; leave jacobian out and check random directions`,
    );
  const pullbacks = Array.from({ length: y.size }, (_, row) => new Pullback(replay, unit(y.size, row, 1)));
  // Column by column, since what a column costs is the same for every row.
  const columns = x.flatMap((input, i) =>
    Array.from({ length: input.size }, (_, column) => {
      const step = Math.abs(elementsOf(input)![column]!) || 1;
      const line = new Line(
        replay,
        x.map((_, k) => (k === i ? unit(input.size, column, step) : null)),
      );
      return pullbacks.map((pullback, row) =>
        scaled(ask(replay, pullback, line, entryName(y, row, input, i, column), tolerance), 1 / step),
      );
    }),
  );
  return pullbacks.flatMap((_, row) => columns.map((column) => column[row]!));
}

function unit(size: number, place: number, value: number): Float64Array {
  const out = new Float64Array(size);
  out[place] = value;
  return out;
}

function entryName(y: Tensor, row: number, input: Tensor, i: number, column: number): string {
  return `result [${indexOf(row, y.shape).join(", ")}] by input ${i} [${indexOf(column, input.shape).join(", ")}]`;
}

/** What was asked along `1 / factor` times a unit vector, per unit. */
function scaled(direction: Direction, factor: number): Direction {
  const { reverse, forward, differences, uncertainty } = direction;
  return {
    ...direction,
    reverse: reverse * factor,
    forward: forward * factor,
    differences: differences * factor,
    uncertainty: uncertainty * factor,
  };
}

/** Reverse mode is linear in the cotangent: says where it is not, or null. */
export function nonlinearity(replay: Replay, random: Sequence): string | null {
  const { x, y } = replay;
  const [a, b] = [cotangentOf(replay, random), cotangentOf(replay, random)];
  const mixture = a.map((weight, i) => 2 * weight - 3 * b[i]!);
  const t = directionAt(x, random);
  const [left, right, both] = [a, b, mixture].map((g) => along(new Pullback(replay, g).gradients, t));
  const expected = 2 * left!.value - 3 * right!.value;
  const gap = Math.abs(both!.value - expected);
  if (!(gap > 1e-8 * (2 * left!.size + 3 * right!.size))) return null;
  if (gap <= rounding * flowOf(y, x, mixture, t)) return null;
  return `reverse mode is not linear in the cotangent: for 2 g - 3 h it gives ${both!.value}, not ${expected}`;
}

/** The second derivatives of `y`, weighed, along s and t and along t and s are one: says how they differ, or null. */
export function asymmetry(
  y: Tensor,
  x: readonly Tensor[],
  random: Sequence,
  tolerance: number,
): string | null {
  const weighed = sum(mul(y, fromElements(random.weights(y.size), y.shape)));
  const gradients = reverse([weighed], [onesLike(weighed)], x).map((g, i) => g ?? zerosLike(x[i]!));
  const [s, t] = [0, 1].map(() => directionAt(x, random));
  const columns = (from: Tangent) => computed(forward(gradients, x, tensorsOf(from, x)));
  const [left, right] = [along(columns(s!), t!), along(columns(t!), s!)];
  const gap = Math.abs(left.value - right.value);
  if (!(gap > tolerance * Math.max(left.size, right.size))) return null;
  const first = gradients.map((g, i) => sum(mul(g, fromElements(t![i]!, x[i]!.shape))));
  const slope = first.reduce((total, part) => add(total, part));
  if (gap <= rounding * flowOf(slope, x, Float64Array.of(1), s!)) return null;
  return `the Hessian is not symmetric: ${left.value} along s and t, ${right.value} along t and s`;
}

/** The derivative of `y` along random directions, `modes.length` times: in forward mode, or weighed and in reverse. */
export function derivative(
  y: Tensor,
  x: readonly Tensor[],
  modes: readonly ("forward" | "reverse")[],
  random: Sequence,
): Tensor {
  let out = y;
  for (const mode of modes) {
    const t = tensorsOf(directionAt(x, random), x);
    if (mode === "forward") out = forward([out], x, t)[0] ?? zerosLike(out);
    else {
      const cotangent = fromElements(random.weights(out.size), out.shape);
      const parts = reverse([out], [cotangent], x).flatMap((g, i) => (g ? [sum(mul(g, t[i]!))] : []));
      out = parts.length === 0 ? zerosLike(sum(out)) : parts.reduce((total, part) => add(total, part));
    }
  }
  return out;
}
