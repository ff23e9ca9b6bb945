import type { DType, TypedArray } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import type { Shape } from "./shape.ts";

// One file, since the verdicts on shapes build on each other, and a method and its function are read side by side.

/**
 * The types of the functions on tensors. An op's file names one of them, `export const tanh: Unary = ...`, and both
 * forms follow: the function `tanh(x)` and, by `[chained]`, the method `x.tanh()` (if `ops/methods.ts` lists the file).
 *
 * Shapes are literal as far as they are known: `Tensor<[4, 2]>` times `Tensor<[2, 3]>` is `Tensor<[4, 3]>`. A size that
 * is not known is `number`, a shape of unknown rank is `Shape`; whatever is made from it is unknown in turn and fits
 * everywhere.
 *
 * Type parameters stand for tensors, `X`, and not for their shapes: an element of `[w, b]` has the type of one tensor or the other, from
 * which no one shape could be inferred, while `X` can be that union, and `SizesOf<X>` the union of both shapes. What depends on the
 * sizes of such an `X` is unknown.
 *
 * A function of another type, `(g: Operand, p: Operand) => Tensor`, stays a function only.
 *
 * The file is long because each signature is written twice, as a function and as a method: no type turns the one generic
 * form into the other.
 */

/** Under this key a signature says what it is as a method. It exists in types only. */
declare const chained: unique symbol;

/** The methods that the functions of a module become: those whose type is one of the signatures below. */
export type Methods<Module, Name extends keyof Module = Chained<Module>> = {
  [N in Name]: Module[N] extends { readonly [chained]?: infer Method } ? Method : never;
};

type Chained<Module> = {
  [N in keyof Module]: typeof chained extends keyof Module[N] ? N : never;
}[keyof Module];

// Operands.

/** What an op takes where a number may stand for a tensor. */
export type Operand<S extends Shape = Shape> = Tensor<S> | number;

/**
 * What an operand is intersected with, so that the type checker refuses it with a message of ours. `Verdict` is `"toString"` if the shapes
 * go together: every operand has that property. Else it is the message, and the checker complains that the operand has no property
 * of that name. (It is a mapped type because inside a generic function the verdict is still open: as a key it then counts as its
 * constraint, and the operand is accepted.)
 */
type Fits<Verdict extends string> = { readonly [Name in Verdict]: unknown };

// Elementwise.

/** One tensor in, one of the same shape out. */
export interface Unary {
  <X extends Tensor>(x: X): Tensor<SizesOf<X>>;
  readonly [chained]?: <X extends Tensor>(this: X) => Tensor<SizesOf<X>>;
}

/** Unary with further arguments: `UnaryWith<[slope?: number]>`. */
export interface UnaryWith<Rest extends readonly unknown[]> {
  <X extends Tensor>(x: X, ...rest: Rest): Tensor<SizesOf<X>>;
  readonly [chained]?: <X extends Tensor>(this: X, ...rest: Rest) => Tensor<SizesOf<X>>;
}

/** Two operands that broadcast together; numbers have rank 0. */
export interface Binary {
  <X extends Operand, Y extends Operand>(
    x: X,
    y: Y & Fits<Broadcasts<OperandSizes<X>, OperandSizes<Y>>>,
  ): Tensor<Broadcast<OperandSizes<X>, OperandSizes<Y>>>;
  readonly [chained]?: <X extends Tensor, Y extends Operand>(
    this: X,
    y: Y & Fits<Broadcasts<SizesOf<X>, OperandSizes<Y>>>,
  ) => Tensor<Broadcast<SizesOf<X>, OperandSizes<Y>>>;
}

/** Two operands that broadcast together; the result is bool. */
export type Comparison = Binary;

/** Binary with a second operand that may be left out. */
export interface Heaviside {
  <X extends Tensor, Y extends Operand = number>(
    x: X,
    valueAtZero?: Y,
  ): Tensor<Broadcast<SizesOf<X>, OperandSizes<Y>>>;
  readonly [chained]?: <X extends Tensor, Y extends Operand = number>(
    this: X,
    valueAtZero?: Y,
  ) => Tensor<Broadcast<SizesOf<X>, OperandSizes<Y>>>;
}

/** The elements as another dtype. */
export type Cast = UnaryWith<[dtype: DType]>;

/** Three operands that broadcast together, the second of which may have to be a tensor: `Ternary<Tensor>`. */
export interface Ternary<Second extends Operand = Operand> {
  <X extends Operand, Y extends Second, Z extends Operand>(
    x: X,
    y: Y & Fits<Broadcasts<OperandSizes<X>, OperandSizes<Y>>>,
    z: Z & Fits<Broadcasts<Broadcast<OperandSizes<X>, OperandSizes<Y>>, OperandSizes<Z>>>,
  ): Tensor<Broadcast<Broadcast<OperandSizes<X>, OperandSizes<Y>>, OperandSizes<Z>>>;
  readonly [chained]?: <X extends Tensor, Y extends Second, Z extends Operand>(
    this: X,
    y: Y & Fits<Broadcasts<SizesOf<X>, OperandSizes<Y>>>,
    z: Z & Fits<Broadcasts<Broadcast<SizesOf<X>, OperandSizes<Y>>, OperandSizes<Z>>>,
  ) => Tensor<Broadcast<Broadcast<SizesOf<X>, OperandSizes<Y>>, OperandSizes<Z>>>;
}

/** A tensor kept between two bounds, either of which may be missing. */
export interface Clamp {
  <X extends Tensor, Y extends Operand = number, Z extends Operand = number>(
    x: X,
    min?: Y | null | undefined,
    max?: Z | null | undefined,
  ): Tensor<Broadcast<Broadcast<SizesOf<X>, OperandSizes<Y>>, OperandSizes<Z>>>;
  readonly [chained]?: <X extends Tensor, Y extends Operand = number, Z extends Operand = number>(
    this: X,
    min?: Y | null | undefined,
    max?: Z | null | undefined,
  ) => Tensor<Broadcast<Broadcast<SizesOf<X>, OperandSizes<Y>>, OperandSizes<Z>>>;
}

// Along axes.

/** One axis, several, or none named. */
export type Axes = number | readonly number[] | undefined;

export interface KeepDims<Keep extends boolean> {
  /** Keeps the reduced axes, with size 1. */
  readonly keepDims?: Keep | undefined;
}

/** The elements along `axis` (one or several; all unless given) become one. `Options` adds to `{ keepDims }`. */
export interface Reduction<Options = unknown> {
  <X extends Tensor, const A extends Axes = undefined, K extends boolean = false>(
    x: X,
    axis?: A,
    options?: KeepDims<K> & Options,
  ): Tensor<Reduced<SizesOf<X>, A, K>>;
  readonly [chained]?: <X extends Tensor, const A extends Axes = undefined, K extends boolean = false>(
    this: X,
    axis?: A,
    options?: KeepDims<K> & Options,
  ) => Tensor<Reduced<SizesOf<X>, A, K>>;
}

/** A reduction with an argument before the axis: `ReductionBy<number>` for quantile. */
export interface ReductionBy<Argument, Options = unknown> {
  <X extends Tensor, const A extends Axes = undefined, K extends boolean = false>(
    x: X,
    argument: Argument,
    axis?: A,
    options?: KeepDims<K> & Options,
  ): Tensor<Reduced<SizesOf<X>, A, K>>;
  readonly [chained]?: <X extends Tensor, const A extends Axes = undefined, K extends boolean = false>(
    this: X,
    argument: Argument,
    axis?: A,
    options?: KeepDims<K> & Options,
  ) => Tensor<Reduced<SizesOf<X>, A, K>>;
}

/** A reduction along one axis (or over everything) to an index instead of a value: argmax. */
export interface ArgReduction {
  <X extends Tensor, A extends number | undefined = undefined, K extends boolean = false>(
    x: X,
    axis?: A,
    options?: KeepDims<K>,
  ): Tensor<Reduced<SizesOf<X>, A, K>>;
  readonly [chained]?: <
    X extends Tensor,
    A extends number | undefined = undefined,
    K extends boolean = false,
  >(
    this: X,
    axis?: A,
    options?: KeepDims<K>,
  ) => Tensor<Reduced<SizesOf<X>, A, K>>;
}

/** Along one axis, the shape stays: softmax, cumsum. `AxisFunction<[options?: Options]>` takes more than an axis. */
export interface AxisFunction<Rest extends readonly unknown[] = []> {
  <X extends Tensor>(x: X, axis?: number, ...rest: Rest): Tensor<SizesOf<X>>;
  readonly [chained]?: <X extends Tensor>(this: X, axis?: number, ...rest: Rest) => Tensor<SizesOf<X>>;
}

/** The indices that sort along an axis. */
export type ArgSort = AxisFunction<[options?: SortOptions]>;

// Products.

/** Sums over the last axis of `x` and the last but one of `y`; the axes before broadcast. One axis is a vector. */
export interface Contraction<Name extends string = "matmul"> {
  <X extends Tensor, Y extends Tensor>(
    x: X,
    y: Y & Fits<Multiplies<Name, SizesOf<X>, SizesOf<Y>>>,
  ): Tensor<MatMul<SizesOf<X>, SizesOf<Y>>>;
  readonly [chained]?: <X extends Tensor, Y extends Tensor>(
    this: X,
    y: Y & Fits<Multiplies<Name, SizesOf<X>, SizesOf<Y>>>,
  ) => Tensor<MatMul<SizesOf<X>, SizesOf<Y>>>;
}

/** All products of an element of `x` and one of `y`. */
export interface Outer {
  <X extends Tensor, Y extends Tensor>(x: X, y: Y): Tensor<Joined<SizesOf<X>, SizesOf<Y>>>;
  readonly [chained]?: <X extends Tensor, Y extends Tensor>(
    this: X,
    y: Y,
  ) => Tensor<Joined<SizesOf<X>, SizesOf<Y>>>;
}

/** `x` [..., in], weight [out, in], bias [out]. */
export interface Affine {
  <X extends Tensor, W extends Tensor>(
    x: X,
    weight: W,
    bias?: Tensor,
  ): Tensor<MatMul<SizesOf<X>, Transposed<SizesOf<W>>>>;
  readonly [chained]?: <X extends Tensor, W extends Tensor>(
    this: X,
    weight: W,
    bias?: Tensor,
  ) => Tensor<MatMul<SizesOf<X>, Transposed<SizesOf<W>>>>;
}

// Movement.

/** The elements in another shape; -1 stands for the size that fits. */
export interface Reshape {
  <const T extends Shape>(x: Tensor, shape: T): Tensor<Reshaped<T>>;
  readonly [chained]?: <const T extends Shape>(this: Tensor, shape: T) => Tensor<Reshaped<T>>;
}

/** A target shape as the second argument: broadcasting to it, or summing to it. */
export interface ToShape {
  <const T extends Shape>(x: Tensor, shape: T): Tensor<Literal<T>>;
  readonly [chained]?: <const T extends Shape>(this: Tensor, shape: T) => Tensor<Literal<T>>;
}
export type BroadcastTo = ToShape;
export type SumTo = ToShape;

/** The axes in the order of `axes`. */
export interface Permute {
  <X extends Tensor, const A extends readonly number[]>(x: X, axes: A): Tensor<Permuted<SizesOf<X>, A>>;
  readonly [chained]?: <X extends Tensor, const A extends readonly number[]>(
    this: X,
    axes: A,
  ) => Tensor<Permuted<SizesOf<X>, A>>;
}

/** Two axes change places: the last two unless given. */
export interface Transpose {
  <X extends Tensor, A extends number = -2, B extends number = -1>(
    x: X,
    axisA?: A,
    axisB?: B,
  ): Tensor<Transposed<SizesOf<X>, A, B>>;
  readonly [chained]?: <X extends Tensor, A extends number = -2, B extends number = -1>(
    this: X,
    axisA?: A,
    axisB?: B,
  ) => Tensor<Transposed<SizesOf<X>, A, B>>;
}

/** Axes of size 1 disappear: `axis` (one or several), or all. */
export interface Squeeze {
  <X extends Tensor, const A extends Axes = undefined>(x: X, axis?: A): Tensor<Squeezed<SizesOf<X>, A>>;
  readonly [chained]?: <X extends Tensor, const A extends Axes = undefined>(
    this: X,
    axis?: A,
  ) => Tensor<Squeezed<SizesOf<X>, A>>;
}

/** A new axis of size 1 at place `axis` of the result. */
export interface Unsqueeze {
  <X extends Tensor, A extends number>(x: X, axis: A): Tensor<Inserted<SizesOf<X>, A, 1>>;
  readonly [chained]?: <X extends Tensor, A extends number>(
    this: X,
    axis: A,
  ) => Tensor<Inserted<SizesOf<X>, A, 1>>;
}

/** The same rank, other sizes: `SameRank<[before: readonly number[], after: readonly number[]]>`. */
export interface SameRank<Rest extends readonly unknown[]> {
  <X extends Tensor>(x: X, ...rest: Rest): Tensor<Resized<SizesOf<X>>>;
  readonly [chained]?: <X extends Tensor>(this: X, ...rest: Rest) => Tensor<Resized<SizesOf<X>>>;
}
/** A part of an axis, the first unless given. */
export interface Slice {
  <X extends Tensor, A extends number = 0>(
    x: X,
    start?: number | null,
    end?: number | null,
    options?: SliceOptions<A>,
  ): Tensor<Replaced<SizesOf<X>, A, number>>;
  readonly [chained]?: <X extends Tensor, A extends number = 0>(
    this: X,
    start?: number | null,
    end?: number | null,
    options?: SliceOptions<A>,
  ) => Tensor<Replaced<SizesOf<X>, A, number>>;
}
export interface SliceOptions<A extends number = number> {
  readonly axis?: A | undefined;
  readonly step?: number | undefined;
}
export type Pad = SameRank<
  [widths: number | readonly (readonly [before: number, after: number])[], options?: PadOptions]
>;
export interface PadOptions {
  /** What is in the border: "constant" (the `value`) unless given. */
  readonly mode?: "constant" | "reflect" | "replicate" | "circular" | undefined;
  /** 0 unless given. */
  readonly value?: number | undefined;
}
/** The elements of some axes (all unless given) in reverse. */
export type Flip = UnaryWith<[axis?: number | readonly number[]]>;

/** Any other function of a tensor: `Operation<[sections: number, axis?: number], Tensor[]>`. */
export interface Operation<Rest extends readonly unknown[], Out = Tensor> {
  (x: Tensor, ...rest: Rest): Out;
  readonly [chained]?: (this: Tensor, ...rest: Rest) => Out;
}

// Indexing.

export interface GatherOptions {
  /** Which function errors name, for one that gathers on the way; `gather` unless given. */
  readonly caller?: string | undefined;
}

/** `x` at the places that `index` names along `axis`; the result has the shape of `index`. */
export interface Gather {
  <I extends Tensor>(x: Tensor, axis: number, index: I, options?: GatherOptions): Tensor<SizesOf<I>>;
  readonly [chained]?: <I extends Tensor>(
    this: Tensor,
    axis: number,
    index: I,
    options?: GatherOptions,
  ) => Tensor<SizesOf<I>>;
}

/** The entries along an axis at the places in `index`. */
export interface IndexSelect {
  <X extends Tensor, A extends number>(x: X, axis: A, index: Tensor): Tensor<Replaced<SizesOf<X>, A, number>>;
  readonly [chained]?: <X extends Tensor, A extends number>(
    this: X,
    axis: A,
    index: Tensor,
  ) => Tensor<Replaced<SizesOf<X>, A, number>>;
}

/** `x` with the elements of `source` added at the places that `index` names along `axis`. */
export interface ScatterAdd {
  <X extends Tensor>(x: X, axis: number, index: Tensor, source: Tensor): Tensor<SizesOf<X>>;
  readonly [chained]?: <X extends Tensor>(
    this: X,
    axis: number,
    index: Tensor,
    source: Tensor,
  ) => Tensor<SizesOf<X>>;
}

/** Whole numbers below `classes` as rows with a single 1. */
export interface OneHot {
  <X extends Tensor, N extends number>(x: X, classes: N): Tensor<Joined<SizesOf<X>, [N]>>;
  readonly [chained]?: <X extends Tensor, N extends number>(
    this: X,
    classes: N,
  ) => Tensor<Joined<SizesOf<X>, [N]>>;
}

/** Rows of a table [count, ...features] at the places in `index`. */
export interface Embedding {
  <X extends Tensor, I extends Tensor>(table: X, index: I): Tensor<Joined<SizesOf<I>, Tail<SizesOf<X>>>>;
  readonly [chained]?: <X extends Tensor, I extends Tensor>(
    this: X,
    index: I,
  ) => Tensor<Joined<SizesOf<I>, Tail<SizesOf<X>>>>;
}

// Functions that are no methods.

/** Tensors one after the other along `axis` (0 unless given). */
export type Join = <const T extends readonly Tensor[], A extends number = 0>(
  xs: T,
  axis?: A,
) => Tensor<Replaced<SizesOf<T[0]>, A, number>>;

/** Tensors of one shape along a new axis (0 unless given). */
export type Stack = <const T extends readonly Tensor[], A extends number = 0>(
  xs: T,
  axis?: A,
) => Tensor<Stacked<T, A>>;

/** Parts of `size` entries along an axis (the first unless given), as many as there are, or one for each size of a list. */
export interface Split {
  <X extends Tensor, const N extends number | readonly number[], A extends number = 0>(
    x: X,
    size: N,
    options?: PartOptions<A>,
  ): Parts<SizesOf<X>, N, A>;
  readonly [chained]?: <X extends Tensor, const N extends number | readonly number[], A extends number = 0>(
    this: X,
    size: N,
    options?: PartOptions<A>,
  ) => Parts<SizesOf<X>, N, A>;
}

/** Parts along an axis (the first unless given), `chunks` at the most. */
export interface Chunk {
  <X extends Tensor, A extends number = 0>(
    x: X,
    chunks: number,
    options?: PartOptions<A>,
  ): Parts<SizesOf<X>, number, A>;
  readonly [chained]?: <X extends Tensor, A extends number = 0>(
    this: X,
    chunks: number,
    options?: PartOptions<A>,
  ) => Parts<SizesOf<X>, number, A>;
}

/** The entries along an axis (the first unless given), each without that axis. */
export interface Unbind {
  <X extends Tensor, A extends number = 0>(x: X, axis?: A): Tensor<Reduced<SizesOf<X>, A, false>>[];
  readonly [chained]?: <X extends Tensor, A extends number = 0>(
    this: X,
    axis?: A,
  ) => Tensor<Reduced<SizesOf<X>, A, false>>[];
}

export interface PartOptions<A extends number = number> {
  /** The axis that is cut; 0 unless given. */
  readonly axis?: A | undefined;
}

/** Elements in order, and where along the axis they were. */
export interface Sorted<S extends Shape = Shape> {
  readonly values: Tensor<S>;
  /** int32. */
  readonly indices: Tensor<S>;
}

/** All elements along an axis in order. */
export interface Sort {
  <X extends Tensor>(x: X, axis?: number, options?: SortOptions): Sorted<SizesOf<X>>;
  readonly [chained]?: <X extends Tensor>(
    this: X,
    axis?: number,
    options?: SortOptions,
  ) => Sorted<SizesOf<X>>;
}
export interface SortOptions {
  readonly descending?: boolean | undefined;
}

/** The first `k` along an axis (the last unless given). */
export interface TopK {
  <X extends Tensor, K extends number, A extends number = -1>(
    x: X,
    k: K,
    options?: TopKOptions<A>,
  ): Sorted<Replaced<SizesOf<X>, A, K>>;
  readonly [chained]?: <X extends Tensor, K extends number, A extends number = -1>(
    this: X,
    k: K,
    options?: TopKOptions<A>,
  ) => Sorted<Replaced<SizesOf<X>, A, K>>;
}
export interface TopKOptions<A extends number = number> {
  readonly axis?: A | undefined;
  readonly largest?: boolean | undefined;
}

/** A tensor of the given shape. */
export type Creator = <const S extends Shape>(
  shape: S,
  options?: { readonly dtype?: DType | undefined },
) => Tensor<Literal<S>>;

/** A tensor of the elements of nested arrays. (The usual overload is the last: errors are told of that one.) */
export interface TensorCreator {
  (data: OtherArray, options: { readonly dtype: DType }): Tensor<[number]>;
  <const T extends Nested>(data: T, options?: { readonly dtype?: DType | undefined }): Tensor<ShapeOf<T>>;
}

/** Arrays of numbers for which there is no dtype: the pixels of an image, the samples of a sound. */
export type OtherArray = Int8Array | Uint8ClampedArray | Int16Array | Uint16Array | Uint32Array;

/** What `tensor` takes: numbers or booleans in nested arrays, or a typed array. */
export type Nested = Listed | TypedArray;

/** A number or boolean, or nested arrays of them. */
type Listed = number | boolean | readonly Listed[];

// Shape arithmetic. An axis has two names, one counted from the front ("0") and one from the end ("-2"); it is found by either.

/** Is the rank unknown, or the shape one of several? */
type Unknown<S extends Shape> = number extends S["length"] ? true : Several<S>;

/** Is `S` a union in which no member fits all others? */
type Several<S, All = S> = [S extends unknown ? ([All] extends [S] ? never : S) : never] extends [never]
  ? false
  : true;

/** Sizes of which only the number is known. */
type Resized<S extends Shape> = number extends S["length"] ? Shape : { -readonly [I in keyof S]: number };

/** The sizes of a shape that is written in place: `[4, 2]` rather than `readonly [4, 2]`. */
export type Literal<S extends Shape> = Unknown<S> extends true ? Shape : { -readonly [I in keyof S]: S[I] };

/** The same with `number` for the size that -1 stands for. */
type Reshaped<S extends Shape> =
  Unknown<S> extends true ? Shape : { -readonly [I in keyof S]: S[I] extends -1 ? number : S[I] };

/** The shape of two operands after broadcasting. */
export type Broadcast<S extends Shape, T extends Shape> = T extends readonly []
  ? S
  : (true extends Unknown<S> | Unknown<T> ? Shape : Aligned<S, T>) extends infer Out extends Shape
    ? Out
    : Shape;

type Aligned<S extends Shape, T extends Shape> = S extends readonly [
  ...infer A extends Shape,
  infer X extends number,
]
  ? T extends readonly [...infer B extends Shape, infer Y extends number]
    ? [
        ...Aligned<A, B>,
        // Equal sizes first: of a size that is a type parameter nothing else can be said.
        [X, Y] extends [Y, X] ? X : X extends 1 ? Y : Y extends 1 ? X : number extends X ? Y : X,
      ]
    : S
  : T;

/** The verdict on two operands that have to broadcast together. */
type Broadcasts<S extends Shape, T extends Shape> = true extends Unknown<S> | Unknown<T>
  ? "toString"
  : S extends unknown
    ? T extends unknown
      ? Aligns<S, T>
      : never
    : never;

type Aligns<S extends readonly unknown[], T extends readonly unknown[]> = number extends
  | S["length"]
  | T["length"]
  ? "toString"
  : S extends readonly [...infer A, infer X]
    ? T extends readonly [...infer B, infer Y]
      ? Same<X, Y, 1, `sizes ${Text<X>} and ${Text<Y>} do not broadcast`, Aligns<A, B>>
      : "toString"
    : "toString";

/** `Message` if both sizes are known, different, and neither of them `Except`; otherwise `Next`. */
type Same<X, Y, Except, Message extends string, Next extends string = "toString"> = X extends unknown
  ? Y extends unknown
    ? number extends X | Y
      ? Next
      : X extends Y | Except
        ? Next
        : Y extends Except
          ? Next
          : Message
    : never
  : never;

type Text<X> = X extends number ? `${X}` : "?";

export type MatMul<S extends Shape, T extends Shape> = true extends Unknown<S> | Unknown<T>
  ? Shape
  : S extends readonly [...infer A extends Shape, infer N extends number, unknown]
    ? T extends readonly [...infer B extends Shape, unknown, infer M extends number]
      ? [...Broadcast<A, B>, N, M]
      : [...A, N]
    : T extends readonly [...infer B extends Shape, unknown, infer M extends number]
      ? [...B, M]
      : [];

/** The verdict on two operands of a product. */
type Multiplies<Name extends string, S extends Shape, T extends Shape> = true extends Unknown<S> | Unknown<T>
  ? "toString"
  : S extends unknown
    ? T extends unknown
      ? Contracts<Name, S, T>
      : never
    : never;

type Contracts<
  Name extends string,
  S extends readonly unknown[],
  T extends readonly unknown[],
> = number extends S["length"] | T["length"]
  ? "toString"
  : S extends readonly [...infer A, infer K]
    ? T extends readonly [...infer B, infer L, unknown]
      ? Same<K, L, never, InnerSizes<Name, K, L>, Aligns<Rows<A>, B>>
      : T extends readonly [infer L]
        ? Same<K, L, never, InnerSizes<Name, K, L>>
        : `${Name}: both operands need at least one axis`
    : `${Name}: both operands need at least one axis`;

type InnerSizes<Name extends string, K, L> = `${Name}: inner sizes ${Text<K>} and ${Text<L>} differ`;

/** The batch axes of a left operand whose last axis is gone already. */
type Rows<S extends readonly unknown[]> = S extends readonly [...infer A, unknown] ? A : [];

/** The names of the axes in `A`, `string` if they are not known: one of several numbers is not known either. */
type Names<A extends number | readonly number[]> = [A] extends [number]
  ? true extends Several<A> | (number extends A ? true : false)
    ? string
    : `${A}`
  : A extends readonly number[]
    ? number extends A[number]
      ? [] extends A
        ? A extends readonly []
          ? never
          : string
        : string
      : `${A[number]}`
    : string;

/** Of the axes left in `S` after those in `Done`, is the first one among `Names`? */
type Named<S extends Shape, Names extends string, Done extends Shape> = `${Done["length"]}` extends Names
  ? true
  : `-${S["length"]}` extends Names
    ? true
    : false;

/** The shape without the axes in `A` (all if undefined), or with size 1 there. */
export type Reduced<S extends Shape, A extends Axes, Keep extends boolean> = boolean extends Keep
  ? Shape
  : [A] extends [undefined]
    ? Keep extends true
      ? Unknown<S> extends true
        ? Shape
        : { -readonly [I in keyof S]: 1 }
      : []
    : [A] extends [number | readonly number[]]
      ? Unknown<S> extends true
        ? Shape
        : string extends Names<A>
          ? Keep extends true
            ? Resized<S>
            : Shape
          : Without<S, Names<A>, Keep extends true ? [1] : []>
      : Shape;

type Without<
  S extends Shape,
  Names extends string,
  Left extends Shape,
  Done extends Shape = [],
> = S extends readonly [infer X extends number, ...infer R extends Shape]
  ? [...(Named<S, Names, Done> extends true ? Left : [X]), ...Without<R, Names, Left, [...Done, X]>]
  : [];

/** The size along the axis called `Name`. */
type SizeAt<S extends Shape, Name extends string, Done extends Shape = []> = S extends readonly [
  infer X extends number,
  ...infer R extends Shape,
]
  ? Named<S, Name, Done> extends true
    ? X
    : SizeAt<R, Name, [...Done, X]>
  : number;

export type Permuted<S extends Shape, A extends readonly number[]> =
  Unknown<A> extends true
    ? Resized<S>
    : {
        -readonly [I in keyof A]: true extends Unknown<S> | (string extends Names<A[I]> ? true : false)
          ? number
          : SizeAt<S, Names<A[I]>>;
      };

export type Transposed<S extends Shape, A extends number = -2, B extends number = -1> =
  Unknown<S> extends true
    ? Shape
    : string extends Names<A> | Names<B>
      ? Resized<S>
      : Exchanged<S, S, Names<A>, Names<B>>;

type Exchanged<
  All extends Shape,
  S extends Shape,
  A extends string,
  B extends string,
  Done extends Shape = [],
> = S extends readonly [infer X extends number, ...infer R extends Shape]
  ? [
      Named<S, A, Done> extends true ? SizeAt<All, B> : Named<S, B, Done> extends true ? SizeAt<All, A> : X,
      ...Exchanged<All, R, A, B, [...Done, X]>,
    ]
  : [];

/** The shape with size `N` along `A`. */
type Replaced<S extends Shape, A extends number, N extends number> =
  Unknown<S> extends true ? Shape : string extends Names<A> ? Resized<S> : Without<S, Names<A>, [N]>;

type Squeezed<S extends Shape, A extends Axes> =
  Unknown<S> extends true
    ? Shape
    : [A] extends [undefined]
      ? WithoutOnes<S>
      : [A] extends [number | readonly number[]]
        ? string extends Names<A>
          ? Shape
          : Without<S, Names<A>, []>
        : Shape;

type WithoutOnes<S extends Shape> = number extends S[number]
  ? Shape
  : S extends readonly [infer X extends number, ...infer R extends Shape]
    ? [...(X extends 1 ? [] : [X]), ...(WithoutOnes<R> extends infer Q extends Shape ? Q : [])]
    : [];

/** The shape with a new axis of size `N`, called `A` in the result. */
type Inserted<S extends Shape, A extends number, N extends number> =
  Unknown<S> extends true ? Shape : string extends Names<A> ? Resized<[...S, N]> : InsertedAt<S, Names<A>, N>;

type InsertedAt<S extends Shape, Name extends string, N extends number, Done extends Shape = []> =
  Named<[N, ...S], Name, Done> extends true
    ? [N, ...S]
    : S extends readonly [infer X extends number, ...infer R extends Shape]
      ? [X, ...InsertedAt<R, Name, N, [...Done, X]>]
      : [];

type Tail<S extends Shape> =
  Unknown<S> extends true ? Shape : S extends readonly [unknown, ...infer R extends Shape] ? R : Shape;

export type Joined<S extends Shape, T extends Shape> = true extends Unknown<S> | Unknown<T>
  ? Shape
  : [...S, ...T];

/** The shape of a tensor; for one of several tensors, the union of their shapes. */
export type SizesOf<X> = X extends Tensor<infer S> ? S : Shape;

/** The shape of an operand; numbers have rank 0. */
type OperandSizes<X> = [X] extends [number] ? [] : SizesOf<Exclude<X, number>>;

type Stacked<T extends readonly Tensor[], A extends number> = Inserted<SizesOf<T[0]>, A, T["length"]>;

/** As many tensors as sizes were listed; of one size nobody knows how many. */
export type Parts<
  S extends Shape,
  N extends number | readonly number[],
  A extends number,
> = N extends readonly number[] ? { -readonly [I in keyof N]: Part<S, A, N[I]> } : Part<S, A, number>[];

type Part<S extends Shape, A extends number, N> = Tensor<Replaced<S, A, N extends number ? N : number>>;

/** The shape of nested arrays; unknown where a list may hold both numbers and lists, as those of a tensor of unknown rank do. */
export type ShapeOf<T extends Nested> = Nested extends T
  ? Shape
  : Nests<T> extends infer S extends Shape
    ? Shape extends S
      ? Shape
      : S
    : Shape;

type Nests<T extends Nested> = T extends number | boolean
  ? []
  : T extends TypedArray
    ? [number]
    : T extends readonly [infer X extends Nested, ...Nested[]]
      ? Entries<T["length"], X>
      : T extends readonly []
        ? [0]
        : T extends readonly (infer X extends Nested)[]
          ? Entries<number, X>
          : Shape;

type Entries<N extends number, X extends Nested> = X[] extends (number | boolean)[]
  ? [N]
  : [Extract<X, number | boolean>] extends [never]
    ? Nests<X> extends infer S extends Shape
      ? Unknown<S> extends true
        ? Shape
        : [N, ...S]
      : Shape
    : Shape;
