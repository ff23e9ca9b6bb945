import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { formatShape, sizeOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import type { Kernel } from "./kernel.ts";

/**
 * A kernel as loops over memory. Loops that every place walks through evenly are one loop, loops of one round are gone,
 * and all places that move alike share one walk: a number that the loops advance, to which each place adds a constant.
 */
export interface Nest {
  readonly kernel: Kernel;
  readonly counts: readonly number[];
  /** The first `outer` loops count results. */
  readonly outer: number;
  /** How far each walk goes in one round of each loop: bytes for places in memory, else units. */
  readonly walks: readonly (readonly number[])[];
  /** By scalar of the body; null where it has no place. */
  readonly places: readonly (Place | null)[];
  readonly target: Place;
  /** Are the loops over results, or those over terms, written out? */
  readonly unrolled: { readonly results: boolean; readonly terms: boolean };
}

/** A walk (-1: one that stands still) and what is added to it. */
export interface Place {
  readonly walk: number;
  readonly offset: number;
}

export function loops(kernels: readonly Kernel[]): Nest[] {
  return kernels.map(nestOf);
}

function nestOf(kernel: Kernel): Nest {
  const inBytes = (at: Affine, x: Tensor): Affine => scaled(at, byteSize(x.dtype));
  const target = inBytes(kernel.target, kernel.node);
  const affines = kernel.body.map(({ source, at }) => (at && source ? inBytes(at, source) : at));
  const moving = [target, ...affines.filter((x) => x !== null)];
  const { groups, outer } = merged(kernel, moving);
  const counts = groups.map((group) => sizeOf(group.map((loop) => kernel.space[loop]!)));
  const walks: number[][] = [];
  const numbers = new Map<string, number>();
  const place = ({ offset, steps }: Affine): Place => {
    const walk = groups.map((group) => steps[group[group.length - 1]!]!);
    if (walk.every((step) => step === 0)) return { walk: -1, offset };
    const key = walk.join();
    if (!numbers.has(key)) numbers.set(key, walks.push(walk) - 1);
    return { walk: numbers.get(key)!, offset };
  };
  const places = affines.map((at) => at && place(at));
  return {
    kernel,
    counts,
    outer,
    walks,
    places,
    target: place(target),
    unrolled: unrolling(kernel, counts, outer),
  };
}

function scaled({ offset, steps }: Affine, by: number): Affine {
  return { offset: offset * by, steps: steps.map((step) => step * by) };
}

/** The loops that become one, outermost first. Results and terms stay apart. */
function merged({ space, outer }: Kernel, moving: readonly Affine[]): { groups: number[][]; outer: number } {
  const groups: number[][] = [];
  let results = 0;
  space.forEach((size, loop) => {
    if (size === 1) return;
    const last = groups[groups.length - 1];
    const before = last?.[last.length - 1];
    const even =
      before !== undefined &&
      before < outer === loop < outer &&
      moving.every(({ steps }) => steps[before] === steps[loop]! * size);
    if (even) last!.push(loop);
    else groups.push([loop]);
    if (loop < outer) results = groups.length;
  });
  return { groups, outer: results };
}

/** Scalars that loops may be written out to. */
const unrolledLimit = 400;
const unrolledTerms = 64;

function unrolling({ body, fold }: Kernel, counts: readonly number[], outer: number): Nest["unrolled"] {
  const work =
    body.filter(({ word }) => word !== "constant").length + (fold?.combine.instructions.length ?? 0);
  const terms = sizeOf(counts.slice(outer));
  const inner = terms <= unrolledTerms && terms * work <= unrolledLimit;
  return { terms: inner, results: inner && sizeOf(counts) * work <= unrolledLimit };
}

/** The loops as text. */
export function formatLoops(nests: readonly Nest[]): string {
  return nests
    .map(({ kernel, counts, outer, walks, unrolled }) => {
      const results = `${formatShape(counts.slice(0, outer))}${unrolled.results ? " unrolled" : ""}`;
      const terms = `${formatShape(counts.slice(outer))}${unrolled.terms ? " unrolled" : ""}`;
      const inner = counts.length > outer ? ` over ${terms}` : "";
      const steps = walks.map((walk) => `(${walk.join(", ")})`).join(" ");
      return `${kernel.kind} ${kernel.node.op.name} ${results}${inner} walks ${steps}, ${kernel.body.length} scalars`;
    })
    .join("\n");
}
