import type { DType } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { remembered } from "../memo.ts";
import { sameAffine } from "./affine.ts";
import type { Form, Kernel, Scalar } from "./kernel.ts";
import { canFail, patterned, reshaped, resultsOf } from "./kernel.ts";

/**
 * Joins kernels that go through the same elements and read the same memory: what one loads the other need not, and what one has
 * computed the other has in a register. The update of a parameter and those of its averages become one kernel.
 *
 * A kernel moves down to the next of its group, if none of those in between reads what it computes; or that one moves up to it, if none of
 * them computes what that one reads.
 */
export function merge(kernels: readonly Kernel[]): Kernel[] {
  const writers = new Map<Tensor, number>();
  for (const { nodes } of kernels) writers.set(nodes[0]!, (writers.get(nodes[0]!) ?? 0) + 1);
  const join = joining();
  const groups = new Map<Form, string | null>();
  const merged: (Kernel | null)[] = [];
  /** The places in `merged` of the kernels of each group. */
  const places = new Map<string, number[]>();
  const computedAt = new Map<Tensor, number>();
  const firstReadAt = new Map<Tensor, number>();
  const canMoveDown = (kernel: Kernel, to: number) =>
    resultsOf(kernel).every((x) => (firstReadAt.get(x) ?? to) >= to);
  const canMoveUp = (kernel: Kernel, to: number) =>
    kernel.nodes.every((x, i) => i < kernel.form.results.length || (computedAt.get(x) ?? to) <= to);
  for (const kernel of kernels) {
    const node = kernel.nodes[0]!;
    const group = writers.get(node) === 1 ? remembered(groups, kernel.form, groupOf) : null;
    const before = group === null ? [] : remembered(places, group, () => []);
    let [made, place] = [kernel, merged.length];
    for (let isUp = true; isUp && before.length > 0; ) {
      const last = before[before.length - 1]!;
      const other = merged[last]!;
      isUp = !canMoveDown(other, place);
      const joined = isUp && !canMoveUp(made, last) ? null : join(other, made);
      if (!joined) break;
      before.pop();
      merged[last] = null;
      if (isUp) place = last;
      made = joined;
    }
    merged[place] = made;
    before.push(place);
    for (const x of made.nodes.slice(made.form.results.length))
      firstReadAt.set(x, Math.min(firstReadAt.get(x) ?? place, place));
    for (const x of resultsOf(made)) computedAt.set(x, place);
  }
  return merged.filter((kernel) => kernel !== null);
}

/** Kernels of one group go through the same elements, in numbers of one width; null for those that stay by themselves. */
function groupOf(form: Form): string | null {
  const { kind, space, body, dtype, size, target } = form;
  if (kind !== "map" || canFail(form) || body.some(({ word }) => word === "call")) return null;
  const bytes = byteSize(dtype);
  const fits = (dtype: DType) => dtype === "bool" || byteSize(dtype) === bytes;
  if (dtype === "bool" || !body.every(({ dtype }) => fits(dtype))) return null;
  return `${bytes} ${space} ${size} ${target.offset} ${target.steps}`;
}

/** Scalars that one body has at the most: more values than registers have to go through memory. */
const longest = 100;

/** The kernel that does the work of two, the first one's first; null if there is none. */
type Join = (first: Kernel, second: Kernel) => Kernel | null;

/** Kernels of the same patterns that share nodes in the same way are joined in the same way. */
function joining(): Join {
  /** The joined form, and the numbers of its nodes among those of both. */
  const known = new Map<string, { readonly form: Form; readonly places: readonly number[] } | null>();
  return (first, second) => {
    const shared = second.nodes.map((x, i) =>
      first.nodes.findIndex((y, k) => x === y && first.starts[k] === second.starts[i]),
    );
    if (shared.every((place) => place < 0) || readsElsewhere(first, second)) return null;
    const both = remembered(known, `${first.form.pattern.id} ${second.form.pattern.id} ${shared}`, () =>
      joined(first.form, second.form, first.nodes.length, shared),
    );
    if (!both) return null;
    const nodes = [...first.nodes, ...second.nodes];
    const starts = [...first.starts, ...second.starts];
    return {
      form: reshaped(both.form, second.form.space),
      nodes: both.places.map((i) => nodes[i]!),
      starts: both.places.map((i) => starts[i]!),
    };
  };
}

/** Does the second read a result of the first at places that are counted from another element? */
function readsElsewhere(first: Kernel, second: Kernel): boolean {
  const results = resultsOf(first);
  return second.nodes.some((x, i) => second.starts[i] !== 0 && results.includes(x));
}

/**
 * A form that does the work of both; null if nothing is gained, or the second reads the first's results at other places. The first has
 * so many nodes; `shared` says which of them are nodes of the second.
 */
function joined(
  first: Form,
  second: Form,
  count: number,
  shared: readonly number[],
): { form: Form; places: number[] } | null {
  if (first.body.length + second.body.length > longest) return null;
  const results = first.results.length;
  /** The nodes: results, then what is read. */
  const places = [...first.results.keys(), ...second.results.map((_, i) => count + i)];
  const placed = (scalar: Scalar, place: number): Scalar => {
    if (scalar.source < 0) return scalar;
    const found = places.indexOf(place);
    return { ...scalar, source: found >= 0 ? found : places.push(place) - 1 };
  };
  const known = new Map<string, number>();
  const body = first.body.map((scalar, i) => {
    const made = placed(scalar, scalar.source);
    const key = keyOf(made);
    if (key !== null && !known.has(key)) known.set(key, i);
    return made;
  });
  const numbers: number[] = [];
  let loads = 0;
  for (const scalar of second.body) {
    const place = shared[scalar.source] ?? -1;
    const own = place >= 0 && place < results;
    if (own && !(scalar.operands.length === 0 && sameAffine(scalar.at!, first.target))) return null;
    const made = placed(scalar, place < 0 ? count + scalar.source : place);
    const key = keyOf(made);
    const found = own ? first.results[place] : key === null ? undefined : known.get(key);
    if (found === undefined)
      numbers.push(body.push({ ...made, operands: scalar.operands.map((i) => numbers[i]!) }) - 1);
    else {
      if (scalar.word === "load") loads++;
      numbers.push(found);
    }
  }
  if (loads === 0) return null;
  const all = [...first.results, ...second.results.map((i) => numbers[i]!)];
  const isFlat = first.pattern.shapes !== null && second.pattern.shapes !== null;
  return { form: patterned({ ...second, body, results: all }, isFlat), places };
}

/** A text for what may stand once for both: constants, and loads without a condition. */
function keyOf({ word, dtype, operands, value, source, at }: Scalar): string | null {
  if (word === "constant") return `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
  if (word !== "load" || operands.length > 0) return null;
  return `[${source} ${at!.offset} ${at!.steps}]`;
}
