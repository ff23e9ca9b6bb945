import type { DType, TypedArray } from "../dtype.ts";
import { allocate, checkDType, copyOf, dtypeOf } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import { pow } from "../functions/power.ts";
import type { Op } from "../graph.ts";
import { setElements, Tensor } from "../graph.ts";
import { machineOfTwo } from "../machine.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { checkShape, checkWhole, formatShape, numbers, ownShape, shown, sizeOf } from "../shape.ts";
import type { Creator, Literal, Nested, OtherArray, SizesOf, TensorCreator } from "../signature.ts";

// All that makes a tensor of numbers is one file: each is a few lines, and twice as many that say what it takes and throws.

type LeafAttributes = { readonly shape: Shape; readonly dtype: DType };
type FillAttributes = LeafAttributes & { readonly value: number };

export function leaf<A extends LeafAttributes>(name: string, source: "data" | "fill" | "iota"): Op<A> {
  return {
    name,
    kernel: { kind: "leaf", source },
    derivatives: [],
    shape: (_, { shape }) => shape,
    dtype: (_, { dtype }) => dtype,
  };
}

const dataOp = leaf("data", "data");
/** What a `stopGradient` is once it holds its elements. */
export const stoppedOp: Op = leaf("stopGradient", "data");
const fillOp = leaf<FillAttributes>("fill", "fill");
const iotaOp = leaf("iota", "iota");

/** A leaf that holds `data` itself: for arrays that nobody else will write to. */
export function fromElements(data: TypedArray, shape: Shape): Tensor {
  const dtype = dtypeOf(data);
  const x = new Tensor(dataOp, null, { shape, dtype }, shape, dtype);
  setElements(x, data);
  return x;
}

/** A leaf without elements: it stands for something that is put in its place later. */
export function placeholder(shape: Shape, dtype: DType): Tensor {
  return new Tensor(dataOp, null, { shape, dtype }, shape, dtype);
}

/** The message for a leaf without elements, where they are needed. */
export function withoutValue({ label, shape }: Tensor): string {
  return (
    `${label ?? "a leaf"} of shape ${formatShape(shape)} has no value: it was made while compile or vmap was tracing, and is to be ` +
    "returned from the function, or stands for a tangent in a derivative rule that is not linear in it"
  );
}

/** A leaf whose elements all equal `value`. */
export function fill(value: number, shape: Shape, dtype: DType): Tensor {
  return new Tensor(
    fillOp,
    null,
    { value: dtype === "float32" ? Math.fround(value) : value, shape, dtype },
    shape,
    dtype,
  );
}

/** The int32 numbers 0, 1, 2, ... row by row. */
export function iota(shape: Shape): Tensor {
  return new Tensor(iotaOp, null, { shape, dtype: "int32" }, shape, "int32");
}

export interface CreateOptions {
  readonly dtype?: DType | undefined;
}

const creating: Known<CreateOptions> = { dtype: true };

/** The dtype that the options ask for, or the `usual` one. */
function dtypeIn<D extends DType | undefined>(
  name: string,
  options: CreateOptions | undefined,
  usual: D,
): DType | D {
  const { dtype } = optionsOf(name, options, creating);
  if (dtype === undefined) return usual;
  checkDType(name, dtype);
  return dtype;
}

/**
 * A tensor with the elements of nested arrays or of a typed array, which are copied.
 *
 * Numbers become float32 and booleans bool unless `dtype` says otherwise; typed arrays keep their dtype
 * (`Float32Array`, `Float64Array`, `Int32Array`; `Uint8Array` of 0 and 1 is bool), others need a `dtype`. Throws ShapeError if rows differ
 * in length, ValueError for anything that is not a number or boolean and for other bytes without `dtype`, and DTypeError for other arrays without `dtype`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * tensor([[1, 2], [3, 4]]).shape; // => 2,2
 * tensor(Uint8ClampedArray.of(0, 255), { dtype: "float32" }).div(255).toArray(); // => 0,1
 * ```
 */
export const tensor: TensorCreator = (data: Nested | OtherArray, options?: CreateOptions): Tensor => {
  const asked = dtypeIn("tensor", options, undefined);
  if (ArrayBuffer.isView(data))
    return fromElements(asked ? copyAs(data, asked) : ownElements("tensor", data), [data.length]);
  const flat: (number | boolean)[] = [];
  const shape = flatten(data, [], flat);
  const dtype = asked ?? (flat.length > 0 && flat.every((x) => typeof x === "boolean") ? "bool" : "float32");
  const array = allocate(dtype, flat.length);
  for (let i = 0; i < flat.length; i++) array[i] = element("tensor", flat[i]!, dtype);
  return fromElements(array, shape);
};

/** Throws ValueError for bytes that are not 0 or 1: a Uint8Array is bool. */
export function checkBytes(name: string, data: ArrayLike<number> & ArrayBufferView): void {
  if (dtypeOf(data, name) === "bool")
    for (let i = 0; i < data.length; i++)
      if (data[i]! > 1)
        throw new ValueError(
          `${name}: a Uint8Array is bool, and element ${i} is ${data[i]}; tensor(x, { dtype: "float32" }) takes numbers`,
        );
}

/** The elements of `data` as they are, in a new array. Throws ValueError for bytes that are not 0 or 1. */
function ownElements(name: string, data: ArrayLike<number> & ArrayBufferView): TypedArray {
  checkBytes(name, data);
  // It has a dtype, so it is one of ours.
  return copyOf(data as TypedArray);
}

/** The elements of `data` converted to `dtype`, always in a new array. */
function copyAs(data: ArrayLike<number>, dtype: DType): TypedArray {
  const out = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = element("tensor", data[i]!, dtype);
  return out;
}

/** `x` as an element of `dtype`. Throws ValueError unless it is one: `name` says who was given it. */
export function element(name: string, x: number | boolean, dtype: DType): number {
  const value = Number(x);
  if (dtype === "bool") return value === 0 ? 0 : 1;
  if (dtype === "int32" && value !== (value | 0))
    throw new ValueError(
      `${name}: ${value} is not an int32; whole numbers of up to 31 bits are, or take dtype "float32"`,
    );
  return value;
}

/** Appends the elements of nested arrays to `flat` and returns their shape. */
function flatten(data: unknown, at: readonly number[], flat: (number | boolean)[]): number[] {
  if (typeof data === "number" || typeof data === "boolean") {
    flat.push(data);
    return [];
  }
  const place = at.length > 0 ? ` at [${at.join("][")}]` : "";
  if (!Array.isArray(data))
    throw new ValueError(
      `tensor: elements are numbers or booleans, got ${describe(data)}${place}` +
        (data instanceof Tensor ? "; keep it, or stack them" : ""),
    );
  let inner: number[] | null = null;
  // By number: `forEach` passes over holes.
  for (let i = 0; i < data.length; i++) {
    const shape = flatten(data[i], [...at, i], flat);
    if (inner !== null && formatShape(inner) !== formatShape(shape))
      throw new ShapeError(
        `tensor: rows differ in shape: entry [${[...at, 0].join("][")}] is ${formatShape(inner)} and entry ` +
          `[${[...at, i].join("][")}] is ${formatShape(shape)}; make them equally long`,
      );
    inner ??= shape;
  }
  return [data.length, ...(inner ?? [])];
}

/** `a string`, `null`, `a Date`: what was given, for messages. */
export function describe(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (typeof x === "object" && numbers.has(x)) return shown(x);
  if (typeof x === "object" && isForeign(x))
    return "a tensor of another copy of @cotangent/autograd, which is loaded twice";
  const kind = typeof x === "object" ? x.constructor?.name || "object" : typeof x;
  return `${/^[aeiou]/i.test(kind) ? "an" : "a"} ${kind === "Object" ? "object" : kind}`;
}

/** Is it a tensor of another copy of this library? */
export function isForeign(x: object): boolean {
  return "op" in x && "dtype" in x && typeof x.dtype === "string" && !(x instanceof Tensor);
}

/** Throws ValueError unless `x` is a tensor. */
export function checkTensor(name: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor))
    throw new ValueError(`${name}: takes a tensor, got ${describe(x)}; make one with tensor(...)`);
}

/**
 * A tensor without axes that holds one number.
 *
 * @example
 * ```ts
 * import { scalar } from "@cotangent/autograd";
 * scalar(2).mul(3).item(); // => 6
 * ```
 */
export function scalar(value: number, options?: CreateOptions): Tensor<[]> {
  if (typeof value !== "number") throw new ValueError(`scalar: takes a number, got ${describe(value)}`);
  const dtype = dtypeIn("scalar", options, "float32");
  return fromElements(copyAs(Float64Array.of(value), dtype), []);
}

function filled(name: string, value: number): Creator {
  return (shape, options?: CreateOptions) => {
    return fill(value, ownShape(name, shape), dtypeIn(name, options, "float32"));
  };
}

/** A tensor of zeros of `shape`, float32 unless `dtype` says otherwise. */
export const zeros: Creator = filled("zeros", 0);

/** A tensor of ones of `shape`, float32 unless `dtype` says otherwise. */
export const ones: Creator = filled("ones", 1);

/** A tensor of `shape` whose elements all equal `value`, float32 unless `dtype` says otherwise. */
export function full<const S extends Shape>(
  shape: S,
  value: number,
  options?: CreateOptions,
): Tensor<Literal<S>> {
  const own = ownShape("full", shape);
  const dtype = dtypeIn("full", options, "float32");
  return fill(checkedElement("full", value, dtype), own, dtype);
}

/** Zeros of the shape and dtype of `x`. */
export function zerosLike<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
  checkTensor("zerosLike", x);
  return fill(0, x.shape, x.dtype);
}

/** Ones of the shape and dtype of `x`. */
export function onesLike<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
  checkTensor("onesLike", x);
  return fill(1, x.shape, x.dtype);
}

/** A tensor of the shape and dtype of `x` whose elements all equal `value`. */
export function fullLike<X extends Tensor>(x: X, value: number): Tensor<SizesOf<X>> {
  checkTensor("fullLike", x);
  return fill(checkedElement("fullLike", value, x.dtype), x.shape, x.dtype);
}

/** `value` as an element; throws ValueError unless it is a number. */
function checkedElement(name: string, value: unknown, dtype: DType): number {
  if (typeof value !== "number")
    throw new ValueError(`${name}: the value is a number, got ${describe(value)}`);
  return element(name, value, dtype);
}

/** The `n` x `m` matrix with ones on its diagonal (`m` is `n` unless given). */
export function eye<N extends number, M extends number = N>(
  n: N,
  m?: M,
  options?: CreateOptions,
): Tensor<[N, M]>;
// The usual overload is the last, here and below: errors are told of that one.
export function eye<N extends number>(n: N, options?: CreateOptions): Tensor<[N, N]>;
export function eye(
  n: number,
  columns?: number | CreateOptions,
  options?: CreateOptions,
): Tensor<[number, number]> {
  const [m, given] = typeof columns === "object" ? [n, columns] : [columns ?? n, options];
  checkShape("eye", [n, m]);
  const dtype = dtypeIn("eye", given, "float32");
  const out = allocate(dtype, n * m);
  for (let i = 0; i < Math.min(n, m); i++) out[i * m + i] = 1;
  return fromElements(out, [n, m]);
}

/** Numbers from `start` (0 unless given) up to but not including `end` in steps of `step`: int32 when all three are whole. */
export function arange(start: number, end?: number, step?: number, options?: CreateOptions): Tensor<[number]>;
export function arange(start: number, end: number, options?: CreateOptions): Tensor<[number]>;
export function arange(end: number, options?: CreateOptions): Tensor<[number]>;
export function arange(
  start: number,
  end?: number | CreateOptions,
  step: number | CreateOptions = 1,
  options?: CreateOptions,
): Tensor<[number]> {
  if (typeof end === "object") return arange(0, start, 1, end);
  if (typeof step === "object") return arange(start, end, 1, step);
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (![from, to, step].every(Number.isFinite) || step === 0)
    throw new ValueError(`arange: needs finite bounds and a step other than 0, got ${from}, ${to}, ${step}`);
  const dtype = dtypeIn("arange", options, [from, to, step].every(Number.isInteger) ? "int32" : "float32");
  const count = Math.max(0, Math.ceil((to - from) / step));
  checkShape("arange", [count]);
  const out = allocate(dtype, count);
  for (let i = 0; i < count; i++) out[i] = from + i * step;
  return fromElements(out, [count]);
}

/** `count` evenly spaced numbers from `start` to `end`, both included. */
export function linspace<N extends number>(
  start: number,
  end: number,
  count: N,
  options?: CreateOptions,
): Tensor<[N]> {
  checkWhole("linspace", "count", count, 0);
  checkShape("linspace", [count]);
  const dtype = dtypeIn("linspace", options, "float32");
  if (dtype === "int32" || dtype === "bool")
    throw new DTypeError(`linspace: ${dtype} cannot hold fractions; use float32 or float64`);
  const out = allocate(dtype, count);
  for (let i = 0; i < count; i++) out[i] = count === 1 ? start : start + ((end - start) * i) / (count - 1);
  return fromElements(out, [count]);
}

interface LogspaceOptions extends CreateOptions {
  /** What is raised to the powers; 10 unless given. */
  readonly base?: number | undefined;
}

/**
 * `count` powers of `base` whose exponents are evenly spaced from `start` to `end`, both included.
 *
 * @example
 * ```ts
 * import { logspace } from "@cotangent/autograd";
 * logspace(0, 2, 3).toArray(); // => 1,10,100
 * ```
 */
export function logspace<N extends number>(
  start: number,
  end: number,
  count: N,
  options?: LogspaceOptions,
): Tensor<[N]> {
  const { base = 10, dtype = "float32" } = optionsOf("logspace", options, { ...creating, base: true });
  checkWhole("logspace", "count", count, 0);
  checkShape("logspace", [count]);
  checkDType("logspace", dtype);
  if (dtype === "int32" || dtype === "bool")
    throw new DTypeError(`logspace: ${dtype} cannot hold fractions; use float32 or float64`);
  const exponents = new Float64Array(count);
  for (let i = 0; i < count; i++)
    exponents[i] = count === 1 ? start : start + ((end - start) * i) / (count - 1);
  const bases = new Float64Array(count).fill(base);
  const out = allocate(dtype, count);
  // By our own power function: JavaScript's gives other last digits on other engines.
  machineOfTwo(pow, "float64").run([bases, exponents], count, out);
  return fromElements(out, [count]);
}

/**
 * A tensor of `shape` with a copy of the elements of `data`. Throws ShapeError if their number does not fit, DTypeError if there is
 * no dtype for such an array, and ValueError for bytes that are not 0 or 1: a Uint8Array is bool.
 */
export function fromTypedArray<const S extends Shape>(data: TypedArray, shape: S): Tensor<Literal<S>> {
  const own = ownShape("fromTypedArray", shape);
  if (!ArrayBuffer.isView(data))
    throw new ValueError(`fromTypedArray: takes a typed array, got ${describe(data)}`);
  if (data.length !== sizeOf(shape))
    throw new ShapeError(
      `fromTypedArray: ${data.length} elements do not fill shape ${formatShape(shape)}, which has ${sizeOf(shape)}`,
    );
  return fromElements(ownElements("fromTypedArray", data), own);
}
