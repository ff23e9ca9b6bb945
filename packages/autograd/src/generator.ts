import type { DType } from "./dtype.ts";
import { checkDType, isFloat } from "./dtype.ts";
import { DTypeError, ValueError } from "./errors.ts";
import { evaluate, isTracing } from "./evaluate.ts";
import { elementsOf, Tensor } from "./graph.ts";
import { cast } from "./ops/cast.ts";
import { lt } from "./ops/comparison.ts";
import type { Stream } from "./ops/draws.ts";
import { countersOfNormal, normalDraw, truncatedDraw, unitDraw } from "./ops/draws.ts";
import { argsort } from "./ops/indexing.ts";
import { describe, fill, fromElements } from "./ops/leaf.ts";
import { broadcastTo } from "./ops/movement.ts";
import { add, div, log1p, maximum, minimum, mul, neg } from "./ops/pointwise.ts";
import { floor } from "./ops/rounding.ts";
import type { Known } from "./options.ts";
import { optionsOf } from "./options.ts";
import type { Shape } from "./shape.ts";
import { checkShape, ownShape, shown } from "./shape.ts";
import type { Literal } from "./signature.ts";
import { Variable } from "./variable.ts";

/**
 * A source of random numbers. The same seed gives the same numbers everywhere, interpreted or compiled; its place in the
 * sequence is a variable, so a compiled step draws anew at each call.
 */
export class Generator {
  readonly #key0: Variable<[]>;
  readonly #key1: Variable<[]>;
  readonly #counter: Variable<[]>;

  constructor(seed = 0) {
    const integer = () => new Variable<[]>(word(0));
    this.#key0 = integer().named("key0");
    this.#key1 = integer().named("key1");
    this.#counter = integer().named("counter");
    this.seed(seed);
  }

  /** Starts the sequence of `seed` (a whole number up to 2^53) from its beginning. */
  seed(seed: number): void {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new ValueError(`seed: takes a whole number from 0 to 2^53 - 1, got ${shown(seed)}`);
    this.#key0.assign(word(seed | 0));
    this.#key1.assign(word(Math.floor(seed / 2 ** 32) | 0));
    this.#counter.assign(word(0));
  }

  /** The three variables that hold all of its state, for checkpoints. */
  get state(): { readonly key0: Variable<[]>; readonly key1: Variable<[]>; readonly counter: Variable<[]> } {
    return { key0: this.#key0, key1: this.#key1, counter: this.#counter };
  }

  /** The place for a draw that uses `count` counters; the next draw starts behind it. @internal */
  next(count: number): Stream {
    const stream = { key0: this.#key0.node, key1: this.#key1.node, counter: this.#counter.node };
    const after = add(stream.counter, fill(count, [], "int32"));
    // Outside compile the new count is computed at once: a draw does not wait for the one before.
    if (!isTracing()) evaluate([after]);
    this.#counter.assign(after);
    return stream;
  }
}

/** An int32 that has its element, so that nothing has to be computed before the first draw. */
function word(x: number): Tensor<[]> {
  return fromElements(Int32Array.of(x), []);
}

/** What draws use unless they are given another generator: the standard generator. */
export const defaultGenerator: Generator = new Generator();

/** Starts the sequence of the standard generator anew: the same seed, the same numbers. */
export function manualSeed(seed: number): void {
  defaultGenerator.seed(seed);
}

export interface DrawOptions {
  /** float32 unless given, or float64. */
  readonly dtype?: DType | undefined;
  /** The standard generator unless given. */
  readonly generator?: Generator | undefined;
}

const drawing: Known<DrawOptions> = { dtype: true, generator: true };

/** Numbers evenly distributed from `low` (0 unless given) up to but not including `high` (1), of `shape`. */
export function uniform<const S extends Shape>(
  shape: S,
  options?: DrawOptions & { readonly low?: number | undefined; readonly high?: number | undefined },
): Tensor<Literal<S>> {
  const { low = 0, high = 1, ...rest } = optionsOf("uniform", options, { low: true, high: true, ...drawing });
  if (!(low <= high))
    throw new ValueError(
      `uniform: low is ${shown(low)} and high is ${shown(high)}; low must not be above high`,
    );
  const unit = draw("uniform", shape, rest, 1, unitDraw);
  // Rounding may reach the upper end, which does not belong to the interval.
  const ranged = () => minimum(add(mul(unit, high - low), low), low < high ? below(high, unit.dtype) : high);
  return (low === 0 && high === 1 ? unit : ranged()) as Tensor<Literal<S>>;
}

/** The largest number of `dtype` that is less than `x`. */
function below(x: number, dtype: DType): number {
  const bits = dtype === "float32" ? new Float32Array(1) : new Float64Array(1);
  bits[0] = x;
  if (bits[0]! < x) return bits[0]!;
  const tiny = dtype === "float32" ? 2 ** -149 : 2 ** -1074;
  const spacing = Math.max(tiny, Math.abs(bits[0]!) * (dtype === "float32" ? 2 ** -24 : 2 ** -53));
  for (let step = spacing / 2; bits[0]! >= x; step *= 2) bits[0] = x - step;
  return bits[0]!;
}

/**
 * A number, or a tensor that is stretched to `shape`, for the option `what` of a draw. Throws ValueError unless `isValid` holds, for the
 * elements of a tensor as far as they are known.
 */
function parameter(
  name: string,
  what: string,
  x: number | Tensor,
  shape: Shape,
  dtype: DType = "float32",
  must: string,
  isValid: (x: number) => boolean,
): number | Tensor {
  const given = typeof x === "number" ? [x] : x instanceof Tensor ? (elementsOf(x.node) ?? []) : [Number.NaN];
  for (const value of given)
    if (!isValid(value)) {
      const shown = x instanceof Tensor || typeof x === "number" ? value : describe(x);
      throw new ValueError(`${name}: the ${what} is ${shown}; it must be ${must}`);
    }
  return typeof x === "number" ? x : broadcastTo(cast(x, dtype), shape);
}

/**
 * Normally distributed numbers with `mean` (0 unless given) and `deviation` (1), of `shape`; both may be tensors that broadcast to it, and
 * have derivatives then. Throws ValueError for a deviation below 0, ShapeError for tensors that do not fit.
 *
 * @example
 * ```ts
 * import { normal, tensor } from "@cotangent/autograd";
 * normal([3, 2], { mean: tensor([0, 100]), deviation: tensor([1, 10]) }).shape; // => 3,2
 * ```
 */
export function normal<const S extends Shape>(
  shape: S,
  options?: DrawOptions & {
    readonly mean?: number | Tensor | undefined;
    readonly deviation?: number | Tensor | undefined;
  },
): Tensor<Literal<S>> {
  const known = { mean: true, deviation: true, ...drawing } as const;
  const { mean = 0, deviation = 1, ...rest } = optionsOf("normal", options, known);
  checkShape("normal", shape);
  const scale = parameter("normal", "deviation", deviation, shape, rest.dtype, "at least 0", (x) => x >= 0);
  const center = parameter("normal", "mean", mean, shape, rest.dtype, "a number", () => true);
  const standardNormal = draw("normal", shape, rest, countersOfNormal, normalDraw);
  return (center === 0 && scale === 1 ? standardNormal : add(mul(standardNormal, scale), center)) as Tensor<
    Literal<S>
  >;
}

/**
 * Normally distributed numbers of `shape` with `mean` (0 unless given) and `deviation` (1), given that they lie from `low` (-2)
 * to `high` (2), which are places as in PyTorch, not multiples of the deviation. Throws ValueError for a deviation that is not
 * positive and for bounds in the wrong order or wholly beyond 5 deviations, where too few bits are left.
 */
export function truncatedNormal<const S extends Shape>(
  shape: S,
  options?: DrawOptions & {
    readonly mean?: number | undefined;
    readonly deviation?: number | undefined;
    readonly low?: number | undefined;
    readonly high?: number | undefined;
  },
): Tensor<Literal<S>> {
  const known = { mean: true, deviation: true, low: true, high: true, ...drawing } as const;
  const {
    mean = 0,
    deviation = 1,
    low = -2,
    high = 2,
    ...rest
  } = optionsOf("truncatedNormal", options, known);
  if (!(deviation > 0 && deviation < Infinity && Number.isFinite(mean)))
    throw new ValueError(
      `truncatedNormal: the mean is ${mean} and the deviation ${deviation}; they are finite, and the deviation is above 0`,
    );
  const [from, to] = [(low - mean) / deviation, (high - mean) / deviation];
  if (!(low < high && from < 5 && to > -5))
    throw new ValueError(
      `truncatedNormal: low is ${shown(low)} and high is ${shown(high)}; low must be below high, and part of what is between them within 5 ` +
        "deviations of the mean",
    );
  const standardNormal = draw("truncatedNormal", shape, rest, 1, (stream, sizes, dtype) =>
    truncatedDraw(stream, sizes, dtype, from, to),
  );
  // Rounding may leave the interval.
  return minimum(maximum(add(mul(standardNormal, deviation), mean), low), high) as Tensor<Literal<S>>;
}

/**
 * Exponentially distributed numbers of `shape`: at least 0, with mean `1 / rate` (`rate` is 1 unless given). Throws ValueError
 * unless the rate is positive.
 */
export function exponential<const S extends Shape>(
  shape: S,
  options?: DrawOptions & { readonly rate?: number | undefined },
): Tensor<Literal<S>> {
  const { rate = 1, ...rest } = optionsOf("exponential", options, { rate: true, ...drawing });
  if (!(rate > 0)) throw new ValueError(`exponential: the rate is ${rate}; it must be above 0`);
  const unit = draw("exponential", shape, rest, 1, unitDraw);
  // 1 - u is never 0, so that no draw is infinite.
  return div(neg(log1p(neg(unit))), rate) as Tensor<Literal<S>>;
}

/**
 * 1 with probability `probability` (1/2 unless given), else 0, of `shape`; a tensor of probabilities broadcasts to it. Throws
 * ValueError unless they are between 0 and 1 (those of a tensor as far as they are known), ShapeError for a tensor that does not fit.
 *
 * @example
 * ```ts
 * import { bernoulli, tensor } from "@cotangent/autograd";
 * bernoulli([4, 2], { probability: tensor([0, 1]) }).sum(0).toArray(); // => 0,4
 * ```
 */
export function bernoulli<const S extends Shape>(
  shape: S,
  options?: DrawOptions & { readonly probability?: number | Tensor | undefined },
): Tensor<Literal<S>> {
  const { probability = 0.5, ...rest } = optionsOf("bernoulli", options, { probability: true, ...drawing });
  checkShape("bernoulli", shape);
  const isShare = (x: number) => x >= 0 && x <= 1;
  const most = parameter(
    "bernoulli",
    "probability",
    probability,
    shape,
    rest.dtype,
    "between 0 and 1",
    isShare,
  );
  const unit = draw("bernoulli", shape, rest, 1, unitDraw);
  return cast(lt(unit, most), unit.dtype) as Tensor<Literal<S>>;
}

/**
 * int32 numbers of `shape`, all from `low` up to but not including `high` equally likely. Throws ValueError unless both are
 * whole numbers of int32 (`high` may be 2^31) and `low` is less than `high`.
 */
export function randint<const S extends Shape>(
  low: number,
  high: number,
  shape: S,
  options?: Pick<DrawOptions, "generator">,
): Tensor<Literal<S>> {
  const rest = optionsOf("randint", options, { generator: true });
  if (
    !(Number.isInteger(low) && Number.isInteger(high) && low >= -(2 ** 31) && low < high && high <= 2 ** 31)
  )
    throw new ValueError(
      `randint: low is ${shown(low)} and high is ${shown(high)}; they are whole numbers of int32, low less than high: randint(0, 6, [2])`,
    );
  const unit = draw("randint", shape, { ...rest, dtype: "float64" }, 1, unitDraw);
  // The 53 bits of the unit draw exceed the 32 of the range: no number is favoured, and the product stays below the range.
  return cast(add(floor(mul(unit, high - low)), low), "int32") as Tensor<Literal<S>>;
}

/**
 * The whole numbers from 0 up to but not including `n` in random order, int32. Throws ValueError unless `n` is a whole number of at least 0.
 */
export function permutation<N extends number>(n: N, options?: Pick<DrawOptions, "generator">): Tensor<[N]> {
  const rest = optionsOf("permutation", options, { generator: true });
  return argsort(draw("permutation", [n], { ...rest, dtype: "float64" }, 1, unitDraw)) as Tensor<[N]>;
}

/** A draw `from` the next place of the generator, of floats. Throws typed errors for what is no shape, float dtype or generator. */
export function draw(
  name: string,
  shape: Shape,
  { dtype = "float32", generator = defaultGenerator }: DrawOptions,
  counters: number,
  from: (stream: Stream, shape: Shape, dtype: DType) => Tensor,
): Tensor {
  const own = ownShape(name, shape);
  checkDType(name, dtype);
  if (!isFloat(dtype))
    throw new DTypeError(`${name}: ${dtype} cannot hold fractions; use float32 or float64`);
  if (!(generator instanceof Generator))
    throw new ValueError(`${name}: the generator is a Generator, got ${describe(generator)}`);
  return from(generator.next(counters), own, dtype);
}
