import { forward } from "../differentiate.ts";
import type { TypedArray } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { evaluate } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import { fromElements } from "../ops/leaf.ts";
import type { Estimate } from "./extrapolation.ts";
import { oneSidedDerivative } from "./extrapolation.ts";
import type { Replay } from "./replay.ts";

/** How far the first step goes, in terms of a direction that is as long as the inputs are large. */
const farthest = 2 ** -7;
/** What changes within this step of `x` counts as a kink at `x`. */
const nearest = 2 ** -18;

/** A node with elements that sit on a kink, a tie or a jump. */
export interface Kink {
  readonly node: number;
  readonly element: number;
  /** The derivatives of this element to the left and to the right, and what the rules say. */
  readonly left: Estimate;
  readonly right: Estimate;
  readonly tangent: number;
}

/**
 * The line through `x` along a direction, straightened where the graph has kinks: elements that sit on one move on along
 * their tangent by the rules, discrete values stay. What is left is smooth; `kinks` tells how each straightened element fits
 * its own one-sided derivatives.
 */
export class Path {
  readonly replay: Replay;
  readonly t: readonly (Float64Array | null)[];
  /** The largest step without another branch or the end of the domain on the way; 0 if there is none. */
  readonly step: number;
  /** Why `step` is what it is. */
  readonly shortened: "branch" | "domain" | null;
  readonly kinks: readonly Kink[];
  readonly #held = new Map<number, Uint8Array>();
  readonly #tangents = new Map<number, ArrayLike<number>>();

  constructor(replay: Replay, t: readonly (Float64Array | null)[]) {
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

  /** The values of all nodes at `h`, or null. */
  valuesAt(h: number, seen?: (n: number, values: TypedArray) => void): readonly TypedArray[] | null {
    return this.replay.valuesAt(h, this.t, (n, values) => {
      seen?.(n, values);
      const held = this.#held.get(n);
      if (!held) return;
      const base = this.replay.base[n]!;
      const tangents = this.#tangents.get(n);
      for (let i = 0; i < values.length; i++)
        if (held[i]) values[i] = base[i]! + (tangents ? h * tangents[i]! : 0);
    });
  }

  #hold(n: number): Uint8Array {
    let held = this.#held.get(n);
    if (!held) {
      held = new Uint8Array(this.replay.base[n]!.length);
      this.#held.set(n, held);
    }
    return held;
  }

  /** Holds what is on another branch right beside `x`; are there any new ones? */
  #holdChanges(): boolean {
    this.#computeTangents();
    let found = false;
    const opaque = this.replay.opaqueKinks();
    const sides = [nearest, -nearest].map((h) => {
      const values = this.valuesAt(h);
      if (!values) return null;
      this.replay.eachChange(values, (n, i) => {
        const held = this.#hold(n);
        if (held[i]) return;
        held[i] = 1;
        found = true;
      });
      return opaque.map((n) => values[n]!.slice());
    });
    if (sides[0] && sides[1])
      opaque.forEach((n, k) => {
        if (this.#holdBends(n, sides[0]![k]!, sides[1]![k]!)) found = true;
      });
    if (found) this.#computeTangents();
    return found;
  }

  /** Holds the elements of node `n` that do not go straight through `x`. */
  #holdBends(n: number, right: TypedArray, left: TypedArray): boolean {
    const base = this.replay.base[n]!;
    let found = false;
    base.forEach((value, i) => {
      const [forth, back] = [right[i]! - value, value - left[i]!];
      const bent = Math.abs(forth - back) > 0.01 * Math.max(Math.abs(forth), Math.abs(back)) + 1e-13;
      if (!bent || this.#held.get(n)?.[i]) return;
      this.#hold(n)[i] = 1;
      found = true;
    });
    return found;
  }

  /** What the rules say of the nodes with held elements. */
  #computeTangents(): void {
    const { order, x } = this.replay;
    const wanted = [...this.#held.keys()].filter(
      (n) => !this.#tangents.has(n) && isFloat(order.nodes[n]!.dtype),
    );
    if (wanted.length === 0) return;
    const found = forward(
      wanted.map((n) => order.nodes[n]!),
      x,
      tensorsOf(this.t, x),
    );
    const known = found.filter((tangent) => tangent !== null);
    const values = new Map(evaluate(known).map((data, i) => [known[i]!, data]));
    wanted.forEach((n, k) => {
      const tangent = found[k];
      this.#tangents.set(n, tangent ? values.get(tangent)! : new Float64Array(this.replay.base[n]!.length));
    });
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
      const base = this.replay.base[values ? values.length - 1 : 0]!;
      const remains = (y: number, i: number) => Number.isFinite(y) || !Number.isFinite(base[i]!);
      if (!values || !values[values.length - 1]!.every(remains)) return "domain";
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
    const seen = new Map(points.map((h) => [h, this.#unheldAt(h, held)]));
    return held.flatMap(([n, mask]) =>
      [...mask.keys()]
        .filter((i) => mask[i])
        .map((element) => {
          const along = (h: number) => seen.get(h)?.get(n)?.[element] ?? Number.NaN;
          const noise = 2 ** -52 * Math.abs(this.replay.base[n]![element]!);
          return {
            node: n,
            element,
            left: oneSidedDerivative(along, -nearest, noise),
            right: oneSidedDerivative(along, nearest, noise),
            tangent: this.#tangents.get(n)![element]!,
          };
        }),
    );
  }

  /** The values of nodes before their held elements are put straight. */
  #unheldAt(h: number, held: readonly (readonly [number, unknown])[]): Map<number, TypedArray> {
    const found = new Map<number, TypedArray>();
    this.valuesAt(h, (n, values) => {
      if (held.some(([k]) => k === n)) found.set(n, values.slice());
    });
    return found;
  }
}

/** A direction as tensors; an input that does not move has the tangent 0. */
export function tensorsOf(t: readonly (Float64Array | null)[], x: readonly Tensor[]): Tensor[] {
  return x.map((input, i) => fromElements(t[i] ?? new Float64Array(input.size), input.shape));
}
