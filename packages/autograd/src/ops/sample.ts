import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import type { Op } from "../graph.ts";
import { Tensor } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { sizeOf } from "../shape.ts";
import type { Tree } from "../tree.ts";
import { checkTensor, fromElements } from "./leaf.ts";

/**
 * Where samples get their choices from. A test hands in fast-check, which varies and shrinks them; anything that
 * chooses evenly will do.
 */
export interface Chooser {
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** A real number from `low` to `high`. */
  real(low: number, high: number): number;
}

/** The values that an operand may have, and the places to keep away from (kinks, poles). */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly away?: readonly number[] | undefined;
}

/** Makes the arguments of sample calls. */
export class Draw {
  readonly choose: Chooser;
  /** The float dtype of the tensors. */
  readonly dtype: DType;

  constructor(choose: Chooser, dtype: DType = "float32") {
    this.choose = choose;
    this.dtype = dtype;
  }

  integer(low: number, high: number): number {
    return this.choose.integer(low, high);
  }

  /** A shape of `minRank` to `maxRank` axes of sizes `minSize` to 4. */
  shape(minRank = 0, maxRank = 3, minSize = 1): number[] {
    return Array.from({ length: this.integer(minRank, maxRank) }, () => this.integer(minSize, 4));
  }

  /** An axis of `shape`, counted from the front or from the end. */
  axis(shape: Shape): number {
    return this.integer(-shape.length, shape.length - 1);
  }

  /** The same, or undefined for all axes. */
  axisOrAll(shape: Shape): number | undefined {
    return this.integer(0, 3) === 0 ? undefined : this.axis(shape);
  }

  /** True as often as false. */
  coin(): boolean {
    return this.integer(0, 1) === 0;
  }

  /** `count` shapes that broadcast together. */
  broadcastable(count: number): number[][] {
    const full = this.shape();
    return Array.from({ length: count }, () => {
      const drop = this.integer(0, 2) === 0 ? this.integer(0, full.length) : 0;
      return full.slice(drop).map((size) => (this.integer(0, 4) === 0 ? 1 : size));
    });
  }

  real({ low, high, away = [] }: Range): number {
    const x = this.choose.real(low, high);
    const near = away.find((kink) => Math.abs(x - kink) < 0.05);
    return near === undefined ? x : near + (x < near ? -0.05 : 0.05);
  }

  tensor(shape: Shape, range: Range = { low: -2, high: 2 }): Tensor {
    const data = Array.from({ length: sizeOf(shape) }, () => this.real(range));
    return fromElements(this.dtype === "float64" ? Float64Array.from(data) : Float32Array.from(data), shape);
  }

  /** A tensor whose elements all differ by at least 0.1, in any order: no ties. */
  distinct(shape: Shape): Tensor {
    const size = sizeOf(shape);
    const places = Array.from({ length: size }, (_, i) => i);
    for (let i = size - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [places[i], places[j]] = [places[j]!, places[i]!];
    }
    const data = places.map((place) => (place - size / 2) * 0.3 + this.choose.real(0, 0.2));
    return fromElements(this.dtype === "float64" ? Float64Array.from(data) : Float32Array.from(data), shape);
  }

  /** A tensor whose elements are 1, 2 or 3: with ties. */
  tied(shape: Shape): Tensor {
    const data = Array.from({ length: sizeOf(shape) }, () => this.integer(1, 3));
    return fromElements(this.dtype === "float64" ? Float64Array.from(data) : Float32Array.from(data), shape);
  }

  /** int32 elements from 0 up to but not including `below`. */
  indices(shape: Shape, below: number): Tensor {
    const data = Int32Array.from({ length: sizeOf(shape) }, () => this.integer(0, below - 1));
    return fromElements(data, shape);
  }

  bools(shape: Shape): Tensor {
    return fromElements(
      Uint8Array.from({ length: sizeOf(shape) }, () => this.integer(0, 1)),
      shape,
    );
  }
}

/** The arguments of one call. */
export type Samples = (draw: Draw) => readonly unknown[];

/** What the registry knows of a function beyond its signature. */
export interface Declared {
  /** The op that it applies, or null for compositions. */
  readonly op: Op | null;
  readonly samples: Samples;
  /** Has it a kink, a tie or a jump (as true, or as the sentence that says its derivative there), or null: is it smooth? */
  readonly kink: string | true | null;
}

/** Samples of elementwise functions: tensors that broadcast together, one range for each operand. */
export function within(
  ...ranges: readonly (readonly [low: number, high: number, ...away: number[]])[]
): Samples {
  return (draw) => {
    const shapes = draw.broadcastable(ranges.length);
    return ranges.map(([low, high, ...away], i) => draw.tensor(shapes[i]!, { low, high, away }));
  };
}

/** Samples of functions of one tensor of `minRank` to `maxRank` axes: it, and what `more` draws beside it. */
export function ofRank(
  minRank: number,
  maxRank: number,
  more: (draw: Draw, shape: readonly number[]) => readonly unknown[],
): Samples {
  return (draw) => {
    const shape = draw.shape(minRank, maxRank);
    return [draw.tensor(shape), ...more(draw, shape)];
  };
}

/** The same of a tensor without ties. */
export function ofDistinct(more: (draw: Draw, shape: readonly number[]) => readonly unknown[]): Samples {
  return (draw) => {
    const shape = draw.shape(1);
    return [draw.distinct(shape), ...more(draw, shape)];
  };
}

/** Samples of functions of one tensor and an axis. */
export function alongAxis(range: Range = { low: -2, high: 2 }): Samples {
  return (draw) => {
    const shape = draw.shape(1);
    return [draw.tensor(shape, range), draw.axis(shape)];
  };
}

/** Samples of reductions. */
export const reduced: Samples = ofRank(1, 3, (draw, shape) => [
  draw.axisOrAll(shape),
  { keepDims: draw.coin() },
]);

/** Samples of elementwise functions of one tensor and an options object. */
export const withOptions =
  (options: object, low: number, high: number, ...away: number[]): Samples =>
  (draw) => [draw.tensor(draw.shape(), { low, high, away }), options];

/** The mark of a function with a kink, a tie or a jump; `@kink` in its docstring says what its derivative is there. */
export const kinked = true;

export type Callable = (...args: never[]) => unknown;

/** Attaches what the registry needs to a public function, and gives it its name. */
export function declare<F extends Callable>(
  name: string,
  call: F,
  op: Op | null,
  samples: Samples,
  kink: string | true | null = op?.kink ?? null,
): F {
  // Elementwise ops look at their operands themselves.
  const told = op?.kernel.kind === "pointwise" ? call : tellingWhatIsNoTensor(name, call);
  Object.defineProperty(told, "name", { value: name });
  return Object.assign(told, { op, samples, kink } satisfies Declared);
}

/** `call`, which says so by its own name if it failed since its first argument is no tensor, or another is missing. */
function tellingWhatIsNoTensor<F extends Callable>(name: string, call: F): F {
  const told = (...args: never[]): unknown => {
    try {
      return call(...args);
    } catch (error) {
      const [x]: readonly unknown[] = args;
      const isEngines = error instanceof TypeError;
      const isOfAnother =
        error instanceof ValueError && typeof x !== "number" && !error.message.startsWith(`${name}: `);
      const isList = Array.isArray(x) && x.length > 0 && x.every((part) => part instanceof Tensor);
      if ((isOfAnother || isEngines) && !isList) checkTensor(name, x);
      if (isEngines) checkGiven(name, args, call.length);
      throw error;
    }
  };
  return told as F;
}

/** Throws ValueError for the first of `count` arguments that is undefined or null. */
function checkGiven(name: string, args: readonly unknown[], count: number): void {
  for (let i = 0; i < count; i++)
    if ((args[i] ?? null) === null) throw new ValueError(`${name}: argument ${i + 1} is ${args[i]}`);
}

/** A function made of other ops: it has samples for the laws and no op of its own. */
export function composed<F extends Callable>(
  name: string,
  call: F,
  samples: Samples,
  kink?: string | true,
): F {
  return declare(name, call, null, samples, kink);
}

/** A function of the registry: it gives a tensor, or several in an array or an object. */
export type Registered = Declared & ((...operands: readonly unknown[]) => Tree);

/** Is this exported function one that the registry knows? */
export function isDeclared(x: unknown): x is Registered {
  return typeof x === "function" && "samples" in x && "op" in x;
}
