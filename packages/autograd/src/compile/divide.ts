import { remembered } from "../memo.ts";
import { sizeOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import { moved } from "./affine.ts";
import type { Form, Kernel } from "./kernel.ts";
import { patterned } from "./kernel.ts";
import { mostRows } from "./microkernel.ts";

/** The form of a part, and for each of its nodes the one it stands for, and how far its places move with the axis that is divided. */
interface Part {
  readonly form: Form;
  readonly entries: readonly { readonly node: number; readonly step: number }[];
}

/**
 * Kernels as parts that several threads compute: each has some of the indices of one loop over results. No two write to the same
 * element, and what is summed for one result is in one part, in the same order, so the bits do not depend on how many there are.
 */
export class Division {
  readonly count: number;
  readonly #fewest: number;
  readonly #parts = new Map<Form, Map<string, Part>>();

  /** So many parts, of kernels that do at least as many steps. */
  constructor(count: number, fewest: number = fewestSteps) {
    this.count = count;
    this.#fewest = fewest;
  }

  /** Parts, one for each thread, or fewer; null for a kernel that is not worth it. */
  of(kernel: Kernel): Kernel[] | null {
    const { form } = kernel;
    const axis = this.#axisOf(form);
    if (axis < 0) return null;
    const size = form.space[axis]!;
    const unit = unitOf(form, axis);
    const count = Math.min(this.count, Math.floor(size / unit));
    if (count < 2) return null;
    const bound = (i: number) => (i === count ? size : unit * Math.floor((size * i) / count / unit));
    return Array.from({ length: count }, (_, i) => this.#partOf(kernel, axis, bound(i), bound(i + 1)));
  }

  /** The loop over results that is divided: the outermost that has many rounds, else the longest; -1 if none is to be. */
  #axisOf(form: Form): number {
    const { kind, space, outer, body } = form;
    if (kind === "scatter" || kind === "opaque") return -1;
    const rounds = sizeOf(space);
    if (rounds * (kind === "product" ? 1 / productSteps : body.length) < this.#fewest) return -1;
    // The columns of a product lie in panels.
    const loops = space.slice(0, kind === "product" ? outer - 1 : outer);
    const many = loops.findIndex((size) => size >= 8 * this.count);
    if (many >= 0) return many;
    const longest = Math.max(1, ...loops);
    return longest === 1 ? -1 : loops.indexOf(longest);
  }

  #partOf({ form, nodes, starts }: Kernel, axis: number, from: number, to: number): Kernel {
    const isOfItsOwn = form.body.some(({ source, at }) => at && staysIn(source, at.steps[axis]!));
    const { form: own, entries } = remembered(
      remembered(this.#parts, form, () => new Map<string, Part>()),
      `${axis} ${to - from} ${isOfItsOwn ? from : ""}`,
      () => partOf(form, axis, from, to),
    );
    return {
      form: own,
      nodes: entries.map(({ node }) => nodes[node]!),
      starts: entries.map(({ node, step }) => starts[node]! + step * from),
    };
  }
}

/** With fewer steps of bodies, threads would wait for each other longer than they compute. */
const fewestSteps = 1 << 14;

/** So many multiplications of a product take as long as a step of a body. */
const productSteps = 4;

/** How many indices stay together: the rows of the micro-kernel, a line of results that lie side by side. */
function unitOf({ kind, outer }: Form, axis: number): number {
  if (kind === "product") return axis === outer - 2 ? mostRows : 1;
  return axis === outer - 1 ? 16 : 1;
}

/**
 * Does the form of a part say where it begins: of an index, and of places that are walked through backwards? These would count from an
 * element before the first, whose address may be below 0.
 */
function staysIn(source: number, step: number): boolean {
  return source < 0 ? step !== 0 : step < 0;
}

function partOf(form: Form, axis: number, from: number, to: number): Part {
  const { pattern: _, ...whole } = form;
  const along = ({ steps }: Affine) => steps[axis]!;
  const entries = form.results.map((_, node) => ({ node, step: along(form.target) }));
  const body = form.body.map((scalar) => {
    const { source: node, at } = scalar;
    if (!at) return scalar;
    const isOwn = staysIn(node, along(at));
    const place = isOwn ? moved(at, along(at) * from) : at;
    if (node < 0) return { ...scalar, at: place };
    const step = isOwn ? 0 : along(at);
    const known = entries.findIndex((entry) => entry.node === node && entry.step === step);
    return { ...scalar, source: known >= 0 ? known : entries.push({ node, step }) - 1, at: place };
  });
  return { form: patterned({ ...whole, space: form.space.with(axis, to - from), body }, false), entries };
}
