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
export function merge(kernels: readonly Kernel[]): readonly Kernel[] {
  if (!kernels.some(({ form }) => form.size >= fewest)) return kernels;
  const writers = new Map<Tensor, number>();
  for (const { nodes } of kernels) writers.set(nodes[0]!, (writers.get(nodes[0]!) ?? 0) + 1);
  const merging = new Merging();
  for (const kernel of kernels) merging.add(kernel, writers.get(kernel.nodes[0]!) === 1);
  return merging.merged.filter((kernel) => kernel !== null);
}

class Merging {
  /** The kernels in their order; null where one was, that has joined another. */
  readonly merged: (Kernel | null)[] = [];
  /** The places in `merged` of the kernels of each group. */
  readonly #places = new Map<string, number[]>();
  /** `groupOf` each form. */
  readonly #groups = new Map<Form, string | null>();
  /** The place of the kernel that computes a node, and of the first that reads it. */
  readonly #computedAt = new Map<Tensor, number>();
  readonly #firstReadAt = new Map<Tensor, number>();
  /** The joined form of two patterns that share nodes in one way, and the numbers of its nodes among those of both. */
  readonly #joined = new Map<string, Joined | null>();

  /** Adds a kernel behind those that are there; others may write parts of its node unless it is `alone`. */
  add(kernel: Kernel, alone: boolean): void {
    const group = alone ? remembered(this.#groups, kernel.form, groupOf) : null;
    const before = group === null ? [] : remembered(this.#places, group, () => []);
    let [made, place] = [kernel, this.merged.length];
    for (let isUp = true; isUp && before.length > 0; ) {
      const last = before[before.length - 1]!;
      const other = this.merged[last]!;
      isUp = !this.#canMoveDown(other, place);
      const joined = isUp && !this.#canMoveUp(made, last) ? null : this.#join(other, made);
      if (!joined) break;
      before.pop();
      this.merged[last] = null;
      if (isUp) place = last;
      made = joined;
    }
    this.merged[place] = made;
    before.push(place);
    const results = made.form.results.length;
    made.nodes.forEach((x, i) => {
      if (i < results) this.#computedAt.set(x, place);
      else this.#firstReadAt.set(x, Math.min(this.#firstReadAt.get(x) ?? place, place));
    });
  }

  #canMoveDown(kernel: Kernel, to: number): boolean {
    for (const x of resultsOf(kernel)) if ((this.#firstReadAt.get(x) ?? to) < to) return false;
    return true;
  }

  #canMoveUp({ nodes, form }: Kernel, to: number): boolean {
    for (let i = form.results.length; i < nodes.length; i++)
      if ((this.#computedAt.get(nodes[i]!) ?? to) > to) return false;
    return true;
  }

  /** The kernel that does the work of two, the first one's first; null if there is none. */
  #join(first: Kernel, second: Kernel): Kernel | null {
    const shared = sharedNodes(first, second);
    if (!shared) return null;
    const key = `${first.form.pattern.id} ${second.form.pattern.id} ${shared}`;
    const both = remembered(this.#joined, key, () =>
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
  }
}

/** Kernels of one group go through the same elements, in numbers of one width; null for those that stay by themselves. */
function groupOf(form: Form): string | null {
  const { kind, space, body, dtype, size, target } = form;
  if (size < fewest || kind !== "map" || canFail(form) || dtype === "bool") return null;
  const bytes = byteSize(dtype);
  for (const { word, dtype } of body)
    if (word === "call" || (dtype !== "bool" && byteSize(dtype) !== bytes)) return null;
  return `${bytes} ${space} ${size} ${target.offset} ${target.steps}`;
}

/** Elements below which it takes longer to join kernels than loads ever take. */
const fewest = 16;

/** The most scalars of a joined body: with more, values no longer fit into registers and go through memory. */
const longest = 100;

/** A form that does the work of two, and the numbers of its nodes among those of both. */
interface Joined {
  readonly form: Form;
  readonly places: readonly number[];
}

/** By node of the second kernel, the number of that node of the first which it is; null if nothing can be gained. */
function sharedNodes(first: Kernel, second: Kernel): number[] | null {
  const shared: number[] = [];
  let isAny = false;
  for (let i = 0; i < second.nodes.length; i++) {
    const place = placeOf(first, second.nodes[i]!, second.starts[i]!);
    if (place >= 0) isAny = true;
    shared.push(place);
  }
  return isAny && !readsElsewhere(first, second) ? shared : null;
}

/** The number of `x`, of which element `start` is the first, among the nodes of a kernel, or -1. */
function placeOf({ nodes, starts }: Kernel, x: Tensor, start: number): number {
  for (let i = 0; i < nodes.length; i++) if (nodes[i] === x && starts[i] === start) return i;
  return -1;
}

/** Does the second read a result of the first at places that are counted from another element? */
function readsElsewhere(first: Kernel, second: Kernel): boolean {
  const results = resultsOf(first);
  for (let i = 0; i < second.nodes.length; i++)
    if (second.starts[i] !== 0 && results.includes(second.nodes[i]!)) return true;
  return false;
}

/**
 * A form that does the work of both; null if nothing is gained, or the second reads the first's results at other places. The first has
 * so many nodes; `shared` says which of them are nodes of the second.
 */
function joined(first: Form, second: Form, count: number, shared: readonly number[]): Joined | null {
  if (first.body.length + second.body.length > longest) return null;
  const results = first.results.length;
  /** The nodes: results, then what is read. */
  const places = [...first.results.keys()];
  for (let i = 0; i < second.results.length; i++) places.push(count + i);
  const known = new Map<string, number>();
  const body: Scalar[] = [];
  for (const scalar of first.body) {
    const made = placed(scalar, scalar.source, places);
    const key = keyOf(made);
    if (key !== null && !known.has(key)) known.set(key, body.length);
    body.push(made);
  }
  const numbers: number[] = [];
  let loads = 0;
  for (const scalar of second.body) {
    const place = shared[scalar.source] ?? -1;
    const own = place >= 0 && place < results;
    if (own && !(scalar.operands.length === 0 && sameAffine(scalar.at!, first.target))) return null;
    const made = placed(scalar, place < 0 ? count + scalar.source : place, places);
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

/** The scalar for where its node has its place among `places`, which may get one more. */
function placed(scalar: Scalar, place: number, places: number[]): Scalar {
  if (scalar.source < 0) return scalar;
  const found = places.indexOf(place);
  return { ...scalar, source: found >= 0 ? found : places.push(place) - 1 };
}

/** A text for what may stand once for both: constants, and loads without a condition. */
function keyOf({ word, dtype, operands, value, source, at }: Scalar): string | null {
  if (word === "constant") return `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
  if (word !== "load" || operands.length > 0) return null;
  return `[${source} ${at!.offset} ${at!.steps}]`;
}
