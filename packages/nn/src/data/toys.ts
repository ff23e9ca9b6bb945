import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  cat,
  cos,
  evaluate,
  fromTypedArray,
  Generator,
  hideFrames,
  linspace,
  mul,
  normal,
  reshape,
  sin,
  stack,
  sub,
  tensor,
  uniform,
  ValueError,
} from "@cotangent/autograd/functional";
import { checkNames, optionsOf } from "../options.ts";

hideFrames(import.meta.url);

/** Examples and what is to be made of them, row by row. */
export interface Toy {
  /** float32 [count, features]. */
  readonly x: Tensor;
  /** float32 [count, 1]; with more than two classes int32 [count]. */
  readonly y: Tensor;
}

export interface ToyOptions {
  /** How many examples. */
  readonly count?: number | undefined;
  /** The deviation of what is added to all coordinates (of the target in a regression). */
  readonly noise?: number | undefined;
  /** Starts a generator of its own: the same seed, the same data. */
  readonly seed?: number | undefined;
  /** The standard generator unless given. */
  readonly generator?: Generator | undefined;
}

/**
 * The corners of the unit square in turn, with class 1 where the coordinates differ; 4 examples without noise unless told.
 * Throws ValueError for a count that is no whole number of at least 1, for a noise below 0 and for options that there are
 * not, as all functions here do.
 *
 * @example
 * ```ts
 * import { xor } from "@cotangent/nn/data";
 * xor().x.toArray(); // => 0,0,0,1,1,0,1,1
 * xor().y.toArray(); // => 0,1,1,0
 * ```
 */
export function xor(options: ToyOptions = {}): Toy {
  const { count, noise, draw } = settings("xor", options, 4, 0);
  const corners = Array.from({ length: count }, (_, i) => [(i >> 1) & 1, i & 1]);
  const y = corners.map(([a, b]) => a! ^ b!);
  return made(noisy(tensor(corners), noise, draw), classes(y, 2));
}

/**
 * Two half circles that reach into each other, class after class; 200 examples with noise 0.1 unless told. (The formula is
 * that of scikit-learn's `make_moons`.)
 *
 * @example
 * ```ts
 * import { moons } from "@cotangent/nn/data";
 * const { x, y } = moons({ count: 100, noise: 0.1, seed: 1 });
 * [x.shape, y.shape]; // => [ [ 100, 2 ], [ 100, 1 ] ]
 * ```
 */
export function moons(options: ToyOptions = {}): Toy {
  const { count, noise, draw } = settings("moons", options, 200, 0.1);
  const [outer, inner] = shares(count, 2);
  const upper = onCircle(linspace(0, Math.PI, outer!));
  const lower = sub(tensor([1, 0.5]), onCircle(linspace(0, Math.PI, inner!)));
  return made(noisy(cat([upper, lower]), noise, draw), inTurn([outer!, inner!]));
}

export interface CircleOptions extends ToyOptions {
  /** The radius of the inner circle, below 1; 0.5 unless given. */
  readonly factor?: number | undefined;
}

/** A circle of radius 1 (class 0) around a smaller one (class 1); 200 examples with noise 0.05 unless told. */
export function circles(options: CircleOptions = {}): Toy {
  const { count, noise, draw } = settings("circles", options, 200, 0.05, ["factor"]);
  const { factor = 0.5 } = options;
  if (!(factor > 0 && factor < 1))
    throw new ValueError(`circles: factor is a number between 0 and 1, got ${factor}`);
  const [outer, inner] = shares(count, 2);
  const around = (n: number) => onCircle(mul(linspace(0, n - 1, n), (2 * Math.PI) / Math.max(1, n)));
  const x = cat([around(outer!), mul(around(inner!), factor)]);
  return made(noisy(x, noise, draw), inTurn([outer!, inner!]));
}

export interface SpiralOptions extends ToyOptions {
  /** How many spirals, each a class; 2 unless given. */
  readonly arms?: number | undefined;
  /** How often each goes round; 1 unless given. */
  readonly turns?: number | undefined;
}

/** Spirals from the middle to radius 1, arm after arm; 200 examples with noise 0.02 unless told. */
export function spirals(options: SpiralOptions = {}): Toy {
  const { count, noise, draw } = settings("spirals", options, 200, 0.02, ["arms", "turns"]);
  const { arms = 2, turns = 1 } = options;
  checkWhole("spirals", "arms", arms);
  if (!Number.isFinite(turns)) throw new ValueError(`spirals: turns is a finite number, got ${turns}`);
  const sizes = shares(count, arms);
  const x = sizes.map((n, arm) => {
    const radius = mul(add(linspace(0, n - 1, n), 1), 1 / Math.max(1, n));
    const angle = mul(add(mul(radius, turns), arm / arms), 2 * Math.PI);
    return mul(onCircle(angle), reshape(radius, [n, 1]));
  });
  return made(noisy(cat(x), noise, draw), inTurn(sizes));
}

export interface BlobOptions extends ToyOptions {
  /** Where the middles are, or how many to draw between -10 and 10 in both coordinates; 3 unless given. */
  readonly centers?: number | readonly (readonly number[])[] | undefined;
}

/**
 * Points normally distributed around some middles, class after class; 150 examples with noise (their deviation) 1 unless told.
 * Throws ValueError also if there is no middle.
 */
export function blobs(options: BlobOptions = {}): Toy {
  const { count, noise, draw } = settings("blobs", options, 150, 1, ["centers"]);
  const { centers = 3 } = options;
  checkWhole("blobs", "the number of centers", typeof centers === "number" ? centers : centers.length);
  const middles: readonly (readonly number[])[] =
    typeof centers === "number"
      ? uniform([centers, 2], { low: -10, high: 10, ...draw }).toArray<number>()
      : centers;
  const sizes = shares(count, middles.length);
  const x = sizes.flatMap((n, i) => Array.from({ length: n }, () => middles[i]!));
  return made(noisy(tensor(x), noise, draw), inTurn(sizes));
}

export interface CheckerboardOptions extends ToyOptions {
  /** How many squares each side has; 4 unless given. */
  readonly squares?: number | undefined;
}

/**
 * Points evenly spread over the unit square, with class 1 on every other field of a checkerboard; 400 examples without noise
 * unless told.
 */
export function checkerboard(options: CheckerboardOptions = {}): Toy {
  const { count, noise, draw } = settings("checkerboard", options, 400, 0, ["squares"]);
  const { squares = 4 } = options;
  checkWhole("checkerboard", "squares", squares);
  const x = uniform([count, 2], draw);
  const field = Array.from(x.toTypedArray(), (value) => Math.floor(value * squares));
  const y = Array.from({ length: count }, (_, i) => (field[2 * i]! + field[2 * i + 1]!) % 2);
  return made(noisy(x, noise, draw), classes(y, 2));
}

export interface LineOptions extends ToyOptions {
  /** 2 unless given. */
  readonly slope?: number | undefined;
  /** 1 unless given. */
  readonly intercept?: number | undefined;
}

/**
 * A regression line: x evenly spread from -1 to 1, y = slope x + intercept; 100 examples with noise 0.1 in y unless told.
 *
 * @example
 * ```ts
 * import { linear } from "@cotangent/nn/data";
 * const { x, y } = linear({ count: 10, slope: 3, intercept: 0, noise: 0 });
 * y.sub(x.mul(3)).abs().amax().item(); // => 0
 * ```
 */
export function linear(options: LineOptions = {}): Toy {
  const { count, noise, draw } = settings("linear", options, 100, 0.1, ["slope", "intercept"]);
  const { slope = 2, intercept = 1 } = options;
  const x = uniform([count, 1], { low: -1, high: 1, ...draw });
  return made(x, noisy(add(mul(x, slope), intercept), noise, draw));
}

/** One wave: x evenly spread from -π to π, y = sin x; 100 examples with noise 0.1 in y unless told. */
export function sine(options: ToyOptions = {}): Toy {
  const { count, noise, draw } = settings("sine", options, 100, 0.1);
  const x = uniform([count, 1], { low: -Math.PI, high: Math.PI, ...draw });
  return made(x, noisy(sin(x), noise, draw));
}

interface Settings {
  readonly count: number;
  readonly noise: number;
  readonly draw: { readonly generator?: Generator | undefined };
}

/** What all take; `own` are the names of further options. */
function settings(
  name: string,
  given: ToyOptions,
  usualCount: number,
  usualNoise: number,
  own: readonly string[] = [],
): Settings {
  checkNames(name, optionsOf(name, given), ["count", "noise", "seed", "generator", ...own]);
  const { count = usualCount, noise = usualNoise, seed, generator } = given;
  checkWhole(name, "count", count);
  if (!(noise >= 0 && noise < Infinity))
    throw new ValueError(`${name}: noise is a finite number of at least 0, got ${noise}`);
  if (seed !== undefined && generator)
    throw new ValueError(`${name}: takes a seed or a generator, got both; leave one out`);
  const chosen = seed === undefined ? generator : new Generator(seed);
  return { count, noise, draw: chosen ? { generator: chosen } : {} };
}

function checkWhole(name: string, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ValueError(`${name}: ${what} is a whole number of at least 1, got ${value}`);
}

/** `count` in `parts` parts that differ by one at most, larger ones first. */
function shares(count: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.floor((count + parts - 1 - i) / parts));
}

/** The points of the unit circle at the given angles. */
function onCircle(angles: Tensor): Tensor {
  return stack([cos(angles), sin(angles)], 1);
}

function noisy(x: Tensor, noise: number, draw: Settings["draw"]): Tensor {
  return noise === 0 ? x : add(x, normal(x.shape, { deviation: noise, ...draw }));
}

/** As many rows of class 0, 1, 2 ... as `sizes` says. */
function inTurn(sizes: readonly number[]): Tensor {
  return classes(
    sizes.flatMap((n, i) => Array<number>(n).fill(i)),
    sizes.length,
  );
}

function classes(y: readonly number[], count: number): Tensor {
  return count > 2
    ? fromTypedArray(Int32Array.from(y), [y.length])
    : fromTypedArray(Float32Array.from(y), [y.length, 1]);
}

/** The numbers themselves, so that a compiled program takes them for constants and draws nothing anew. */
function made(x: Tensor, y: Tensor): Toy {
  evaluate(x, y);
  return { x, y };
}
