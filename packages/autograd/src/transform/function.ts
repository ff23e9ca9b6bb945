import { forward, reverse } from "../differentiate.ts";
import { allocate } from "../dtype.ts";
import { GradientError, ValueError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { inlined } from "../inlining.ts";
import { identity } from "../ops/composed.ts";
import { stack } from "../ops/join.ts";
import { describe, fromElements, onesLike, zerosLike } from "../ops/leaf.ts";
import { reshape } from "../ops/movement.ts";
import type { Shape } from "../shape.ts";
import { equalShapes, formatShape } from "../shape.ts";
import type { Like } from "../tree.ts";
import { leavesLike, leavesOf, mapTree, unflattenTree } from "../tree.ts";
import { checkCotangent, checkFloat, checkFlow } from "./gradient.ts";

/** Transforms of functions: each takes a function of tensors and returns one. Derivatives are by the first argument. */

/** The first argument as fresh nodes, so that only what `f` does with them counts. */
function call<P, R extends readonly unknown[]>(name: string, f: (x: P, ...rest: R) => Tensor, x: P, rest: R) {
  leavesIn(name, x);
  const inputs = mapTree(x, (leaf, path) => {
    checkFloat(name, path === "" ? "the input" : `input ${path}`, leaf);
    return identity(leaf);
  });
  const y = inlined(() => f(inputs as P, ...rest));
  if (!(y instanceof Tensor))
    throw new ValueError(
      `${name}: the result is ${describe(y)} and no tensor; the function has to return one, such as a sum, or several joined by cat`,
    );
  checkFloat(name, "the result", y);
  return { y: y.node, inputs: leavesOf(inputs) };
}

/** Throws ValueError, with the name of the function, unless `x` is a tree of tensors. */
function leavesIn(name: string, x: unknown): void {
  try {
    leavesOf(x);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(
      `${name}: the input is neither a tensor nor a tree of them: ${error.message}; scalar(3) makes one of a number, tensor([1, 2]) of ` +
        "an array",
    );
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

/**
 * `valueAndGrad(f)(x, ...rest)` is the value of `f` and its derivative by `x`, a tensor or a tree of tensors, in the form of
 * `x`. Throws GradientError if `f` returns more than one element.
 */
export function valueAndGrad<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Tensor,
): (x: P, ...rest: R) => [value: Tensor, gradient: Like<P>] {
  return (x, ...rest) => both("valueAndGrad", f, x, rest);
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
  const found = reverse([y], [onesLike(y)], inputs);
  return [
    y,
    unflattenTree(
      x,
      found.map((g, i) => g ?? zerosLike(inputs[i]!)),
    ),
  ];
}

/**
 * Reverse mode: `vjp(f)(x, ...rest)` is the value of `f` and the function that pulls a cotangent of the value's shape and dtype
 * back to one in the form of `x`.
 */
export function vjp<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Tensor,
): (x: P, ...rest: R) => [value: Tensor, pullback: (g: Tensor) => Like<P>] {
  return (x, ...rest) => {
    const { y, inputs } = call("vjp", f, x, rest);
    const pullback = (g: Tensor) => {
      checkCotangent("vjp", g, y);
      return unflattenTree(
        x,
        reverse([y], [g.node], inputs).map((found, i) => found ?? zerosLike(inputs[i]!)),
      );
    };
    return [y, pullback];
  };
}

/**
 * Forward mode: `jvp(f)(x, t, ...rest)` is the value of `f` and its derivative along the tangent `t`, which has the form
 * and the dtypes of `x`.
 */
export function jvp<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Tensor,
): (x: P, t: Like<P>, ...rest: R) => [value: Tensor, derivative: Tensor] {
  return (x, t, ...rest) => {
    const { y, inputs } = call("jvp", f, x, rest);
    const tangents = tangentsOf("jvp", x, t, inputs);
    return [y, forward([y], inputs, tangents)[0] ?? zerosLike(y)];
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
export function jacobian<R extends readonly unknown[]>(
  f: (x: Tensor, ...rest: R) => Tensor,
): (x: Tensor, ...rest: R) => Tensor {
  return (x, ...rest) => {
    checkOne("jacobian", x);
    const { y, inputs } = call("jacobian", f, x, rest);
    const input = inputs[0]!;
    const shape = [...y.shape, ...input.shape];
    if (y.size === 0 || input.size === 0)
      return reshape(zerosLike(fromElements(allocate(y.dtype, 0), [0])), shape);
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
export function hessian<R extends readonly unknown[]>(
  f: (x: Tensor, ...rest: R) => Tensor,
): (x: Tensor, ...rest: R) => Tensor {
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
  return reshape(
    stack(
      columns.map((column) => reshape(column, [y.size])),
      1,
    ),
    shape,
  );
}

/** `hvp(f)(x, t)`: the Hessian of `f` at `x` times `t`, without ever making the Hessian (forward over reverse). */
export function hvp<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Tensor,
): (x: P, t: Like<P>, ...rest: R) => Like<P> {
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
