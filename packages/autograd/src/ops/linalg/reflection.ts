import { arrays, inner, subtractProduct, subtractRows } from "./blocks.ts";
import { panel } from "./elimination.ts";

/** Householder's reflections `1 - factor v v^T`, in float64. */

/** Fewer reflections are applied one by one. */
const fewest = 256;

/** The largest magnitude, NaN if there is one. */
export function largest(x: Float64Array): number {
  let found = 0;
  for (let i = 0; i < x.length; i++) if (!(Math.abs(x[i]!) <= found)) found = Math.abs(x[i]!);
  return found;
}

/** The length of a vector, whose squares may be too large or too small. */
function lengthOf(x: Float64Array): number {
  const most = largest(x);
  if (most === 0) return 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const part = x[i]! / most;
    sum += part * part;
  }
  return Math.sqrt(sum) * most;
}

/** Where elements lie: in the rows and columns of an array whose rows have this width. */
export interface Columns {
  readonly data: Float64Array;
  readonly width: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A row of reflections of vectors of one size: number k leaves what lies before place `shift + k` as it is. Many are applied at once,
 * as products of blocks: `H1 H2 ... = 1 - V T V^T` with an upper triangular T (Schreiber and Van Loan 1989).
 */
export class Mirrors {
  readonly #size: number;
  readonly #shift: number;
  readonly #factors: number[] = [];
  /** Each v, one behind the other. */
  readonly #rows: Float64Array;
  /** Room for those of a block side by side, for T, and for what is made of the elements. */
  readonly #beside: Float64Array;
  readonly #triangle: Float64Array;
  readonly #along: Float64Array;
  readonly #turned: Float64Array;

  constructor(size: number, shift: number, [rows, beside, triangle, along, turned]: readonly Float64Array[]) {
    this.#size = size;
    this.#shift = shift;
    this.#rows = rows!;
    this.#beside = beside!;
    this.#triangle = triangle!;
    this.#along = along!;
    this.#turned = turned!;
  }

  /** The lengths of the arrays that `count` mirrors need, for elements of at most `width` columns. */
  static lengths(count: number, size: number, width: number): readonly number[] {
    const most = Math.min(panel, Math.max(1, count));
    return [count * size, size * most, most * most, most * width, most * width];
  }

  /** The vector of number `k` from its first place on. */
  vector(k: number): Float64Array {
    return this.#rows.subarray(k * this.#size + this.#start(k), (k + 1) * this.#size);
  }
  factor(k: number): number {
    return this.#factors[k]!;
  }
  #start(k: number): number {
    return this.#shift + k;
  }

  /** Adds the reflection that leaves nothing of a column behind its first place; gives what is left there. */
  add(m: Float64Array, width: number, column: number): number {
    const k = this.#factors.length;
    const start = this.#start(k);
    const v = this.vector(k);
    for (let i = 0; i < v.length; i++) v[i] = m[(start + i) * width + column]!;
    const head = v[0]!;
    v[0] = 0;
    const below = lengthOf(v);
    if (below === 0) {
      this.#factors.push(0);
      return head;
    }
    v[0] = head;
    const pivot = lengthOf(v) * (head >= 0 ? -1 : 1);
    for (let i = 1; i < v.length; i++) v[i]! /= head - pivot;
    v[0] = 1;
    this.#factors.push((pivot - head) / pivot);
    return pivot;
  }

  /** Reflects by number `k`. */
  reflect(k: number, { data, width, from, to }: Columns): void {
    const factor = this.#factors[k]!;
    if (factor === 0 || from === to) return;
    const start = this.#start(k);
    const [size, columns] = [this.#size - start, to - from];
    const [first, at] = [k * this.#size + start, start * width + from];
    const along = this.#along;
    along.fill(0, 0, columns);
    subtractRows(along, 0, columns, this.#rows, first, size, data, at, width);
    for (let j = 0; j < columns; j++) along[j]! *= -factor;
    subtractProduct([size, 1, columns], data, at, width, this.#rows, first, 1, along, 0, columns);
  }

  /** Reflects by the numbers `[first, last)`, the last of them first, or with `inTurn` the first. */
  reflectAll(first: number, last: number, inTurn: boolean, { data, width, from, to }: Columns): void {
    const count = last - first;
    const start = this.#start(first);
    const [size, columns] = [this.#size - start, to - from];
    const triangle = this.#fillTriangle(first, last, inTurn);
    const [rows, at] = [first * this.#size + start, start * width + from];
    const [beside, along, turned] = [this.#beside, this.#along, this.#turned];
    for (let k = 0; k < count; k++)
      for (let i = 0; i < size; i++) beside[i * count + k] = this.#rows[rows + k * this.#size + i]!;
    along.fill(0, 0, count * columns);
    turned.fill(0, 0, count * columns);
    subtractProduct([count, size, columns], along, 0, columns, this.#rows, rows, this.#size, data, at, width);
    subtractProduct([count, count, columns], turned, 0, columns, triangle, 0, count, along, 0, columns);
    subtractProduct([size, count, columns], data, at, width, beside, 0, count, turned, 0, columns);
  }

  /** The matrix T of a block, or its transpose. */
  #fillTriangle(first: number, last: number, isTransposed: boolean): Float64Array {
    const count = last - first;
    const t = this.#triangle;
    t.fill(0, 0, count * count);
    const place = (i: number, j: number): number => (isTransposed ? j * count + i : i * count + j);
    for (let j = 0; j < count; j++) {
      const factor = this.#factors[first + j]!;
      const v = this.vector(first + j);
      t[place(j, j)] = factor;
      const along = Float64Array.from({ length: j }, (_, i) =>
        inner(this.vector(first + i).subarray(j - i), v),
      );
      for (let i = 0; i < j; i++) {
        let sum = 0;
        for (let p = i; p < j; p++) sum += t[place(i, p)]! * along[p]!;
        t[place(i, j)] = -factor * sum;
      }
    }
    return t;
  }

  /** The first `columns` columns of the product of all, in `q`. */
  multiplyInto(q: Float64Array, columns: number): void {
    q.fill(0);
    for (let i = 0; i < columns; i++) q[i * columns + i] = 1;
    const count = this.#factors.length;
    if (count < fewest)
      for (let k = count - 1; k >= 0; k--) {
        const from = Math.min(this.#start(k), columns);
        this.reflect(k, { data: q, width: columns, from, to: columns });
      }
    else this.#multiplyBlocks(q, columns);
  }

  #multiplyBlocks(q: Float64Array, columns: number): void {
    const count = this.#factors.length;
    for (let last = count; last > 0; last = panel * (Math.ceil(last / panel) - 1)) {
      const first = panel * (Math.ceil(last / panel) - 1);
      const from = Math.min(this.#start(first), columns);
      this.reflectAll(first, last, false, { data: q, width: columns, from, to: columns });
    }
  }
}

/** The factors of a matrix: the first `inner` columns of Q, and an array whose upper triangle is R. */
export function factorize(
  m: Float64Array,
  rows: number,
  columns: number,
  innerSize: number,
): { readonly q: Float64Array; readonly r: Float64Array } {
  const count = Math.min(rows, columns);
  const [r, q, ...rest] = arrays(
    m.length,
    rows * innerSize,
    ...Mirrors.lengths(count, rows, Math.max(columns, innerSize)),
  );
  r!.set(m);
  const mirrors = new Mirrors(rows, 0, rest);
  for (let first = 0; first < count; first += panel) {
    const last = Math.min(first + panel, count);
    for (let k = first; k < last; k++) {
      const pivot = mirrors.add(r!, columns, k);
      mirrors.reflect(k, { data: r!, width: columns, from: k + 1, to: count < fewest ? columns : last });
      r![k * columns + k] = pivot;
    }
    if (count >= fewest)
      mirrors.reflectAll(first, last, true, { data: r!, width: columns, from: last, to: columns });
  }
  mirrors.multiplyInto(q!, innerSize);
  return { q: q!, r: r! };
}
