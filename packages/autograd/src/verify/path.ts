import { forward } from "../differentiate.ts";
import type { TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { evaluate } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { fromElements } from "../ops/leaf.ts";
import type { Tangent } from "./direction.ts";
import type { Estimate } from "./extrapolation.ts";
import { oneSidedDerivative } from "./extrapolation.ts";
import type { Replay } from "./replay.ts";

/** How far the first step goes, in terms of a direction that is as long as the inputs are large. */
const farthest = 2 ** -7;
/** What changes within this step of `x` counts as a kink at `x`. */
const nearest = 2 ** -18;

/** An element of a node that sits on a kink, a tie or a jump. */
export interface Kink {
  readonly node: number;
  readonly element: number;
  /** The derivatives of this element to the left and to the right, and what the op's own rule says. */
  readonly left: Estimate;
  readonly right: Estimate;
  readonly tangent: number;
}

/**
 * The line through `x` along a direction, straightened where the graph has kinks: elements that sit on one go on as their op's own
 * rule says of how its operands go, discrete values stay. What is left is smooth; `kinks` tells how each straightened element fits
 * its own one-sided derivatives.
 */
export class Path {
  readonly replay: Replay;
  readonly t: Tangent;
  /** The largest step without another branch or the end of the domain on the way; 0 if there is none. */
  readonly step: number;
  /** Why `step` is what it is. */
  readonly shortened: "branch" | "domain" | null;
  readonly kinks: readonly Kink[];
  readonly #held = new Map<number, Uint8Array>();
  readonly #rules = new Map<number, Rule>();

  constructor(replay: Replay, t: Tangent) {
    this.replay = replay;
    this.t = t;
    for (const n of replay.intended) this.#hold(n).fill(1);
    // Straightening one element can bring others onto their kinks.
    for (let round = 0; round < 4 && this.#holdChanges(); round++);
    const { step, shortened } = this.#longestStep();
    this.step = step;
    this.shortened = shortened;
    this.kinks = this.#measureKinks();
  }

  /** The values of all nodes at `h`, or null. `seen` gets those of a node before anything of it is straightened. */
  valuesAt(
    h: number,
    seen?: (n: number, values: TypedArray, operands: readonly TypedArray[]) => void,
  ): readonly TypedArray[] | null {
    return this.replay.valuesAt(h, this.t, (n, values, operands) => {
      seen?.(n, values, operands);
      const held = this.#held.get(n);
      if (!held) return;
      const base = this.replay.base[n]!;
      const moved = this.#rules.get(n)?.along(this.#displacement(n, operands)) ?? null;
      for (let i = 0; i < values.length; i++) if (held[i]) values[i] = base[i]! + (moved ? moved[i]! : 0);
    });
  }

  /** By how much the operands of node `n` have moved. An infinity that stays has not. */
  #displacement(n: number, operands: readonly TypedArray[]): Float64Array[] {
    const base = this.replay.operands(this.replay.base, n);
    const moved = (x: number, from: number) => (Object.is(x, from) ? 0 : x - from);
    return operands.map((operand, k) => Float64Array.from(operand, (x, i) => moved(x, base[k]![i]!)));
  }

  #hold(n: number): Uint8Array {
    let held = this.#held.get(n);
    if (!held) {
      held = new Uint8Array(this.replay.base[n]!.length);
      this.#held.set(n, held);
      if (isFloat(this.replay.order.nodes[n]!.dtype)) this.#rules.set(n, new Rule(this.replay, n));
    }
    return held;
  }

  /** Holds what is on another branch right beside `x`; are there any new ones? */
  #holdChanges(): boolean {
    let found = false;
    const opaque = this.replay.opaqueKinks();
    const sides = [nearest, -nearest].map((h) => {
      const values = this.valuesAt(h);
      if (!values) return null;
      const kept = opaque.map((n) => values[n]!.slice());
      const changed: [number, number][] = [];
      this.replay.eachChange(values, (n, i) => changed.push([n, i]));
      for (const [n, i] of changed) if (this.#holdElement(n, i)) found = true;
      return kept;
    });
    const [right, left] = sides;
    if (right && left)
      opaque.forEach((n, k) => {
        for (const i of bends(this.replay.base[n]!, right[k]!, left[k]!))
          if (this.#holdElement(n, i)) found = true;
      });
    return found;
  }

  /** Was it not held before? */
  #holdElement(n: number, i: number): boolean {
    const held = this.#hold(n);
    if (held[i]) return false;
    held[i] = 1;
    return true;
  }

  #longestStep(): { step: number; shortened: "branch" | "domain" | null } {
    let shortened: "branch" | "domain" | null = null;
    for (let step = farthest; step >= nearest; step /= 8) {
      const obstacle = this.#obstacleWithin(step);
      if (obstacle === null) return { step, shortened };
      shortened = obstacle;
    }
    return { step: 0, shortened };
  }

  #obstacleWithin(step: number): "branch" | "domain" | null {
    for (const h of [step, -step]) {
      const values = this.valuesAt(h);
      if (!values) return "domain";
      const base = this.replay.result;
      const remains = (y: number, i: number) => Number.isFinite(y) || !Number.isFinite(base[i]!);
      if (!values[values.length - 1]!.every(remains)) return "domain";
      let changed = false;
      this.replay.eachChange(values, (n, i) => {
        if (!this.#held.get(n)?.[i]) changed = true;
      });
      if (changed) return "branch";
    }
    return null;
  }

  /** The one-sided derivatives of the held elements, of ops that are not discrete and not taken at their word. */
  #measureKinks(): Kink[] {
    const { order, intended } = this.replay;
    const held = [...this.#held].filter(([n]) => isFloat(order.nodes[n]!.dtype) && !intended.includes(n));
    if (held.length === 0) return [];
    const points = [0.5, 1, 1.5, 2, 3].flatMap((k) => [k * nearest, -k * nearest]);
    const seen = new Map(points.map((h) => [h, this.#seenAt(h, held)]));
    return held.flatMap(([n, mask]) => {
      const [right, left] = [nearest, -nearest].map((h) => seen.get(h)!.get(n)?.tangent);
      return [...mask.keys()]
        .filter((i) => mask[i])
        .map((element) => {
          const along = (h: number) => seen.get(h)!.get(n)?.values[element] ?? Number.NaN;
          const noise = 2 ** -52 * Math.abs(this.replay.base[n]![element]!);
          return {
            node: n,
            element,
            left: oneSidedDerivative(along, -nearest, noise),
            right: oneSidedDerivative(along, nearest, noise),
            tangent: ((right?.[element] ?? 0) - (left?.[element] ?? 0)) / (2 * nearest),
          };
        });
    });
  }

  /** What nodes are before they are straightened, and how their rules say that they have moved. */
  #seenAt(
    h: number,
    held: readonly (readonly [number, unknown])[],
  ): Map<number, { values: TypedArray; tangent: ArrayLike<number> | null }> {
    const found = new Map<number, { values: TypedArray; tangent: ArrayLike<number> | null }>();
    this.valuesAt(h, (n, values, operands) => {
      if (!held.some(([k]) => k === n)) return;
      const tangent = this.#rules.get(n)!.along(this.#displacement(n, operands));
      found.set(n, { values: values.slice(), tangent });
    });
    return found;
  }
}

/** The elements that do not go straight through their base. */
function bends(base: TypedArray, right: TypedArray, left: TypedArray): number[] {
  return [...base.keys()].filter((i) => {
    const [forth, back] = [right[i]! - base[i]!, base[i]! - left[i]!];
    return Math.abs(forth - back) > 0.01 * Math.max(Math.abs(forth), Math.abs(back)) + 1e-13;
  });
}

/** The forward rule of one node, at its operands' values. */
class Rule {
  readonly #leaves: readonly Tensor[];
  readonly #out: Tensor;

  constructor(replay: Replay, n: number) {
    const node = replay.order.nodes[n]!;
    this.#leaves = replay.operandsAsLeaves(n);
    this.#out = apply(node.op, this.#leaves, node.attributes);
  }

  /** How the result moves when the operands move by `displacement`; null for not at all. */
  along(displacement: readonly Float64Array[]): ArrayLike<number> | null {
    const floats = this.#leaves.flatMap((leaf, i) => (isFloat(leaf.dtype) ? [i] : []));
    const tangent = forward(
      [this.#out],
      floats.map((i) => this.#leaves[i]!),
      floats.map((i) => fromElements(displacement[i]!, this.#leaves[i]!.shape)),
    )[0];
    return tangent ? evaluate([tangent])[0]! : null;
  }
}
