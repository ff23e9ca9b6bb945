import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { formatShape } from "../shape.ts";
import { einsumOp, numbers } from "./contraction.ts";
import { diagonal } from "./diagonal.ts";
import { checkTensor } from "./leaf.ts";
import { permute, reshape, squeeze, sum } from "./movement.ts";
import { composed } from "./sample.ts";

/** Sums of products by Einstein's notation, one contraction of two operands after another. */

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
export function contracted(name: string, spec: string, operands: readonly Tensor[]): Tensor {
  const [inputs = "", given, more] = String(spec).replaceAll(" ", "").split("->");
  const words = inputs.split(",");
  const shapes = () => operands.map((x) => formatShape(x.shape)).join(", ");
  if (more !== undefined || !/^([a-zA-Z]*(\.\.\.)?[a-zA-Z]*,)*$/.test(`${inputs},${given ?? ""},`))
    throw new ValueError(`${name}: cannot read "${spec}"; write letters and "..." as in "...ij,jk->...ik"`);
  if (operands.length === 0 || words.length !== operands.length)
    throw new ValueError(`${name}: "${spec}" has ${words.length} operands, ${operands.length} are given`);
  for (const x of operands) checkTensor(name, x);
  const xs = numbers(name, operands);
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
  // Without the axes of size 1 that broadcast, and summed over the letters that nobody else has.
  let terms = labelled.map((term) =>
    distinct(without(term, (letter, i) => term.x.shape[i] !== sizes.get(letter), squeeze)),
  );
  terms = terms.map((term, n) => {
    const others = terms.map((other, m) => (m === n ? "" : other.letters)).join("");
    return without(term, (letter) => !(out + others).includes(letter), sum);
  });
  while (terms.length > 1) terms = multiplied(terms, out, sizes);
  const last = terms[0]!;
  // An axis of "..." that has size 1 in all operands may have been dropped from the result.
  const kept = [...out].filter((letter) => last.letters.includes(letter));
  const moved = permute(
    last.x,
    kept.map((letter) => last.letters.indexOf(letter)),
  );
  return reshape(
    moved,
    [...out].map((letter) => sizes.get(letter)!),
  );
}

/** Each letter once: of two axes with the same one the diagonal. */
function distinct(term: Term): Term {
  const { letters, x } = term;
  const second = [...letters].findIndex((letter, i) => letters.indexOf(letter) < i);
  if (second < 0) return term;
  const first = letters.indexOf(letters[second]!);
  const rest = [...letters].map((_, i) => i).filter((i) => i !== first && i !== second);
  return distinct({
    letters: rest.map((i) => letters[i]!).join("") + letters[first]!,
    x: diagonal(permute(x, [...rest, first, second])),
  });
}

/** Without the axes that `isSpare` names, which `drop` takes away. */
function without(
  { letters, x }: Term,
  isSpare: (letter: string, axis: number) => boolean,
  drop: (x: Tensor, axes: readonly number[]) => Tensor,
): Term {
  const axes = [...letters].flatMap((letter, i) => (isSpare(letter, i) ? [i] : []));
  return { letters: [...letters].filter((_, i) => !axes.includes(i)).join(""), x: drop(x, axes) };
}

/** The terms with the two whose product is smallest replaced by it. */
function multiplied(terms: readonly Term[], out: string, sizes: ReadonlyMap<string, number>): Term[] {
  let best = { size: Infinity, i: 0, j: 1, letters: "" };
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
