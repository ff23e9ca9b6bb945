import { forward, reverse } from "../differentiate.ts";
import { allocate } from "../dtype.ts";
import { GradientError, ValueError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { inlined } from "../inlining.ts";
import { identity } from "../ops/composed.ts";
import { stack } from "../ops/join.ts";
import { describe, fill, fromElements, onesLike, zerosLike } from "../ops/leaf.ts";
import { reshape } from "../ops/movement.ts";
import type { Known } from "../options.ts";
import { checkFunction, optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { equalShapes, formatShape } from "../shape.ts";
import type { Joined, SizesOf } from "../signature.ts";
import type { Flow, Like } from "../tree.ts";
import { leavesLike, leavesOf, mapTree, unflattenTree } from "../tree.ts";
import { checkCotangent, checkFloat, checkFlow } from "./gradient.ts";

/** Transforms of functions: each takes a function of tensors and returns one. Derivatives are by the first argument. */

/** What `f` returns for the first argument as fresh nodes, so that only what `f` does with them counts. */
function trace<P, R extends readonly unknown[], Y>(name: string, f: (x: P, ...rest: R) => Y, x: P, rest: R) {
  checkTree(`${name}: the input`, x, "scalar(3) makes one of a number, tensor([1, 2]) of an array");
  const inputs = mapTree(x, (leaf, path) => {
    checkFloat(name, path === "" ? "the input" : `input ${path}`, leaf);
    return identity(leaf);
  });
  const result = inlined(() => f(inputs as P, ...rest));
  return { result, inputs: leavesOf(inputs) };
}

/** The same for a function that returns one tensor. */
function call<P, R extends readonly unknown[]>(name: string, f: (x: P, ...rest: R) => Tensor, x: P, rest: R) {
  const { result, inputs } = trace(name, f, x, rest);
  return { y: single(name, result), inputs };
}

/** The node of what a function returned. Throws ValueError or GradientError unless it is a float tensor. */
function single(name: string, y: unknown): Tensor {
  if (!(y instanceof Tensor))
    throw new ValueError(
      `${name}: the result is ${describe(y)} and no tensor; the function has to return one, such as a sum, or several joined by cat`,
    );
  checkFloat(name, "the result", y);
  return y.node;
}

/** The same for a function that may return a tree, with the nodes of its leaves. */
function callTree<P, R extends readonly unknown[], Y>(
  name: string,
  f: (x: P, ...rest: R) => Y,
  x: P,
  rest: R,
) {
  const { result, inputs } = trace(name, f, x, rest);
  checkTree(`${name}: the result`, result, "the function has to return tensors");
  const nodes = mapTree(result, (leaf, path) => {
    checkFloat(name, path === "" ? "the result" : `result ${path}`, leaf);
    return leaf.node;
  });
  return { value: nodes as Y, outputs: leavesOf(nodes), inputs };
}

/** Throws ValueError unless `x`, which is called `what`, is a tree of tensors. */
function checkTree(what: string, x: unknown, remedy: string): void {
  try {
    leavesOf(x);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(`${what} is neither a tensor nor a tree of them: ${error.message}; ${remedy}`);
  }
}

/** Throws ValueError unless `x` is one tensor: of a tree there would be a block for each pair of leaves. */
function checkOne(name: string, x: unknown): void {
  if (!(x instanceof Tensor))
    throw new ValueError(
      `${name}: the first argument is one tensor, which derivatives are by, got ${describe(x)}; pass others after it, as in ` +
        `${name}(f)(a, b), or take vjp, jvp or hvp, which take trees`,
    );
}

function checkSingle(name: string, y: Tensor): void {
  if (y.size !== 1)
    throw new GradientError(
      `${name}: the function returned shape ${formatShape(y.shape)}, not one element; reduce it with sum() or mean(), or use vjp or jacobian`,
    );
}

export interface ValueAndGradOptions {
  /** Does the function return a pair, of which the first is differentiated and the second anything else that it has to tell? */
  readonly hasAux?: boolean | undefined;
}

const returning: Known<ValueAndGradOptions> = { hasAux: "boolean" };

/**
 * `valueAndGrad(f)(x, ...rest)` is the value of `f` and its derivative by `x`, a tensor or a tree of tensors, in the form of
 * `x`. With `hasAux` the function returns `[loss, aux]`, and so does the value: for predictions, statistics, or the next state.
 * Throws GradientError if `f` returns more than one element, ValueError for other options and, with `hasAux`, if it returns no pair.
 *
 * @example
 * ```ts
 * import { type Tensor, tensor, valueAndGrad } from "@cotangent/autograd";
 * const f = (x: Tensor) => x.square().sum();
 * const [value, gradient] = valueAndGrad(f)(tensor([1, 2]));
 * gradient.toArray(); // => 2,4
 * const g = (x: Tensor) => [f(x), { largest: x.max() }] as const;
 * const [[loss, { largest }]] = valueAndGrad(g, { hasAux: true })(tensor([1, 2]));
 * largest.item(); // => 2
 * ```
 */
export function valueAndGrad<
  P = Tensor,
  R extends readonly unknown[] = Tensor[],
  L extends Tensor = Tensor,
  A = unknown,
>(
  f: (x: P, ...rest: R) => readonly [loss: L, aux: A],
  options: ValueAndGradOptions & { readonly hasAux: true },
): (x: P, ...rest: R) => [value: [loss: Like<L>, aux: A], gradient: Like<P>];
export function valueAndGrad<P = Tensor, R extends readonly unknown[] = Tensor[], L extends Tensor = Tensor>(
  f: (x: P, ...rest: R) => L,
  options?: ValueAndGradOptions & { readonly hasAux?: false | undefined },
): (x: P, ...rest: R) => [value: Like<L>, gradient: Like<P>];
export function valueAndGrad<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Tensor | readonly [Tensor, unknown],
  options?: ValueAndGradOptions,
): (x: P, ...rest: R) => [value: unknown, gradient: Like<P>] {
  checkFunction("valueAndGrad", f);
  const { hasAux = false } = optionsOf("valueAndGrad", options, returning);
  if (!hasAux) return (x, ...rest) => both("valueAndGrad", f as (x: P, ...rest: R) => Tensor, x, rest);
  return (x, ...rest) => {
    let aux: unknown;
    const loss = (z: P, ...others: R): Tensor => {
      const result = f(z, ...others);
      if (!Array.isArray(result) || result.length !== 2)
        throw new ValueError(
          `valueAndGrad: with hasAux the function has to return a pair [loss, aux], got ${describe(result)}`,
        );
      aux = result[1];
      return result[0];
    };
    const [value, gradient] = both("valueAndGrad", loss, x, rest);
    return [[value, aux], gradient];
  };
}

/** Both, for the function `name`. */
function both<P, R extends readonly unknown[]>(
  name: string,
  f: (x: P, ...rest: R) => Tensor,
  x: P,
  rest: R,
): [value: Tensor, gradient: Like<P>] {
  const { y, inputs } = call(name, f, x, rest);
  checkSingle(name, y);
  return [y, pulled([y], [onesLike(y)], x, inputs)];
}

/** What flows back to the inputs, in the form of `x`. */
function pulled<P>(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  x: P,
  inputs: readonly Tensor[],
): Like<P> {
  const found = reverse(outputs, cotangents, inputs);
  return unflattenTree(
    x,
    found.map((g, i) => g ?? zerosLike(inputs[i]!)),
  );
}

/**
 * Reverse mode: `vjp(f)(x, ...rest)` is the value of `f`, a tensor or a tree of tensors, and the function that pulls a cotangent of the
 * value's form, shapes and dtypes back to one in the form of `x`.
 */
export function vjp<P = Tensor, R extends readonly unknown[] = Tensor[], Y = Tensor>(
  f: (x: P, ...rest: R) => Y,
): (x: P, ...rest: R) => [value: Like<Y>, pullback: (g: Flow<Y>) => Like<P>] {
  checkFunction("vjp", f);
  return (x, ...rest) => {
    const { value, outputs, inputs } = callTree("vjp", f, x, rest);
    const pullback = (g: Flow<Y>) => {
      const cotangents = leavesLike(value, g, "vjp: the cotangent", "the value");
      cotangents.forEach((cotangent, i) => {
        checkCotangent("vjp", cotangent, outputs[i]!);
      });
      return pulled(
        outputs,
        cotangents.map((cotangent) => cotangent.node),
        x,
        inputs,
      );
    };
    return [value as Like<Y>, pullback];
  };
}

/**
 * Forward mode: `jvp(f)(x, t, ...rest)` is the value of `f`, a tensor or a tree of tensors, and its derivative along the tangent `t`, which
 * has the form and the dtypes of `x`.
 */
export function jvp<P = Tensor, R extends readonly unknown[] = Tensor[], Y = Tensor>(
  f: (x: P, ...rest: R) => Y,
): (x: P, t: Like<P>, ...rest: R) => [value: Like<Y>, derivative: Like<Y>] {
  checkFunction("jvp", f);
  return (x, t, ...rest) => {
    const { value, outputs, inputs } = callTree("jvp", f, x, rest);
    const tangents = tangentsOf("jvp", x, t, inputs);
    const derivatives = forward(outputs, inputs, tangents).map((d, i) => d ?? zerosLike(outputs[i]!));
    return [value as Like<Y>, unflattenTree(value, derivatives)];
  };
}

/** A tangent for each input, in the order of the inputs. */
function tangentsOf(name: string, x: unknown, t: unknown, inputs: readonly Tensor[]): Tensor[] {
  return leavesLike(x, t, `${name}: tangent`).map((tangent, i) => {
    const { shape, dtype } = inputs[i]!;
    if (!equalShapes(tangent.shape, shape))
      throw new GradientError(
        `${name}: tangent ${i} has shape ${formatShape(tangent.shape)} and its input has ${formatShape(shape)}`,
      );
    checkFlow(name, `tangent ${i}`, tangent, "its input", dtype);
    return tangent.node;
  });
}

/**
 * `jacobian(f)(x)` has the shape of `f(x)` followed by that of `x`: the derivative of every element by every element. In
 * forward mode if `x` has fewer elements than the value, else in reverse.
 */
export function jacobian<S extends Shape, Y extends Tensor, R extends readonly unknown[] = Tensor[]>(
  f: (x: Tensor<S>, ...rest: R) => Y,
): (x: Tensor<S>, ...rest: R) => Tensor<Joined<SizesOf<Y>, S>>;
export function jacobian<R extends readonly unknown[]>(
  f: (x: Tensor, ...rest: R) => Tensor,
): (x: Tensor, ...rest: R) => Tensor {
  checkFunction("jacobian", f);
  return (x, ...rest) => {
    checkOne("jacobian", x);
    const { y, inputs } = call("jacobian", f, x, rest);
    const input = inputs[0]!;
    const shape = [...y.shape, ...input.shape];
    if (y.size === 0 || input.size === 0) return fill(0, shape, y.dtype);
    if (input.size < y.size) {
      const columns = units(input).map((t) => forward([y], [input], [t])[0] ?? zerosLike(y));
      return reshape(
        stack(
          columns.map((column) => reshape(column, [y.size])),
          1,
        ),
        shape,
      );
    }
    const rows = units(y).map((g) => reverse([y], [g], [input])[0] ?? zerosLike(input));
    return reshape(stack(rows.map((row) => reshape(row, [input.size]))), shape);
  };
}

/** Tensors of the shape of `x` with one element 1 and the others 0, for each element. */
function units(x: Tensor): Tensor[] {
  return Array.from({ length: x.size }, (_, i) => {
    const data = allocate(x.dtype, x.size);
    data[i] = 1;
    return fromElements(data, x.shape);
  });
}

/** `hessian(f)(x)`: the second derivatives of a single-element `f`, shaped as `x` twice over (forward over reverse). */
export function hessian<S extends Shape, R extends readonly unknown[] = Tensor[]>(
  f: (x: Tensor<S>, ...rest: R) => Tensor,
): (x: Tensor<S>, ...rest: R) => Tensor<Joined<S, S>>;
export function hessian<R extends readonly unknown[]>(
  f: (x: Tensor, ...rest: R) => Tensor,
): (x: Tensor, ...rest: R) => Tensor {
  checkFunction("hessian", f);
  return (x, ...rest) => {
    checkOne("hessian", x);
    return columnsOf((z: Tensor) => both("hessian", f, z, rest)[1], x);
  };
}

/** The Jacobian of a function from a shape to the same shape, column by column. */
function columnsOf(f: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const { y, inputs } = call("hessian", f, x, []);
  const columns = units(inputs[0]!).map((t) => forward([y], inputs, [t])[0] ?? zerosLike(y));
  const shape: Shape = [...x.shape, ...x.shape];
  if (columns.length === 0) return fill(0, shape, y.dtype);
  return reshape(
    stack(
      columns.map((column) => reshape(column, [y.size])),
      1,
    ),
    shape,
  );
}

/** `hvp(f)(x, t)`: the Hessian of `f` at `x` times `t`, without ever making the Hessian (forward over reverse). */
export function hvp<P = Tensor, R extends readonly unknown[] = Tensor[]>(
  f: (x: P, ...rest: R) => Tensor,
): (x: P, t: Like<P>, ...rest: R) => Like<P> {
  checkFunction("hvp", f);
  return (x, t, ...rest) => {
    const { y, inputs } = call("hvp", f, x, rest);
    checkSingle("hvp", y);
    const gradients = reverse([y], [onesLike(y)], inputs).map((g, i) => g ?? zerosLike(inputs[i]!));
    const tangents = tangentsOf("hvp", x, t, inputs);
    return unflattenTree(
      x,
      forward(gradients, inputs, tangents).map((g, i) => g ?? zerosLike(inputs[i]!)),
    );
  };
}
