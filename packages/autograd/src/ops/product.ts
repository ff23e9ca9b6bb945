import type { DType } from "../dtype.ts";
import { promote } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { broadcastsTo, formatShape, normalizeAxis } from "../shape.ts";
import type { Affine, Operation, Outer } from "../signature.ts";
import { cast } from "./cast.ts";
import { einsumOp } from "./contraction.ts";
import { operand } from "./elementwise.ts";
import { permute, reshape, sum } from "./movement.ts";
import { add, mul } from "./pointwise.ts";
import { pad, slice } from "./region.ts";
import { composed } from "./sample.ts";

/** Products of vectors, matrices and higher tensors, all by one contraction at a time. */

/** An operand on its way through a contraction: a letter for each axis. */
interface Term {
  readonly letters: string;
  readonly x: Tensor;
}

/**
 * Sums of products by Einstein's notation, as in NumPy: a letter for each axis of each operand, and after `->` those of
 * the result; what is left out is summed over. A letter twice in one operand is its diagonal, `...` stands for any
 * further axes, which broadcast, and without `->` the result has the letters that occur once, in alphabetical order.
 * Of several operands those two are multiplied first whose product is smallest. Throws ShapeError if sizes differ or
 * ranks do not fit, ValueError if the specification cannot be read.
 *
 * @example
 * ```ts
 * import { einsum, tensor } from "@cotangent/autograd";
 * einsum("ij,j->i", tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray(); // => 3,7
 * einsum("ii", tensor([[1, 2], [3, 4]])).item(); // => 5
 * ```
 */
export const einsum: (spec: string, ...operands: Tensor[]) => Tensor = composed(
  "einsum",
  (spec: string, ...operands: Tensor[]) => contracted("einsum", spec, operands),
  (draw) => {
    const [i, j, k] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    const calls: readonly (readonly [string, ...number[][]])[] = [
      ["ij,jk", [i, j], [j, k]],
      ["ij,jk,kl->il", [i, j], [j, k], [k, i]],
      ["ii->i", [i, i]],
      ["...ij,...j->...i", [k, i, j], [1, j]],
      ["iij,k->jk", [i, i, j], [k]],
      ["bij->b", [k, i, j]],
    ];
    const [spec, ...shapes] = calls[draw.integer(0, calls.length - 1)]!;
    return [spec, ...shapes.map((shape) => draw.tensor(shape))];
  },
);

/** The contraction `spec` for the function `name`, which its errors name. */
function contracted(name: string, spec: string, operands: readonly Tensor[]): Tensor {
  const [inputs = "", given, more] = String(spec).replaceAll(" ", "").split("->");
  const words = inputs.split(",");
  const shapes = () => operands.map((x) => formatShape(x.shape)).join(", ");
  if (more !== undefined || !/^([a-zA-Z]*(\.\.\.)?[a-zA-Z]*,)*$/.test(`${inputs},${given ?? ""},`))
    throw new ValueError(`${name}: cannot read "${spec}"; write letters and "..." as in "...ij,jk->...ik"`);
  if (operands.length === 0 || words.length !== operands.length)
    throw new ValueError(`${name}: "${spec}" has ${words.length} operands, ${operands.length} are given`);
  const xs = numeric(name, operands);
  const unfit = () =>
    new ShapeError(`${name}: shapes ${shapes()} do not fit "${spec}"; one letter for each axis`);
  const spare = xs.map((x, n) => {
    const letters = words[n]!.replace("...", "").length;
    if (words[n]!.includes("...") ? x.rank < letters : x.rank !== letters) throw unfit();
    return x.rank - letters;
  });
  const count = Math.max(...spare);
  // Characters that no user's letter is stand for the axes of "...", the last one for the last.
  const dots = Array.from({ length: count }, (_, i) => String.fromCharCode(0x3b1 + i)).join("");
  const sizes = new Map<string, number>();
  const labelled = xs.map((x, n) => {
    const letters = words[n]!.replace("...", dots.slice(count - spare[n]!));
    [...letters].forEach((letter, i) => {
      const [size, known] = [x.shape[i]!, sizes.get(letter)];
      if (known === undefined || (known === 1 && dots.includes(letter))) sizes.set(letter, size);
      else if (known !== size && !(size === 1 && dots.includes(letter)))
        throw new ShapeError(
          `${name}: shapes ${shapes()} give "${dots.includes(letter) ? "..." : letter}" of "${spec}" the sizes ${known} and ${size}`,
        );
    });
    return { letters, x };
  });
  const all = labelled.map((term) => term.letters).join("");
  const once = [...new Set(all)].filter((c) => !dots.includes(c) && all.indexOf(c) === all.lastIndexOf(c));
  const out = given === undefined ? dots + once.sort().join("") : given.replace("...", dots);
  if (new Set(out).size !== out.length || [...out].some((letter) => !sizes.has(letter)))
    throw new ValueError(`${name}: the result of "${spec}" repeats a letter or has one that no operand has`);
  let terms = labelled.map((term) => diagonal(broadcastable(term, sizes)));
  terms = terms.map((term, n) =>
    summed(
      term,
      out +
        terms
          .filter((_, m) => m !== n)
          .map((t) => t.letters)
          .join(""),
    ),
  );
  while (terms.length > 1) terms = multiplied(terms, out, sizes);
  const last = terms[0]!;
  // An axis of "..." that has size 1 in all operands may have been dropped from the result.
  const kept = [...out].filter((letter) => last.letters.includes(letter));
  const order = kept.map((letter) => last.letters.indexOf(letter));
  const moved = order.every((axis, i) => axis === i) ? last.x : permute(last.x, order);
  return kept.length === out.length
    ? moved
    : reshape(
        moved,
        [...out].map((letter) => sizes.get(letter)!),
      );
}

/** Without the axes of size 1 that broadcast. */
function broadcastable({ letters, x }: Term, sizes: ReadonlyMap<string, number>): Term {
  const kept = [...letters].map((letter, i) => x.shape[i] === sizes.get(letter));
  if (kept.every(Boolean)) return { letters, x };
  return {
    letters: [...letters].filter((_, i) => kept[i]).join(""),
    x: reshape(
      x,
      x.shape.filter((_, i) => kept[i]),
    ),
  };
}

/** Each letter once: of two axes with the same one the diagonal, read as every (n+1)-th element of n*n and n more. */
function diagonal(term: Term): Term {
  const { letters, x } = term;
  const second = [...letters].findIndex((letter, i) => letters.indexOf(letter) < i);
  if (second < 0) return term;
  const first = letters.indexOf(letters[second]!);
  const rest = [...letters].map((_, i) => i).filter((i) => i !== first && i !== second);
  const n = x.shape[first]!;
  const outer = rest.map((i) => x.shape[i]!);
  const flat = reshape(permute(x, [...rest, first, second]), [...outer, n * n]);
  const wide = reshape(pad(flat, [...outer.map(() => [0, 0] as const), [0, n]]), [...outer, n, n + 1]);
  const column = reshape(slice(wide, 0, 1, { axis: -1 }), [...outer, n]);
  return diagonal({ letters: rest.map((i) => letters[i]!).join("") + letters[first]!, x: column });
}

/** Summed over the letters that are not `needed`. */
function summed({ letters, x }: Term, needed: string): Term {
  const axes = [...letters].flatMap((letter, i) => (needed.includes(letter) ? [] : [i]));
  if (axes.length === 0) return { letters, x };
  return { letters: [...letters].filter((letter) => needed.includes(letter)).join(""), x: sum(x, axes) };
}

/** The terms with the two whose product is smallest replaced by it. */
function multiplied(terms: readonly Term[], out: string, sizes: ReadonlyMap<string, number>): Term[] {
  let best = { size: Number.POSITIVE_INFINITY, i: 0, j: 1, letters: "" };
  for (let j = 1; j < terms.length; j++)
    for (let i = 0; i < j; i++) {
      const others = terms.filter((_, n) => n !== i && n !== j).map((term) => term.letters);
      const both = [...new Set(terms[i]!.letters + terms[j]!.letters)];
      const ordered = others.length === 0 ? [...out].filter((letter) => both.includes(letter)) : both;
      const letters = ordered.filter((letter) => (out + others.join("")).includes(letter)).join("");
      const size = [...letters].reduce((product, letter) => product * sizes.get(letter)!, 1);
      if (size < best.size) best = { size, i, j, letters };
    }
  const [a, b] = [terms[best.i]!, terms[best.j]!];
  const product = apply(einsumOp, [a.x, b.x], { spec: `${a.letters},${b.letters}->${best.letters}` });
  return [...terms.filter((_, n) => n !== best.i && n !== best.j), { letters: best.letters, x: product }];
}

/** The operands in one dtype, which is not bool. */
function numeric(name: string, xs: readonly Tensor[]): Tensor[] {
  const nodes = xs.map((x) => operand(name, x, "float32"));
  const dtype = nodes.reduce<DType>((found, x) => promote(found, x.dtype), "bool");
  if (dtype === "bool")
    throw new DTypeError(`${name}: is arithmetic and takes no bool; cast to int32 or float32 first`);
  return nodes.map((x) => cast(x, dtype));
}

/** The inner product of two vectors of one length. Throws ShapeError for anything else. */
export const dot: Operation<[y: Tensor]> = composed(
  "dot",
  (x: Tensor, y: Tensor) => contracted("dot", "i,i->", [x, y]),
  (draw) => {
    const n = draw.integer(1, 4);
    return [draw.tensor([n]), draw.tensor([n])];
  },
);

/** A matrix `[n, m]` times a vector `[m]`. Throws ShapeError for anything else. */
export const mv: Operation<[y: Tensor]> = composed(
  "mv",
  (x: Tensor, y: Tensor) => contracted("mv", "ij,j->i", [x, y]),
  (draw) => {
    const n = draw.integer(1, 4);
    return [draw.tensor([draw.integer(1, 4), n]), draw.tensor([n])];
  },
);

/** Products of matrices in pairs: `[b, n, k]` and `[b, k, m]` give `[b, n, m]`. Throws ShapeError for anything else. */
export const bmm: Operation<[y: Tensor]> = composed(
  "bmm",
  (x: Tensor, y: Tensor) => contracted("bmm", "bij,bjk->bik", [x, y]),
  (draw) => {
    const [b, k] = [draw.integer(1, 3), draw.integer(1, 4)];
    return [draw.tensor([b, draw.integer(1, 3), k]), draw.tensor([b, k, draw.integer(1, 3)])];
  },
);

/** All products of an element of `x` and one of `y`: the axes of `x`, then those of `y`. */
export const outer: Outer = composed(
  "outer",
  (x: Tensor, y: Tensor) => {
    const [a, b] = numeric("outer", [x, y]) as [Tensor, Tensor];
    const left = a.shape.map((_, i) => String.fromCharCode(0x61 + i)).join("");
    const right = b.shape.map((_, i) => String.fromCharCode(0x3b1 + i)).join("");
    return apply(einsumOp, [a, b], { spec: `${left},${right}->${left}${right}` });
  },
  (draw) => [draw.tensor(draw.shape(0, 2)), draw.tensor(draw.shape(0, 2))],
);

/** `x` with `bias` added, for the function `name`. Throws ShapeError unless it has the length of the last axis. */
function biased(name: string, x: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return x;
  const b = operand(name, bias, x.dtype);
  if (b.rank !== 1 || b.shape[0] !== x.shape[x.rank - 1])
    throw new ShapeError(
      `${name}: bias ${formatShape(b.shape)} for results ${formatShape(x.shape)}; give it the length of their last axis`,
    );
  return add(x, b);
}

/** `x` [..., in] times the transpose of `weight` [out, in], plus `bias` [out]. Throws ShapeError if they do not fit. */
export const linear: Affine = composed(
  "linear",
  (x: Tensor, weight: Tensor, bias?: Tensor) =>
    biased("linear", contracted("linear", "...i,oi->...o", [x, weight]), bias),
  (draw) => {
    const [n, m] = [draw.integer(1, 4), draw.integer(1, 4)];
    const args = [draw.tensor([...draw.shape(0, 2), n]), draw.tensor([m, n])];
    return draw.integer(0, 1) === 0 ? args : [...args, draw.tensor([m])];
  },
);

/**
 * `sum over i, j of x1[..., i] * weight[o, i, j] * x2[..., j]`, plus `bias` [o]. Throws ShapeError if they do not fit.
 */
export const bilinear: Operation<[y: Tensor, weight: Tensor, bias?: Tensor]> = composed(
  "bilinear",
  (x: Tensor, y: Tensor, weight: Tensor, bias?: Tensor) =>
    biased("bilinear", contracted("bilinear", "...i,...j,oij->...o", [x, y, weight]), bias),
  (draw) => {
    const [n, k, m] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    const batch = draw.shape(0, 1);
    return [
      draw.tensor([...batch, n]),
      draw.tensor([...batch, k]),
      draw.tensor([m, n, k]),
      ...(draw.integer(0, 1) === 0 ? [] : [draw.tensor([m])]),
    ];
  },
);

/** `beta * x + alpha * (a @ b)` with `x` broadcast to the product. With a `beta` of 0 `x` is not used. */
export const addmm: Operation<
  [a: Tensor, b: Tensor, options?: { readonly beta?: number; readonly alpha?: number }]
> = composed(
  "addmm",
  (x: Tensor, a: Tensor, b: Tensor, { beta = 1, alpha = 1 }: { beta?: number; alpha?: number } = {}) => {
    const [own, left, right] = numeric("addmm", [x, a, b]) as [Tensor, Tensor, Tensor];
    const product = contracted("addmm", "ij,jk->ik", [left, right]);
    if (!broadcastsTo(own.shape, product.shape))
      throw new ShapeError(
        `addmm: shape ${formatShape(own.shape)} does not broadcast to the product's, ${formatShape(product.shape)}`,
      );
    const scaled = alpha === 1 ? product : mul(alpha, product);
    if (beta === 0) return scaled;
    return add(beta === 1 ? own : mul(beta, own), scaled);
  },
  (draw) => {
    const [n, k, m] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    return [draw.tensor([n, m]), draw.tensor([n, k]), draw.tensor([k, m]), { beta: 0.5, alpha: 2 }];
  },
);

/**
 * Sums of products over axes of both operands: `axes` are the lists of those of `a` and of `b`, or a number that says how
 * many of the last of `a` meet the first of `b`. Throws ShapeError if their sizes differ.
 */
export const tensordot: Operation<
  [b: Tensor, axes: number | readonly [readonly number[], readonly number[]]]
> = composed(
  "tensordot",
  (a: Tensor, b: Tensor, axes: number | readonly [readonly number[], readonly number[]]) => {
    const [x, y] = numeric("tensordot", [a, b]) as [Tensor, Tensor];
    if (
      typeof axes === "number" &&
      !(Number.isInteger(axes) && axes >= 0 && axes <= Math.min(x.rank, y.rank))
    )
      throw new ValueError(
        `tensordot: ${axes} axes of shapes ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
      );
    const lists =
      typeof axes === "number"
        ? [
            Array.from({ length: axes }, (_, i) => x.rank - axes + i),
            Array.from({ length: axes }, (_, i) => i),
          ]
        : axes;
    const left = (lists[0] ?? []).map((axis) => normalizeAxis("tensordot", axis, x.shape));
    const right = (lists[1] ?? []).map((axis) => normalizeAxis("tensordot", axis, y.shape));
    if (
      left.length !== right.length ||
      new Set(left).size < left.length ||
      new Set(right).size < right.length
    )
      throw new ValueError("tensordot: axes are two lists of one length, without repetition");
    const letters = x.shape.map((_, i) => String.fromCharCode(0x61 + i));
    const others = y.shape.map((_, i) => {
      const at = right.indexOf(i);
      return at < 0 ? String.fromCharCode(0x41 + i) : letters[left[at]!]!;
    });
    const out = [...letters, ...others].filter(
      (letter, _, all) => all.filter((c) => c === letter).length === 1,
    );
    return contracted("tensordot", `${letters.join("")},${others.join("")}->${out.join("")}`, [x, y]);
  },
  (draw) => {
    const shared = draw.shape(0, 2);
    const count = shared.length;
    return [
      draw.tensor([...draw.shape(0, 1), ...shared]),
      draw.tensor([...shared, ...draw.shape(0, 1)]),
      count,
    ];
  },
);

/**
 * The Kronecker product: every element of `a` times the whole of `b`, in blocks. The one with fewer axes gets axes of
 * size 1 in front.
 */
export const kron: Operation<[b: Tensor]> = composed(
  "kron",
  (a: Tensor, b: Tensor) => {
    const [x, y] = numeric("kron", [a, b]) as [Tensor, Tensor];
    const rank = Math.max(x.rank, y.rank);
    const full = (z: Tensor) => [...new Array<number>(rank - z.rank).fill(1), ...z.shape];
    const [left, right] = [full(x), full(y)];
    const blocks = mul(
      reshape(
        x,
        left.flatMap((size) => [size, 1]),
      ),
      reshape(
        y,
        right.flatMap((size) => [1, size]),
      ),
    );
    return reshape(
      blocks,
      left.map((size, i) => size * right[i]!),
    );
  },
  (draw) => [draw.tensor(draw.shape(0, 2)), draw.tensor(draw.shape(0, 2))],
);
