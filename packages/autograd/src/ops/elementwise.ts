import type { Body } from "../arithmetic.ts";
import type { DType } from "../dtype.ts";
import { formatDTypes, isFloat, promote, promoteNumber, refuseBool } from "../dtype.ts";
import { DTypeError, ValueError } from "../errors.ts";
import type { Derivative, Op } from "../graph.ts";
import { none, Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import {
  broadcastShapes,
  equalShapes,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  sizeOf,
} from "../shape.ts";
import type { KeepDims, Operand } from "../signature.ts";
import { cast } from "./cast.ts";
import { checkTensor, describe, fill } from "./leaf.ts";
import { keeping, reshape, stretched } from "./movement.ts";
import type { Callable, Samples } from "./sample.ts";
import { declare } from "./sample.ts";

/**
 * What all elementwise ops share: numbers become tensors, dtypes are promoted and shapes broadcast, each by an explicit
 * node, so that kernels and derivative rules only ever see operands of one shape.
 */
export interface Elementwise {
  readonly name: string;
  /** The result's element from the operands' elements. */
  readonly body: Body;
  /** One rule per operand. */
  readonly derivatives: readonly Derivative[];
  readonly samples: Samples;
  /** Has it a kink, a tie or a jump? A sentence can say what its derivative is there. */
  readonly kink?: string | true | undefined;
  /**
   * What the operands may be: `number` int32 or floats; `float` floats, integers becoming float32; `bool` only bool;
   * `any` everything. `number` unless given.
   */
  readonly accepts?: Accepts | undefined;
  /** The result's dtype: bool, or (unless given) that of the operands. */
  readonly gives?: "bool" | undefined;
  /** What the last operand is where the call leaves it out. */
  readonly omitted?: number | undefined;
  /** The first operand is a bool condition and does not take part in promotion. */
  readonly conditional?: boolean | undefined;
}

type Accepts = "number" | "float" | "bool" | "any";

/** An elementwise op as a function of tensors and numbers. */
export function pointwise<F extends Callable>(definition: Elementwise): F {
  const {
    name,
    body,
    derivatives,
    samples,
    kink,
    accepts = "number",
    gives,
    omitted,
    conditional = false,
  } = definition;
  const op: Op = {
    name,
    kernel: { kind: "pointwise", body },
    derivatives,
    shape: ([x]) => x!.shape,
    dtype: (inputs) => gives ?? inputs[conditional ? 1 : 0]!.dtype,
    kink,
  };
  const arity = derivatives.length;
  const one = (x: Operand): Tensor => {
    const a = accepted(name, operand(name, x, "float32"), accepts);
    return new Tensor(op, null, none, a.shape, gives ?? a.dtype, a);
  };
  const two = (x: Operand, y: Operand | undefined = omitted): Tensor => {
    // The usual cases by a shorter way: a float tensor with another of the same shape, or with a number.
    if (x instanceof Tensor && accepts !== "bool") {
      const a = x.node;
      const { shape, dtype } = a;
      if (isFloat(dtype)) {
        if (typeof y === "number")
          return new Tensor(op, null, none, shape, gives ?? dtype, a, filled(y, shape, dtype));
        const b = y instanceof Tensor ? y.node : null;
        if (b && b.dtype === dtype && (b.shape === shape || equalShapes(b.shape, shape)))
          return new Tensor(op, null, none, shape, gives ?? dtype, a, b);
      }
    }
    if (typeof x === "number" && y instanceof Tensor && accepts !== "bool" && isFloat(y.dtype)) {
      const { node: b, shape, dtype } = y;
      return new Tensor(op, null, none, shape, gives ?? dtype, filled(x, shape, dtype), b);
    }
    return aligned(op, accepts, gives, [x, y], []);
  };
  const many = (...operands: Operand[]): Tensor => {
    // One that is missing is refused as others that are no operands.
    if (operands.length < arity) operand(name, undefined, "float32");
    return conditional
      ? aligned(op, accepts, gives, operands.slice(1, arity), [condition(name, operands[0])])
      : aligned(op, accepts, gives, operands.slice(0, arity), []);
  };
  const call = arity === 1 ? one : arity === 2 ? two : many;
  return declare(name, call as Callable as F, op, samples);
}

/** The node of an operand; a number becomes a rank-0 tensor of the dtype that it takes beside `dtype`. */
export function operand(name: string, x: unknown, dtype: DType): Tensor {
  if (x instanceof Tensor) return x.node;
  if (typeof x === "number") return fill(x, [], promoteNumber(x, dtype));
  throw new ValueError(`${name}: takes tensors and numbers, got ${describe(x)}; make one with tensor(...)`);
}

/** The node of an operand that is a tensor and not bool, for compositions. */
export function numeric(name: string, x: unknown): Tensor {
  checkTensor(name, x);
  refuseBool(name, x.dtype, "float32");
  return x.node;
}

/** The same with integers as float32. */
export function floated(name: string, x: unknown): Tensor {
  const a = numeric(name, x);
  return isFloat(a.dtype) ? a : cast(a, "float32");
}

/** Throws unless there is something to choose from along the axes: not a bool, and not empty. */
export function checkChoice(name: string, { shape, dtype }: Tensor, axes: readonly number[]): void {
  refuseBool(name, dtype);
  if (sizeOf(axes.map((i) => shape[i]!)) === 0 && sizeOf(reducedShape(shape, axes)) > 0)
    throw new ValueError(
      `${name}: there is no ${name} of nothing: shape ${formatShape(shape)} has size 0 along axes ${formatShape(axes)}; ` +
        "check for an empty tensor first",
    );
}

/** For functions that choose along one axis, or (without an axis) among all elements in a row: of what, along which axis, and the result's shape. */
export function choice(
  name: string,
  x: Tensor,
  axis: number | undefined,
  options: KeepDims<boolean> | undefined,
): { readonly a: Tensor; readonly along: number; readonly out: Shape } {
  const { keepDims } = optionsOf(name, options, keeping);
  const a = axis === undefined ? reshape(x, [x.size]) : x.node;
  const along = normalizeAxis(name, axis ?? 0, a.shape);
  const axes = normalizeAxes(name, axis, x.shape);
  checkChoice(name, x, axes);
  return { a, along, out: reducedShape(x.shape, axes, keepDims) };
}

/** Throws ValueError unless an option is a number. */
export function checkNumber(name: string, option: string, value: unknown): void {
  if (typeof value !== "number" || Number.isNaN(value))
    throw new ValueError(`${name}: ${option} is ${describe(value)}; give a number`);
}

/** Leaves of rank 0 that were made lately, by a hash of their number. A program uses few numbers again and again. */
class Singles {
  readonly #numbers = new Float64Array(256).fill(Number.NaN);
  readonly #leaves = new Array<Tensor | null>(256).fill(null);

  filled(value: number, dtype: DType): Tensor {
    const place = Math.imul((value * 65536) | 0, 0x9e3779b1) >>> 24;
    const known = this.#leaves[place];
    if (known && this.#numbers[place] === value) return known;
    const made = fill(value, [], dtype);
    // -0 equals 0, and would be found in its place.
    if (value === 0) return made;
    this.#numbers[place] = value;
    this.#leaves[place] = made;
    return made;
  }
}

const singles: Record<DType, Singles> = {
  float32: new Singles(),
  float64: new Singles(),
  int32: new Singles(),
  bool: new Singles(),
};

/** A leaf filled with a number; one of rank 0 can be shared with others. */
function filled(value: number, shape: Shape, dtype: DType): Tensor {
  return shape.length > 0 ? fill(value, shape, dtype) : singles[dtype].filled(value, dtype);
}

function condition(name: string, x: unknown): Tensor {
  const node = operand(name, x, "int32");
  if (node.dtype !== "bool")
    throw new DTypeError(
      `${name}: the condition is ${node.dtype}, not bool; compare it with something, or cast it`,
    );
  return node;
}

/** The application of `op` to operands brought to one dtype and one shape; `fixed` operands come first as they are. */
function aligned(
  op: Op,
  accepts: Accepts,
  gives: DType | undefined,
  operands: readonly unknown[],
  fixed: readonly Tensor[],
): Tensor {
  const { name } = op;
  let dtype: DType = "bool";
  let tensors = 0;
  let shape: Shape = fixed[0]?.shape ?? [];
  for (const x of operands) {
    if (!(x instanceof Tensor)) continue;
    dtype = promote(dtype, x.dtype);
    shape = tensors++ === 0 && fixed.length === 0 ? x.shape : broadcastShapes(name, shape, x.shape);
  }
  const weakest = tensors === 0 ? "float32" : dtype;
  dtype = weakest;
  for (const x of operands) if (typeof x === "number") dtype = promote(dtype, promoteNumber(x, weakest));
  if (!isFloat(dtype) || accepts === "bool") dtype = acceptedDType(name, dtype, accepts, operands);
  const first = fixed.length;
  const inputs = new Array<Tensor>(first + operands.length);
  for (let i = 0; i < first; i++) inputs[i] = stretched(fixed[i]!, shape);
  for (let i = 0; i < operands.length; i++) {
    const x = operands[i];
    inputs[first + i] =
      typeof x === "number"
        ? filled(x, shape, dtype)
        : stretched(cast(operand(name, x, dtype), dtype), shape);
  }
  return new Tensor(op, inputs, none, shape, gives ?? dtype);
}

function accepted(name: string, x: Tensor, accepts: Accepts): Tensor {
  if (isFloat(x.dtype) && accepts !== "bool") return x;
  return cast(x, acceptedDType(name, x.dtype, accepts, [x]));
}

/** The dtype in which an op works on operands that promote to `dtype`. Throws DTypeError if it does not take them. */
function acceptedDType(name: string, dtype: DType, accepts: Accepts, operands: readonly unknown[]): DType {
  if (accepts === "any") return dtype;
  const given = () => formatDTypes(operands.map((x) => (x instanceof Tensor ? x.dtype : "float32")));
  if (accepts === "bool") {
    if (dtype !== "bool")
      throw new DTypeError(`${name}: takes bool, got ${given()}; compare with ne(x, 0) first`);
    return dtype;
  }
  if (dtype === "bool")
    throw new DTypeError(
      `${name}: is arithmetic and takes no bool, got ${given()}; cast to int32 or float32 first`,
    );
  return accepts === "float" && dtype === "int32" ? "float32" : dtype;
}
