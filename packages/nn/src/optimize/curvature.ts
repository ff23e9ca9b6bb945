import type { Variable } from "@cotangent/autograd/functional";
import { fromTypedArray, Tensor, variable, zeros } from "@cotangent/autograd/functional";
import { loadState, type StateDict } from "../state.ts";
import { joined } from "./row.ts";

/** A change of the parameters, the change of the gradient that came with it, and 1 over their product. */
interface Change {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

/** What one iteration of LBFGS leaves to the next: what it knows of the curvature, the gradient, the direction, and how far it went. */
export interface Memory {
  readonly changes: readonly Change[];
  readonly gradient: Float64Array;
  readonly direction: Float64Array;
  readonly t: number;
}

/** What is remembered after the change that led to `gradient`: one along which the gradient grew is added. */
export function learned(
  { changes, gradient: before, direction, t }: Memory,
  gradient: Float64Array,
  size: number,
): readonly Change[] {
  const y = gradient.map((g, i) => g - before[i]!);
  const s = direction.map((d) => d * t);
  return dot(y, s) > 1e-10 ? [...changes, changeOf(s, y)].slice(-size) : changes;
}

/** Minus the inverse Hessian, as far as it is known, times the gradient (Nocedal and Wright 2006, algorithm 7.4). */
export function newton(gradient: Float64Array, changes: readonly Change[]): Float64Array {
  const direction = gradient.map((g) => -g);
  const weights = changes.map(() => 0);
  for (let k = changes.length - 1; k >= 0; k--) {
    const { s, y, rho } = changes[k]!;
    weights[k] = rho * dot(s, direction);
    addScaled(direction, y, -weights[k]!);
  }
  // What the inverse of the curvature is taken to be where nothing is known of it.
  const last = changes.at(-1);
  const scale = last ? dot(last.y, last.s) / dot(last.y, last.y) : 1;
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  changes.forEach(({ s, y, rho }, k) => {
    addScaled(direction, s, weights[k]! - rho * dot(y, direction));
  });
  return direction;
}

/** `memory` with PyTorch's names: a row for each change, and one for the iteration, if there was one. */
export function memoryState(memory: Memory | null, width: number): StateDict {
  const last = memory ? [memory] : [];
  const changes = memory?.changes ?? [];
  const rows = (list: readonly Float64Array[]): Tensor => fromTypedArray(joined(list), [list.length, width]);
  return {
    oldDirs: rows(changes.map(({ y }) => y)),
    oldStps: rows(changes.map(({ s }) => s)),
    prevFlatGrad: rows(last.map(({ gradient }) => gradient)),
    d: rows(last.map(({ direction }) => direction)),
    t: fromTypedArray(
      Float64Array.from(last, ({ t }) => t),
      [last.length],
    ),
  };
}

/** What `memoryState` gave, of at most `size` changes. Throws ValueError or ShapeError if it does not fit. */
export function memoryFrom(state: StateDict, width: number, size: number): Memory | null {
  const last = Math.min(lengthOf(state?.d), 1);
  const known = last * Math.min(lengthOf(state?.oldDirs), size);
  const box = (...shape: number[]): Variable => variable(zeros(shape, { dtype: "float64" }));
  const [oldDirs, oldStps] = [box(known, width), box(known, width)];
  const [prevFlatGrad, d, t] = [box(last, width), box(last, width), box(last)];
  loadState("LBFGS", new Map(Object.entries({ oldDirs, oldStps, prevFlatGrad, d, t })), state);
  if (last === 0) return null;
  const [ys, ss] = [rowsOf(oldDirs), rowsOf(oldStps)];
  const changes = ys.map((y, i) => changeOf(ss[i]!, y));
  return { changes, gradient: rowsOf(prevFlatGrad)[0]!, direction: rowsOf(d)[0]!, t: t.item() };
}

const lengthOf = (x: unknown): number => (x instanceof Tensor ? (x.shape[0] ?? 0) : 0);

function rowsOf(x: Tensor): readonly Float64Array[] {
  const [rows = 0, width = 0] = x.shape;
  const row = x.toTypedArray();
  return Array.from({ length: rows }, (_, i) => Float64Array.from(row.subarray(i * width, (i + 1) * width)));
}

const changeOf = (s: Float64Array, y: Float64Array): Change => ({ s, y, rho: 1 / dot(y, s) });

function addScaled(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! += factor * y[i]!;
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
