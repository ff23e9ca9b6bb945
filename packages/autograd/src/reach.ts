import { isFloat } from "./dtype.ts";
import { GradientError } from "./errors.ts";
import type { Tensor } from "./graph.ts";
import { derivativeOf, ownerOf } from "./graph.ts";
import { remembered } from "./memo.ts";
import { stopOp } from "./ops/composed.ts";
import type { Origin, Source } from "./ops/result.ts";
import { areResults, resultOriginOf } from "./ops/result.ts";
import { formatShape } from "./shape.ts";
import type { Topology } from "./topology.ts";
import { nameVersion, numberIn, topology } from "./topology.ts";

/** Between which nodes derivatives go: what depends on the targets, what the outputs depend on, and where derivatives end. */

/** Which nodes depend on one of the targets by derivatives that are not zero? `targets` are their numbers, -1 for none. */
export function markDependents({ nodes, starts, edges }: Topology, targets: readonly number[]): Uint8Array {
  const isDependent = new Uint8Array(nodes.length);
  for (const n of targets) if (n >= 0) isDependent[n] = 1;
  for (let n = 0; n < nodes.length; n++) {
    const out = nodes[n]!;
    if (!isFloat(out.dtype)) continue;
    for (let k = starts[n]!, i = 0; k < starts[n + 1]! && !isDependent[n]; k++, i++)
      if (isDependent[edges[k]!] && derivativeOf(out.op, i).kind !== "zero") isDependent[n] = 1;
  }
  return isDependent;
}

/** The tensor that a variable stands for at present, if it is none of its versions. */
export let valueOf: (target: Tensor) => Tensor | null = () => null;

/** From now on variables may stand for tensors, which `find` knows. Bundles without `withValues` carry none of this. */
export function useValues(find: (target: Tensor) => Tensor | null): void {
  valueOf = find;
}

/**
 * The numbers of the targets in `order`, -1 where the outputs do not depend on one. A variable means what it stands for, or else the
 * version that the outputs were built on; two versions would make the question ambiguous and are an error, unless derivatives reach one
 * alone.
 */
export function findTargets(
  order: Topology,
  outputs: readonly Tensor[],
  targets: readonly Tensor[],
  caller: string,
): number[] {
  const { nodes } = order;
  let isNamedTwice = false;
  for (let n = 0; n < nodes.length; n++) {
    const owner = ownerOf(nodes[n]!);
    if (owner && !nameVersion(order, owner, n)) isNamedTwice = true;
  }
  const numberOf = isNamedTwice
    ? versionIn(order, outputs, caller)
    : (target: Tensor) => numberIn(order, target);
  return targets.map((target) => {
    // What backward finds are the variables themselves.
    const value = caller === "backward" ? null : valueOf(target);
    const n = value ? numberIn(order, value) : -1;
    return n < 0 ? numberOf(target) : n;
  });
}

/** Finds the number of a target where a variable has several versions among the nodes. */
function versionIn(order: Topology, outputs: readonly Tensor[], caller: string): (target: Tensor) => number {
  const isReached = markDependencies(order, outputs);
  const versions = new Map<Tensor, number[]>();
  order.nodes.forEach((node, n) => {
    const owner = ownerOf(node);
    if (owner) remembered(versions, owner, () => []).push(n);
  });
  return (target) => {
    const own = versions.get(target) ?? [];
    if (own.length < 2) return numberIn(order, target);
    const reached = own.filter((n) => isReached[n]);
    if (reached.length > 1)
      throw new GradientError(
        `${caller}: the output was built on ${reached.length} versions of ${target.label ?? "a variable"} of shape ` +
          `${formatShape(target.shape)}: it was assigned in between; differentiate before assigning, or detach() what one step hands to the next`,
      );
    return reached[0] ?? -1;
  };
}

/** Which nodes do the outputs depend on by derivatives that are not zero? */
function markDependencies(order: Topology, outputs: readonly Tensor[]): Uint8Array {
  const { nodes, starts, edges } = order;
  const reached = new Uint8Array(nodes.length);
  for (const y of outputs) reached[numberIn(order, y)] = 1;
  for (let n = nodes.length - 1; n >= 0; n--) {
    const out = nodes[n]!;
    if (!reached[n] || !isFloat(out.dtype)) continue;
    for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++)
      if (derivativeOf(out.op, i).kind !== "zero") reached[edges[k]!] = 1;
  }
  return reached;
}

/** Do derivatives end at this node, whatever they are by? At versions of variables, and where the user says so. */
export function isEnd(x: Tensor): boolean {
  return ownerOf(x) !== null || x.op === stopOp;
}

/**
 * Throws GradientError if the outputs depend on one of the targets through what a compiled function returned: that is a leaf, and a
 * part of the gradient would be missing without a word. `order` is the topology that was made last.
 */
export function checkResults(
  order: Topology,
  outputs: readonly Tensor[],
  targets: readonly Tensor[],
  caller: string,
): void {
  const { nodes } = order;
  if (!areResults() || !nodes.some(resultOriginOf)) return;
  const reached = markDependencies(order, outputs);
  const missed = findBehind(
    nodes.filter((_, n) => reached[n]),
    targets,
  );
  if (missed)
    throw new GradientError(
      `${caller}: the output depends on ${missed.label ?? (ownerOf(missed.node) ? "a variable" : "a tensor")} of shape ` +
        `${formatShape(missed.shape)} through what a compiled function returned, where derivatives end; compile all of it, or make ` +
        "that a constant with x.detach()",
    );
}

/** The first of the targets that results among these nodes were computed from, in one call or in several behind one another. */
function findBehind(nodes: readonly Tensor[], targets: readonly Tensor[]): Tensor | null {
  const wanted = new Map(targets.map((x) => [x.id, x]));
  const sources: Source[] = nodes.flatMap(sourcesOf);
  const seen = new Set<number>();
  for (const source of sources) {
    const id = typeof source === "number" ? source : source.id;
    const found = wanted.get(id);
    if (found) return found;
    if (typeof source === "number" || seen.has(id)) continue;
    seen.add(id);
    const { origin } = source;
    const { variables, places } = remembered(behindOrigins, origin, behind);
    sources.push(...variables, ...places.flatMap((i) => origin.given.of(id, i)));
  }
  return null;
}

function sourcesOf(x: Tensor): Source[] {
  const origin = resultOriginOf(x);
  return origin ? [{ origin, id: x.id }] : [];
}

/** What an output of a compiled function depends on by derivatives that are not zero: the ids of variables, and the places of arguments. */
interface Behind {
  readonly variables: readonly number[];
  readonly places: readonly number[];
}

const behindOrigins = /* @__PURE__ */ new WeakMap<Origin, Behind>();

function behind({ output, symbols }: Origin): Behind {
  const order = topology([output], isEnd);
  const isBuiltOn = markDependencies(order, [output]);
  const leaves = order.nodes.filter((_, n) => isBuiltOn[n]);
  return {
    variables: leaves.flatMap((x) => ownerOf(x)?.id ?? []),
    places: leaves.map((x) => symbols.indexOf(x)).filter((i) => i >= 0),
  };
}
