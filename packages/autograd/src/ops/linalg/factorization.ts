import type { TypedArray } from "../../dtype.ts";
import { isFloat, promote } from "../../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../../errors.ts";
import type { Attributes, Elements, Op, Tensor } from "../../graph.ts";
import { apply, bilinearRule, none, pushed } from "../../graph.ts";
import { optionsOf } from "../../options.ts";
import type { Shape } from "../../shape.ts";
import { broadcastShapes, formatShape, sizeOf } from "../../shape.ts";
import type { Operation, Unary } from "../../signature.ts";
import { rememberSite } from "../../site.ts";
import { cast } from "../cast.ts";
import { matmul } from "../contraction.ts";
import { tril, triu } from "../diagonal.ts";
import { operand } from "../elementwise.ts";
import { cat } from "../join.ts";
import { eye, fromElements } from "../leaf.ts";
import { broadcastTo, reshape, transpose } from "../movement.ts";
import { add, mul, neg, sub } from "../pointwise.ts";
import { slice } from "../region.ts";
import type { Draw } from "../sample.ts";
import { composed, declare } from "../sample.ts";
import { ArrayPool, arrays } from "./blocks.ts";
import { panel, reduceRow, reduceRows, solveEach, substitute } from "./elimination.ts";

/** Factorizations: each one opaque kernel with a forward rule made of ordinary ops. */

/** A node of an op that finds out only when it is computed that it has no answer: errors then name the line that made it. */
export function located(op: Op, inputs: readonly Tensor[], attributes: Attributes = none): Tensor {
  const x = apply(op, inputs, attributes);
  rememberSite(x);
  return x;
}

/**
 * For kernels with several results: `factors` gives those of one matrix, and they lie end to end along the last axis of the
 * op's one result, behind the batch axes.
 */
export function factorizeEach(
  a: Elements,
  out: Elements,
  factors: (m: Float64Array, rows: number, columns: number) => readonly Float64Array[],
): void {
  const [rows, columns] = a.shape.slice(-2) as [number, number];
  const count = sizeOf(a.shape.slice(0, -2));
  const m = new Float64Array(rows * columns);
  const reused = new ArrayPool();
  for (let batch = 0, at = 0; batch < count; batch++) {
    m.set(a.data.subarray(batch * rows * columns, (batch + 1) * rows * columns));
    reused.run(() => {
      for (const factor of factors(m, rows, columns)) {
        out.data.set(factor, at);
        at += factor.length;
      }
    });
  }
}

/** The results of `shapes`, each behind the batch axes, that lie end to end along the last axis of `x`. */
export function unpacked(x: Tensor, shapes: readonly Shape[]): Tensor[] {
  let end = 0;
  return shapes.map((shape) => {
    const start = end;
    end += sizeOf(shape);
    return reshape(slice(x, start, end, { axis: -1 }), [...x.shape.slice(0, -1), ...shape]);
  });
}

/** The opposite of `unpacked`, for results behind `batch` axes. */
export function packed(results: readonly Tensor[], batch: number): Tensor {
  const flat = results.map((x) => reshape(x, [...x.shape.slice(0, batch), sizeOf(x.shape.slice(batch))]));
  return cat(flat, -1);
}

/** The node of matrices of numbers. */
export function matricesOfNumbers(name: string, a: Tensor): Tensor {
  const x = operand(name, a, "float32");
  if (x.dtype === "bool")
    throw new DTypeError(`${name}: is arithmetic and takes no bool; cast to float32 first`);
  if (x.rank < 2)
    throw new ShapeError(`${name}: takes matrices, got shape ${formatShape(x.shape)}; it needs two axes`);
  return x;
}

/** The node of matrices of floats; integers become float32. */
export function matricesOfFloats(name: string, a: Tensor): Tensor {
  const x = matricesOfNumbers(name, a);
  return isFloat(x.dtype) ? x : cast(x, "float32");
}

/** The node of square matrices of numbers. */
export function squareOfNumbers(name: string, a: Tensor): Tensor {
  const x = matricesOfNumbers(name, a);
  if (x.shape[x.rank - 1] !== x.shape[x.rank - 2])
    throw new ShapeError(`${name}: shape ${formatShape(x.shape)}; the last two axes have to be of one size`);
  return x;
}

/** The node of square matrices of floats; integers become float32. */
export function squareOfFloats(name: string, a: Tensor): Tensor {
  const x = squareOfNumbers(name, a);
  return isFloat(x.dtype) ? x : cast(x, "float32");
}

/** `run` on square matrices and right-hand sides [..., n, k] with the same batch axes, for `b` that may be a vector. */
export function linearSystem(
  name: string,
  a: Tensor,
  b: Tensor,
  run: (operands: readonly [Tensor, Tensor]) => Tensor,
): Tensor {
  const left = squareOfFloats(name, a);
  const right = operand(name, b, left.dtype);
  if (right.dtype === "bool")
    throw new DTypeError(`${name}: is arithmetic and takes no bool; cast to float32 first`);
  const n = left.shape[left.rank - 1]!;
  const column = right.rank === 1 ? reshape(right, [right.shape[0]!, 1]) : right;
  if (column.rank < 2 || column.shape[column.rank - 2] !== n)
    throw new ShapeError(
      `${name}: shapes ${formatShape(left.shape)} and ${formatShape(right.shape)}; the right-hand side needs ${n} rows`,
    );
  const dtype = promote(left.dtype, column.dtype);
  const batch = broadcastShapes(name, left.shape.slice(0, -2), column.shape.slice(0, -2));
  const width = column.shape[column.rank - 1]!;
  const x = run([
    broadcastTo(cast(left, dtype), [...batch, n, n]),
    broadcastTo(cast(column, dtype), [...batch, n, width]),
  ]);
  return right.rank === 1 ? reshape(x, [...batch, n]) : x;
}

/** `(x + x^T) / 2` */
export function symmetricPart(x: Tensor): Tensor {
  return mul(0.5, add(x, transpose(x)));
}

/** Matrices far from a lower rank: small elements, and 2 more on the diagonal; `spread` more from each entry there to the next. */
export function regularMatrices(draw: Draw, shape: Shape, spread = 0): Tensor {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [row, column] = [Math.floor(i / columns) % rows, i % columns];
    return draw.real({ low: -0.5, high: 0.5 }) + (row === column ? 2 + spread * row : 0);
  });
  return fromElements(draw.dtype === "float64" ? Float64Array.from(data) : Float32Array.from(data), shape);
}

const triangularOp: Op<{ readonly upper: boolean }> = {
  name: "triangularSolve",
  kernel: {
    kind: "opaque",
    run: ([a, b], out, { upper }) => solveEach(a!, b!, out, (m, n, width) => substitute(m, n, width, upper)),
  },
  derivatives: [
    pushed((t, out, { upper }) =>
      neg(apply(triangularOp, [out.inputs[0]!, matmul(upper ? triu(t) : tril(t), out)], { upper })),
    ),
    bilinearRule((g, out, { upper }) =>
      apply(triangularOp, [transpose(out.inputs[0]!), g], { upper: !upper }),
    ),
  ],
  shape: ([, b]) => b!.shape,
  dtype: ([, b]) => b!.dtype,
};

/** The solution of a triangular system whose operands fit. */
export function triangular(a: Tensor, b: Tensor, upper: boolean): Tensor {
  return apply(triangularOp, [a, b], { upper });
}

/**
 * The solution `x` of `a x = b` for lower triangular matrices `a` [..., n, n], or with `upper` upper triangular ones, and
 * `b` [..., n, k], or [n]; batch axes broadcast. The other triangle is not read. A zero on the diagonal gives infinities or
 * NaN. Throws ShapeError if the shapes do not fit.
 *
 * @example
 * ```ts
 * import { tensor, triangularSolve } from "@cotangent/autograd";
 * triangularSolve(tensor([[2, 0], [1, 1]]), tensor([2, 3])).toArray(); // => 1,2
 * ```
 */
export const triangularSolve: Operation<[b: Tensor, options?: { readonly upper?: boolean | undefined }]> =
  declare(
    "triangularSolve",
    (a: Tensor, b: Tensor, options?: { readonly upper?: boolean | undefined }) => {
      const { upper = false } = optionsOf("triangularSolve", options, { upper: "boolean" });
      return linearSystem("triangularSolve", a, b, (operands) => triangular(...operands, upper));
    },
    triangularOp,
    (draw) => {
      const n = draw.integer(1, 3);
      const batch = draw.shape(0, 1);
      const b = draw.integer(0, 2) === 0 ? [n] : [...batch, n, draw.integer(1, 3)];
      return [regularMatrices(draw, [...batch, n, n]), draw.tensor(b), { upper: draw.coin() }];
    },
  );

/** Copies the symmetric part of the matrix at `start`. */
export function copySymmetricPart(from: TypedArray, start: number, to: Float64Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++)
      to[i * n + j] = to[j * n + i] = (from[start + i * n + j]! + from[start + j * n + i]!) / 2;
}

/** Makes of a symmetric matrix its factor below the diagonal; false if it is not positive definite. */
function takeRoot(l: Float64Array, n: number): boolean {
  for (let from = 0; from < n; from += panel) {
    const to = Math.min(from + panel, n);
    // Right of the diagonal stands the transpose of what is finished below it.
    reduceRows(l, n, [from, to], [0, from], [from, n]);
    for (let i = from; i < to; i++) {
      reduceRow(l, n, i, from, i, i, n);
      const rest = l[i * n + i]!;
      if (!(rest > 0)) return false;
      const root = Math.sqrt(rest);
      l[i * n + i] = root;
      for (let j = i + 1; j < n; j++) l[j * n + i] = l[i * n + j]! /= root;
    }
  }
  return true;
}

/** The factors of the symmetric parts of matrices: a function of all elements, so that its rule is right for each. */
const choleskyOp: Op = {
  name: "cholesky",
  kernel: {
    kind: "opaque",
    run: ([a], out, _, site) => {
      const n = a!.shape[a!.shape.length - 1]!;
      const [l] = arrays(n * n);
      for (let start = 0; start < out.data.length; start += n * n) {
        copySymmetricPart(a!.data, start, l, n);
        if (!takeRoot(l, n))
          throw new ValueError(
            `cholesky: the matrix is not positive definite; add a small multiple of the identity${site()}`,
          );
        for (let i = 0; i < n; i++) l.fill(0, i * n + i + 1, (i + 1) * n);
        out.data.set(l, start);
      }
    },
  },
  // With a = l l^T the matrix l^-1 da l^-T is x + x^T for the lower triangular x = l^-1 dl.
  derivatives: [
    pushed((t, out) => {
      const half = triangular(out, symmetricPart(t), false);
      const both = triangular(out, transpose(half), false);
      const identity = eye(out.shape[out.rank - 1]!, undefined, { dtype: out.dtype });
      return matmul(out, mul(tril(transpose(both)), sub(1, mul(0.5, identity.node))));
    }),
  ],
  shape: ([a]) => a!.shape,
  dtype: ([a]) => a!.dtype,
};

/**
 * The lower triangular `l` with `l l^T = a` for symmetric positive definite matrices `a` [..., n, n]; of a matrix that is not
 * symmetric the symmetric part `(a + a^T) / 2` is taken, where PyTorch reads the lower triangle. So gradients are symmetric, as
 * PyTorch's are, and true derivatives, as PyTorch's are not. Computed in float64. Throws ShapeError if they are not square and,
 * when its value is read, ValueError if one is not positive definite.
 *
 * @example
 * ```ts
 * import { cholesky, tensor } from "@cotangent/autograd";
 * cholesky(tensor([[4, 2], [2, 5]])).toArray(); // => 2,0,1,2
 * ```
 */
export const cholesky: Unary = declare(
  "cholesky",
  (a: Tensor) => located(choleskyOp, [squareOfFloats("cholesky", a)]),
  choleskyOp,
  (draw) => {
    const n = draw.integer(1, 3);
    return [regularMatrices(draw, [...draw.shape(0, 1), n, n])];
  },
);

/**
 * `choleskySolve(b, l)`: the solution `x` of `a x = b` from a factor of `a`: for the lower triangular matrices `l` [..., n, n] with
 * `l l^T = a` that `cholesky` gives, or with `upper` upper triangular ones with `l^T l = a`, and `b` [..., n, k], or [n]; batch axes
 * broadcast. As in PyTorch `b` comes first. The other triangle is not read. Throws ShapeError if the shapes do not fit.
 *
 * @example
 * ```ts
 * import { cholesky, choleskySolve, tensor } from "@cotangent/autograd";
 * const a = tensor([[4, 2], [2, 5]]);
 * choleskySolve(tensor([6, 7]), cholesky(a)).toArray(); // => 1,1
 * ```
 */
export const choleskySolve: Operation<[l: Tensor, options?: { readonly upper?: boolean | undefined }]> =
  composed(
    "choleskySolve",
    (b: Tensor, l: Tensor, options?: { readonly upper?: boolean | undefined }) => {
      const { upper = false } = optionsOf("choleskySolve", options, { upper: "boolean" });
      const [right, factor] = [b, l].map((x) => operand("choleskySolve", x, "float32").shape) as [
        Shape,
        Shape,
      ];
      if (
        factor.length < 2 ||
        factor.at(-1) !== factor.at(-2) ||
        right.at(right.length < 2 ? -1 : -2) !== factor.at(-1)
      )
        throw new ShapeError(
          `choleskySolve: b, which comes first, is ${formatShape(right)} and the factor ${formatShape(factor)}; they have to be ` +
            "[..., n, k] or [n] and [..., n, n], as in choleskySolve(b, cholesky(a))",
        );
      return linearSystem("choleskySolve", l, b, ([factor, right]) => {
        const [low, high] = upper ? [transpose(factor), factor] : [factor, transpose(factor)];
        return triangular(high, triangular(low, right, false), true);
      });
    },
    (draw) => {
      const n = draw.integer(1, 3);
      const batch = draw.shape(0, 1);
      const b = draw.integer(0, 2) === 0 ? [n] : [...batch, n, draw.integer(1, 3)];
      return [draw.tensor(b), regularMatrices(draw, [...batch, n, n]), { upper: draw.coin() }];
    },
  );
