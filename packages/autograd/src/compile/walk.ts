import type { Program } from "../program.ts";
import type { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import type { Pick } from "./kernel.ts";
import type { Nest, Place } from "./loops.ts";
import { vectorRounds } from "./loops.ts";
import type { Layout } from "./plan.ts";
import { errorBytes } from "./plan.ts";
import { stores } from "./words.ts";

/** A number that is known when the code is written, or lies in a local when it runs. */
export type NumberOrLocal = number | { readonly local: number };

/** What the code of a nest needs to know of the program around it. */
export interface NestContext {
  readonly layout: Layout;
  /** The number of the function that computes the slow side of a `rare`. */
  slow(program: Program): number;
  /** May products and sums be rounded together? */
  readonly relaxed: boolean;
  /** The first byte of the elements of node number `x` of the kernel. */
  base(x: number): NumberOrLocal;
  /** The number of the nest, which a check that fails leaves behind. */
  readonly number: NumberOrLocal;
  /** The local with the rounds of the one loop, where they are not known. */
  readonly rounds?: number | undefined;
}

/** Writes the loops of a nest, and the addresses of places at the indices that the loops have reached. */
export class WalkWriter {
  readonly code: Code;
  readonly nest: Nest;
  protected readonly context: NestContext;
  /** The local of each walk that loops advance. */
  readonly #walks: (number | null)[] = [];
  /** How far each walk has gone in unrolled loops. */
  readonly #shifts: number[] = [];
  /** Does the walk go backwards? Its local can be negative then, which the address of a load must not be. */
  readonly #backward: boolean[] = [];
  /** How many lanes count in what is being written; 1 where elements are computed one by one. */
  #active = 1;
  #together = 1;

  constructor(code: Code, nest: Nest, context: NestContext) {
    this.code = code;
    this.nest = nest;
    this.context = context;
    const { walks, outer, unrolled } = nest;
    for (const steps of walks) {
      const isLooped = steps.some(
        (step, loop) => step !== 0 && !(loop < outer ? unrolled.results : unrolled.terms),
      );
      this.#walks.push(isLooped ? code.take("i32") : null);
      this.#shifts.push(0);
      this.#backward.push(steps.some((step) => step < 0));
    }
  }

  protected get active(): number {
    return this.#active;
  }

  /** Writes `f` for so many lanes. */
  inLanes(active: number, f: () => void): void {
    const before = this.#active;
    this.#active = active;
    f();
    this.#active = before;
  }

  /** How many vectors of results are computed at once. */
  get together(): number {
    return this.#together;
  }

  /** Writes `f` for the vector of results that is `x` vectors further. */
  beside(x: number, f: () => void): void {
    if (x === 0) {
      f();
      return;
    }
    const { loop, width } = this.nest.vector!;
    this.shift(loop, x * width);
    f();
    this.shift(loop, -x * width);
  }

  /** Runs `result`, which computes one result, at all indices of the loops over results, or of the first of them. */
  results(result: () => void, outer: number = this.nest.outer): void {
    const code = this.code;
    for (const local of this.#walks) if (local !== null) code.i32(0).set(local);
    this.loop(0, outer, result);
    for (const local of this.#walks) if (local !== null) code.release(local);
  }

  // Loops.

  /** Runs `body` at all indices of the loops from `from` up to `to`; the last one goes fastest. */
  loop(from: number, to: number, body: () => void): void {
    if (from === to) {
      body();
      return;
    }
    const { counts, outer, unrolled, vector } = this.nest;
    const count = counts[from]!;
    const isUnrolled = from < outer ? unrolled.results : unrolled.terms;
    const rounds = (number: NumberOrLocal, at: number) => {
      if (isUnrolled && typeof number === "number")
        for (let i = 0; i < number; i++) {
          this.loop(from + 1, to, body);
          this.shift(from, at);
        }
      else
        this.times(number, () => {
          this.loop(from + 1, to, body);
          this.advance((walk) => at * this.nest.walks[walk]![from]! - this.#travelled(walk, from + 1));
        });
    };
    const { rounds: local } = this.context;
    if (vector?.loop !== from) rounds(local === undefined ? count : { local }, 1);
    else {
      const { width, overruns, together } = vector;
      const rest = overruns ? 0 : count % width;
      const whole = (this.#covered(from) - rest) / width;
      // Rounds that are not known are those of maps, whose vectors go one by one.
      const several = together > 1 ? Math.floor(whole / together) : 0;
      this.inLanes(width, () => {
        this.#together = together;
        rounds(several, together * width);
        this.#together = 1;
        rounds(local === undefined ? whole - several * together : { local }, width);
      });
      if (rest > 0) this.inLanes(rest, () => rounds(1, rest));
    }
    if (isUnrolled) this.shift(from, -this.#covered(from));
  }

  /** The rounds of a loop, with those that the last vector runs beyond its end. */
  #covered(loop: number): number {
    const { counts, vector } = this.nest;
    const count = counts[loop]!;
    if (vector?.loop !== loop || !vector.overruns) return count;
    return vectorRounds(count, vector.width) * vector.width;
  }

  /** How far a walk has been advanced when the loops from `from` on are done: so much is taken back. */
  #travelled(walk: number, from: number): number {
    const { counts, outer, unrolled, walks, form } = this.nest;
    // The inner loops of a product move addresses of their own.
    if (form.kind === "product" && from >= outer - 2) return 0;
    if (from >= counts.length || (from < outer ? unrolled.results : unrolled.terms)) return 0;
    return this.#covered(from) * walks[walk]![from]!;
  }

  /** Runs `body` `count` times; a count that lies in a local is at least 1. */
  times(count: NumberOrLocal, body: () => void): void {
    if (count === 0) return;
    if (count === 1) {
      body();
      return;
    }
    const code = this.code;
    const counter = code.take("i32");
    code.i32(0).set(counter).loop();
    body();
    code.get(counter).i32(1).op(i32.add).tee(counter);
    if (typeof count === "number") code.i32(count);
    else code.get(count.local);
    code.op(i32.ne).branchIf(0).end();
    code.release(counter);
  }

  /** From here on code is written for an index of the loop that is so many rounds further. */
  shift(loop: number, rounds: number): void {
    const { walks } = this.nest;
    for (let walk = 0; walk < walks.length; walk++) this.#shifts[walk]! += rounds * walks[walk]![loop]!;
  }

  advance(by: (walk: number) => number): void {
    this.#walks.forEach((local, walk) => {
      const step = by(walk);
      if (local !== null && step !== 0) this.code.advance(local, step);
    });
  }

  // Places.

  /** Pushes the address of the place of scalar `i`, or of the target (-1). */
  pushAddress(i: number): void {
    const rest = i < 0 ? this.addressOfTarget() : this.address(i);
    if (rest !== 0) this.code.i32(rest).op(i32.add);
  }

  /** Pushes the part of the address of scalar `i` that is not constant, and returns the rest. */
  address(i: number): number {
    return this.#address(this.nest.places[i]!, this.context.base(this.nest.form.body[i]!.source));
  }
  /** Of result `x`. */
  protected addressOfTarget(x = 0): number {
    return this.#address(this.nest.target, this.context.base(x));
  }

  /** Pushes the value of the affine place of scalar `i`, in units. */
  index(i: number): void {
    const rest = this.#address(this.nest.places[i]!, 0);
    if (rest !== 0) this.code.i32(rest).op(i32.add);
  }

  /** Pushes the moving part of a place; what it returns is constant and not negative. */
  #address({ walk, offset }: Place, base: NumberOrLocal): number {
    const code = this.code;
    const known = typeof base === "number" ? base : 0;
    const total = known + offset + (walk < 0 ? 0 : this.#shifts[walk]!);
    const local = walk < 0 ? null : this.#walks[walk]!;
    if (typeof base !== "number") code.get(base.local);
    if (local !== null) {
      code.get(local);
      if (typeof base !== "number") code.op(i32.add);
    } else if (typeof base === "number") {
      code.i32(total);
      return 0;
    }
    if (total >= 0 && !(walk >= 0 && this.#backward[walk])) return total;
    code.i32(total).op(i32.add);
    return 0;
  }

  /** Stops unless the index in `local` lies inside. */
  check(local: number, { size }: Pick): void {
    const code = this.code;
    code.get(local).i32(size).op(i32.lessUnsigned).op(i32.eqz).if(null);
    code.i32(0);
    const { number } = this.context;
    if (typeof number === "number") code.i32(number + 1);
    else code.get(number.local);
    code.memory(stores.int32, 0);
    code.i32(0).get(local).memory(stores.int32, 4).unreachable().end();
  }
}

/** Which check failed, as the first bytes of memory say: the number of the nest, and the index. */
export function failedCheck(memory: ArrayBufferLike): { nest: number; index: number } | null {
  const words = new Int32Array(memory, 0, errorBytes / 4);
  const nest = words[0]! - 1;
  words[0] = 0;
  return nest < 0 ? null : { nest, index: words[1]! };
}
