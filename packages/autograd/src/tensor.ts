import { reverse } from "./differentiate.ts";
import type { TypedArray } from "./dtype.ts";
import { allocate, copyOf, isFloat } from "./dtype.ts";
import { CompileError, GradientError, pointToCaller, ShapeError, ValueError } from "./errors.ts";
import { evaluate, isTracing, notANumber } from "./evaluate.ts";
import { elementsOf, ownerOf, setReader, Tensor } from "./graph.ts";
import { printTensor } from "./inspect/print.ts";
import { stopGradient, stopOp } from "./ops/composed.ts";
import { checkTensor, describe, fromElements, onesLike } from "./ops/leaf.ts";
import { add } from "./ops/pointwise.ts";
import { optionsOf } from "./options.ts";
import type { Shape } from "./shape.ts";
import { checkList, formatShape } from "./shape.ts";
import type { SizesOf } from "./signature.ts";
import { topology } from "./topology.ts";
import { checkCotangent } from "./transform/gradient.ts";
import { Variable } from "./variable.ts";

/** The elements as nested arrays: a number for rank 0, `number[]` for rank 1, and so on. */
export type NestedArray = number | boolean | NestedArray[];

/** The nested arrays of a tensor of shape `S`: `E` for rank 0, `E[]` for rank 1, and so on. `S` is compared as in `Sizes`. */
export type ArrayOf<S extends Shape, E extends number | boolean> = S extends infer T extends Shape
  ? Nesting<T, E>
  : never;

type Nesting<S extends Shape, E> = number extends S["length"]
  ? NestedArray
  : S extends readonly [number, ...infer Rest extends Shape]
    ? Nesting<Rest, E>[]
    : E;

export interface BackwardOptions {
  readonly cotangent?: Tensor | undefined;
  /** The variables whose `grad` is wanted; those of a part that is frozen cost nothing then. All unless given. */
  readonly inputs?: readonly Variable[] | undefined;
}

/** Reading: what a tensor computes when it is asked for numbers. The ops as methods are in `chaining.ts`. */
declare module "./graph.ts" {
  interface Tensor<S extends Shape = Shape> {
    /**
     * The one element as a number. Computes it if need be, together with pending updates. Throws ShapeError if there are
     * more elements or none.
     */
    item(): number;
    /**
     * The elements as nested arrays, a number for rank 0; bool gives booleans. Computes them if need be. Types do not know the
     * dtype: where numbers are wanted they are taken for numbers, and elsewhere `toArray<number>()` says so.
     */
    toArray<E extends number | boolean = number | boolean>(): ArrayOf<S, E>;
    /** A copy of the elements row by row. Computes them if need be. */
    toTypedArray(): TypedArray;
    /** The elements as NumPy prints them, with four decimals. Computes them if need be. */
    toString(): string;
    toJSON(): NestedArray;
    /**
     * Adds the derivative of this tensor by every variable that it was built on, or by those of the `inputs`, to the variable's
     * `grad`. A tensor of more than one element needs the `cotangent` of its shape to weigh its elements with; it may be given
     * alone. Throws GradientError if that is missing, if this tensor is int32 or bool, or if it was built on no such variable;
     * ValueError for inputs that are no variables.
     */
    backward(options?: Tensor | BackwardOptions): void;
    /**
     * The same elements without history: derivatives end here, and what it was computed from is let go of as soon as it is read.
     * Another name for `stopGradient`.
     */
    detach<X extends Tensor>(this: X): Tensor<SizesOf<X>>;
    [Symbol.toPrimitive](hint: string): string;
  }
}

/** Adds methods that are not enumerable, as those of a class are. */
function install(methods: object): void {
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(methods)))
    Object.defineProperty(Tensor.prototype, key, { ...descriptor, enumerable: false });
  for (const key of Object.getOwnPropertySymbols(methods))
    Object.defineProperty(Tensor.prototype, key, {
      ...Object.getOwnPropertyDescriptor(methods, key),
      enumerable: false,
    });
}

function readElements(x: Tensor): TypedArray {
  const node = x.node;
  if (!isTracing()) {
    const known = elementsOf(node);
    if (known) return known;
  }
  return evaluate([node])[0]!;
}

setReader((x, caller) => {
  if (isTracing())
    throw new CompileError(
      `${caller}: the shape of its result depends on values, and there are no values while a function is traced; ` +
        "call it outside and pass the result in, or keep the shape and use where()",
    );
  return readElements(x);
});

install({
  item(this: Tensor): number {
    if (this.size !== 1)
      throw new ShapeError(
        `item: reads one element, and shape ${formatShape(this.shape)} has ${this.size}; use toArray(), or reduce first`,
      );
    return readElements(this)[0]!;
  },
  toArray(this: Tensor): NestedArray {
    return nest(readElements(this), this.shape, this.dtype === "bool");
  },
  toTypedArray(this: Tensor): TypedArray {
    return copyOf(readElements(this));
  },
  toString(this: Tensor): string {
    return printTensor(readElements(this), this.shape, this.dtype, kindOf(this));
  },
  toJSON(this: Tensor): NestedArray {
    return this.toArray();
  },
  backward(this: Tensor, options?: Tensor | BackwardOptions): void {
    backward(this, options);
  },
  detach(this: Tensor): Tensor {
    return stopGradient(this);
  },
  [Symbol.toPrimitive](this: Tensor, hint: string): string {
    if (hint === "string") return this.toString();
    const error =
      notANumber(this) ??
      new TypeError(
        "a tensor is not a number, and operators do not work on it; use .add, .mul, .lt ... or read one number with .item()",
      );
    pointToCaller(error);
    throw error;
  },
  // What console.log and util.inspect call in Node, Deno and Bun.
  [Symbol.for("nodejs.util.inspect.custom")](this: Tensor): string {
    return describeTensor(this);
  },
  [Symbol.for("Deno.customInspect")](this: Tensor): string {
    return describeTensor(this);
  },
});

/** For the console, which must not throw: while tracing there are no elements to show. */
function describeTensor(x: Tensor): string {
  const prefix = kindOf(x);
  const name = x.label === null ? "" : `${x.label} = `;
  if (isTracing() && !elementsOf(x.node))
    return `${name}${prefix}(traced, shape ${formatShape(x.shape)}, ${x.dtype})`;
  return printTensor(readElements(x), x.shape, x.dtype, name + prefix);
}

const kindOf = (x: Tensor): string => (x instanceof Variable ? "Variable" : "Tensor");

function nest(data: TypedArray, shape: Shape, bool: boolean, axis = 0, start = 0): NestedArray {
  if (axis === shape.length) return bool ? data[start] !== 0 : data[start]!;
  let stride = 1;
  for (let i = axis + 1; i < shape.length; i++) stride *= shape[i]!;
  return Array.from({ length: shape[axis]! }, (_, i) =>
    nest(data, shape, bool, axis + 1, start + i * stride),
  );
}

const isStopped = ({ op }: Tensor): boolean => op === stopOp;

function backward(y: Tensor, options?: Tensor | BackwardOptions): void {
  const given = options instanceof Tensor ? { cotangent: options } : options;
  const { cotangent, inputs } = optionsOf("backward", given, { cotangent: true, inputs: true });
  const out = y.node;
  if (!isFloat(out.dtype))
    throw new GradientError(`backward: ${out.dtype} has no derivatives; only float32 and float64 have`);
  if (cotangent === undefined && out.size !== 1)
    throw new GradientError(
      `backward: shape ${formatShape(out.shape)} is not a single number; reduce it with sum() or mean(), or pass a cotangent ` +
        "of that shape",
    );
  if (cotangent !== undefined) checkCotangent("backward", cotangent, out);
  const wanted = inputs && new Set(checkVariables(inputs));
  const variables = new Set<Variable>();
  for (const node of topology([out], isStopped).nodes) {
    const owner = ownerOf(node);
    if (!(owner instanceof Variable) || !owner.takesGrad || !isFloat(owner.dtype)) continue;
    if (!wanted || wanted.has(owner)) variables.add(owner);
  }
  const targets = [...variables];
  if (targets.length === 0)
    throw new GradientError(
      `backward: this tensor is built on ${wanted ? "none of the inputs" : "no float variable"}, or detached from it, as what a ` +
        "compiled function returns is; make parameters with variable(...)",
    );
  const gradients = reverse([out], [cotangent?.node ?? onesLike(out)], targets, undefined, "backward");
  const before = targets.flatMap(({ grad }, i) => (grad && gradients[i] ? [grad] : []));
  // All at once: one by one would be a program each.
  if (before.length > 0 && !isTracing()) evaluate(before);
  targets.forEach((target, i) => {
    const g = gradients[i];
    if (g) target.grad = target.grad === null ? g : accumulated(target.grad, g);
  });
}

function checkVariables(inputs: readonly Variable[]): readonly Variable[] {
  checkList("backward", inputs, "[w]");
  inputs.forEach((x, i) => {
    if (!(x instanceof Variable))
      throw new ValueError(
        `backward: input ${i} is ${describe(x)} and no variable; grad(y, [x]) takes tensors`,
      );
  });
  return inputs;
}

/** Keeps the history of `grad` bounded: what was there before is computed, and added as elements without a history. */
function accumulated(before: Tensor, g: Tensor): Tensor {
  if (isTracing()) return add(stopGradient(before), g);
  const [elements] = evaluate([before]);
  return add(fromElements(elements!, before.shape), g);
}

/**
 * A copy of the elements of `x` row by row if they are there without computing anything, else null: for checks of arguments, which must not
 * compute, and go inside `compile` and `vmap` too.
 *
 * @example
 * ```ts
 * import { knownElements, neg, tensor } from "@cotangent/autograd";
 * knownElements(tensor([1, 2])); // => Float32Array(2) [ 1, 2 ]
 * knownElements(neg(tensor([1, 2]))); // => null
 * ```
 */
export function knownElements(x: Tensor): TypedArray | null {
  checkTensor("knownElements", x);
  const { node } = x;
  const elements = elementsOf(node);
  if (elements) return copyOf(elements);
  const { kernel } = node.op;
  if (kernel.kind !== "leaf" || kernel.source !== "fill") return null;
  return allocate(node.dtype, node.size).fill(Number(node.attributes.value));
}

/** Computes several tensors at once, so that what they share is computed once; reading them then costs nothing. */
export function evaluateAll(...tensors: readonly Tensor[]): void {
  for (const x of tensors) checkTensor("evaluate(a, b)", x);
  evaluate(tensors);
}
