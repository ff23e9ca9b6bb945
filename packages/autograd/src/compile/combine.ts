import type { Code, ValueType } from "../wasm/assembler.ts";
import type { Fold } from "./kernel.ts";
import type { NestWriter } from "./nest.ts";

/** What every way of combining results has in common: totals in locals, and how one more term goes into them. */
export class CombineWriter {
  protected readonly writer: NestWriter;
  protected readonly code: Code;
  protected readonly fold: Fold;

  constructor(writer: NestWriter, fold: Fold) {
    this.writer = writer;
    this.code = writer.code;
    this.fold = fold;
  }

  protected get type(): ValueType {
    return this.writer.type;
  }

  /** New locals that hold the identity. */
  protected identities(count: number): number[] {
    const locals = Array.from({ length: count }, () => this.code.take(this.type));
    this.reset(locals);
    return locals;
  }
  protected reset(locals: readonly number[]): void {
    for (const local of locals) {
      this.writer.constant(this.fold.identity);
      this.code.set(local);
    }
  }
  protected release(locals: readonly number[]): void {
    for (const local of locals) this.code.release(local);
  }

  /** `x = combine(x, y)` */
  protected combine(x: number, y: number): void {
    this.writer.apply(this.fold.combine, [x, y]);
    this.code.set(x);
  }

  /** Combines the result of the body at the present indices into `total`. */
  protected absorb(total: number): void {
    const value = this.code.take(this.type);
    this.writer.evaluate(value);
    this.combine(total, value);
    this.code.release(value);
  }
}
