import { Cache } from "../packages/autograd/src/cache.ts";
import type { TypedArray } from "../packages/autograd/src/dtype.ts";
import { FormReader, GraphForm } from "../packages/autograd/src/form.ts";
import { interpret } from "../packages/autograd/src/interpret.ts";
import { Routine } from "../packages/autograd/src/routine.ts";
import type { Topology } from "../packages/autograd/src/topology.ts";
import { canRun } from "../packages/autograd/src/wasm/module.ts";

/** Larger graphs take seconds to compile; evaluation interprets them too. */
const largest = 20_000;
const mostPrograms = 300;

/**
 * Compiles whatever is evaluated, at first sight. What cannot be compiled, or fails where the interpreter does not, is an
 * error. Only where there is no WebAssembly, which some tests arrange, and for huge graphs is something interpreted.
 */
export class EverythingCompiled extends Cache {
  readonly #reader = new FormReader();
  /** By hash, the one used last is last. */
  readonly #programs = new Map<number, { readonly form: GraphForm; readonly routine: Routine }>();

  override evaluate(order: Topology, wanted: readonly number[], updates: number): TypedArray[] | null {
    if (order.nodes.length > largest || !canRun()) return null;
    try {
      const values = this.#routine(order, wanted, updates).run(order, wanted);
      this.runs++;
      return values;
    } catch (error) {
      if (!isInterpretable(order, wanted)) return null;
      throw new Error("a graph cannot be compiled, or throws where the interpreter does not", {
        cause: error,
      });
    }
  }

  #routine(order: Topology, wanted: readonly number[], updates: number): Routine {
    if (!this.#reader.read(order, wanted, updates)) throw new Error("a graph has no form");
    const { hash } = this.#reader;
    let program = this.#programs.get(hash);
    if (!program?.form.matches(order, wanted, updates)) {
      const form = new GraphForm(this.#reader, order, wanted);
      program = { form, routine: new Routine(form, order, wanted) };
      this.compiled++;
    }
    this.#programs.delete(hash);
    this.#programs.set(hash, program);
    for (const oldest of this.#programs.keys()) {
      if (this.#programs.size <= mostPrograms) break;
      this.#programs.delete(oldest);
    }
    return program.routine;
  }
}

/** Where the interpreter throws too it is to do so itself: the program knows the lines of the graph that it was made from. */
function isInterpretable(order: Topology, wanted: readonly number[]): boolean {
  try {
    interpret(order, wanted);
    return true;
  } catch {
    return false;
  }
}
