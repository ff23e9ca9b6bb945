import type { DType } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { numbered, remembered } from "../memo.ts";
import type { Affine } from "./affine.ts";
import type { Kernel, Pattern, Scalar, Unpatterned } from "./kernel.ts";
import { canFail, formOf, kernelOf, patterned, resultsOf } from "./kernel.ts";

/**
 * Joins kernels that go through the same elements and read the same memory: what one loads the other need not, and what one has
 * computed the other has in a register. The update of a parameter and those of its averages become one kernel.
 *
 * A kernel moves down to the one that it is joined with; it may pass those in between as long as none of them reads what it computes.
 */
export function merge(kernels: readonly Kernel[]): Kernel[] {
  const writers = new Map<Tensor, number>();
  for (const { node } of kernels) writers.set(node, (writers.get(node) ?? 0) + 1);
  const join = joining();
  const groups = new Map<string, string | null>();
  const merged: (Kernel | null)[] = [];
  /** The last kernel of each group that can still move down, by its place in `merged`. */
  const open = new Map<string, number>();
  /** The group of the kernel that computes a node, while that one is open. */
  const owners = new Map<Tensor, string>();
  for (const kernel of kernels) {
    const group =
      writers.get(kernel.node) === 1 ? remembered(groups, formOf(kernel), () => groupOf(kernel)) : null;
    const place = group === null ? undefined : open.get(group);
    const before = place === undefined ? null : merged[place]!;
    const joined = before && join(before, kernel);
    if (joined) merged[place!] = null;
    for (const source of kernel.nodes) {
      const owner = owners.get(source);
      if (owner && !(joined && owner === group)) open.delete(owner);
    }
    if (group !== null) {
      if (!joined && before) for (const { node } of resultsOf(before)) owners.delete(node);
      open.set(group, merged.length);
      owners.set(kernel.node, group);
    }
    merged.push(joined ?? kernel);
  }
  return merged.filter((kernel) => kernel !== null);
}

/** Kernels of one group go through the same elements, in numbers of one width; null for those that stay by themselves. */
function groupOf(kernel: Kernel): string | null {
  const { kind, node, space, body, target } = kernel;
  if (kind !== "map" || canFail(kernel) || body.some(({ word }) => word === "call")) return null;
  const bytes = byteSize(node.dtype);
  const fits = (dtype: DType) => dtype === "bool" || byteSize(dtype) === bytes;
  if (node.dtype === "bool" || !body.every(({ dtype }) => fits(dtype))) return null;
  return `${bytes} ${space} ${node.size} ${target.offset} ${target.steps}`;
}

/** Scalars that one body has at the most: more values than registers have to go through memory. */
const longest = 100;

/** `joined`, of which kernels of the same patterns that share nodes in the same way know the answer. */
function joining(): (first: Kernel, second: Kernel) => Kernel | null {
  /** The joined kernel's pattern, and its nodes by their numbers among those of both. */
  const known = new Map<string, { readonly pattern: Pattern; readonly numbers: readonly number[] } | null>();
  return (first, second) => {
    const shared = second.nodes.map((x) => first.nodes.indexOf(x));
    const nodes = [...first.nodes, ...second.nodes];
    const both = remembered(known, `${first.pattern.id} ${second.pattern.id} ${shared}`, () => {
      const made = joined(first, second);
      if (!made) return null;
      const { pattern, nodes: own } = patterned(made, first.pattern.isFlat && second.pattern.isFlat);
      return { pattern, numbers: own.map((x) => nodes.indexOf(x)) };
    });
    return (
      both &&
      kernelOf(
        both.pattern,
        both.numbers.map((i) => nodes[i]!),
        second.node.shape,
      )
    );
  };
}

/** The work of both, the first one's first; null if nothing is gained, or the second reads the first's results at other places. */
function joined(first: Kernel, second: Kernel): Unpatterned | null {
  if (first.body.length + second.body.length > longest) return null;
  const results = resultsOf(first);
  const names = new Map<Tensor, number>();
  const known = new Map<string, number>();
  first.body.forEach((scalar, i) => {
    const key = keyOf(scalar, names);
    if (key !== null && !known.has(key)) known.set(key, i);
  });
  const body = [...first.body];
  const numbers: number[] = [];
  let shared = 0;
  for (const scalar of second.body) {
    const own = results.find(({ node }) => node === scalar.source);
    if (own && !(scalar.operands.length === 0 && sameAffine(scalar.at!, first.target))) return null;
    const key = keyOf(scalar, names);
    const found = own ? own.result : key === null ? undefined : known.get(key);
    if (found === undefined)
      numbers.push(body.push({ ...scalar, operands: scalar.operands.map((i) => numbers[i]!) }) - 1);
    else {
      if (scalar.word === "load") shared++;
      numbers.push(found);
    }
  }
  return shared > 0 ? { ...second, body, result: numbers[second.result]!, also: results } : null;
}

/** A text for what may stand once for both: constants, and loads without a condition. */
function keyOf(
  { word, dtype, operands, value, source, at }: Scalar,
  names: Map<Tensor, number>,
): string | null {
  if (word === "constant") return `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
  if (word !== "load" || operands.length > 0) return null;
  return `[${numbered(names, source!)} ${at!.offset} ${at!.steps}]`;
}

function sameAffine(x: Affine, y: Affine): boolean {
  return x.offset === y.offset && x.steps.every((step, i) => step === y.steps[i]);
}
