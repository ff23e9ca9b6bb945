import type { Arithmetic } from "../arithmetic.ts";

/**
 * A function of one variable near a place, by its Taylor coefficients there, `f^(k) / k!` for k = 0, 1, ...; those that are not listed are 0.
 */
export type Taylor<E> = readonly E[];

/** Rules for such functions, up to order `order`. */
export class TaylorArithmetic<E> {
  readonly #m: Arithmetic<E>;
  readonly #order: number;

  constructor(m: Arithmetic<E>, order: number) {
    this.#m = m;
    this.#order = order;
  }

  /** The variable itself, at `x`. */
  variable(x: E): Taylor<E> {
    return this.#order === 0 ? [x] : [x, this.#m.constant(1, "float64")];
  }

  add(f: Taylor<E>, g: Taylor<E> | number): Taylor<E> {
    const m = this.#m;
    if (typeof g === "number") return [m.add(f[0]!, g), ...f.slice(1)];
    const [long, short] = f.length < g.length ? [g, f] : [f, g];
    return long.map((x, k) => (k < short.length ? m.add(x, short[k]!) : x));
  }

  scale(f: Taylor<E>, by: E | number): Taylor<E> {
    return f.map((x) => this.#m.mul(x, by));
  }

  mul(f: Taylor<E>, g: Taylor<E>): Taylor<E> {
    const length = Math.min(f.length + g.length - 1, this.#order + 1);
    return Array.from({ length }, (_, k) => this.#products(f, g, k, 0)!);
  }

  div(f: Taylor<E>, g: Taylor<E>): Taylor<E> {
    const m = this.#m;
    const out: E[] = [];
    const length = g.length === 1 ? f.length : this.#order + 1;
    for (let k = 0; k < length; k++) {
      const known = this.#products(g, out, k, 1);
      const x = f[k];
      const rest = known === null ? x! : x === undefined ? m.neg(known) : m.sub(x, known);
      out.push(m.div(rest, g[0]!));
    }
    return out;
  }

  sqrt(f: Taylor<E>): Taylor<E> {
    const m = this.#m;
    const out = [m.sqrt(f[0]!)];
    const twice = m.mul(out[0]!, 2);
    const length = f.length === 1 ? 1 : this.#order + 1;
    for (let k = 1; k < length; k++) {
      const known = this.#products(out.slice(1), out.slice(1), k - 2, 0);
      const x = f[k];
      out.push(m.div(known === null ? x! : x === undefined ? m.neg(known) : m.sub(x, known), twice));
    }
    return out;
  }

  /** `coefficients[0] + coefficients[1] * f + ...` */
  polynomial(f: Taylor<E>, coefficients: readonly number[]): Taylor<E> {
    const m = this.#m;
    return coefficients.reduceRight<Taylor<E> | null>(
      (sum, c) => (sum ? this.add(this.mul(sum, f), c) : [m.constant(c, "float64")]),
      null,
    )!;
  }

  /** The derivative, of one order less. */
  derivative(f: Taylor<E>): Taylor<E> {
    return f.slice(1).map((x, k) => this.#m.mul(x, k + 1));
  }

  /** The sum of `f[i] g[k - i]` from i = `from` on, null if there is nothing to add. */
  #products(f: Taylor<E>, g: Taylor<E>, k: number, from: number): E | null {
    let sum: E | null = null;
    for (let i = Math.max(from, k - g.length + 1); i <= Math.min(k, f.length - 1); i++) {
      const product = this.#m.mul(f[i]!, g[k - i]!);
      sum = sum === null ? product : this.#m.add(sum, product);
    }
    return sum;
  }
}
