import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What some steps took. */
export interface Lap {
  readonly seconds: number;
  /** Of the processor. */
  readonly cpu: number;
}

/**
 * A process that trains when it is told to. Its first line is `{"name", "losses"}`: the losses of ten steps from the given
 * parameters, on the first batches in order and without dropout. Then it reads a number of steps from each line, takes them on
 * shuffled batches, and answers with a line `{"seconds", "cpu"}`.
 */
export class Contestant {
  readonly name: string;
  readonly losses: readonly number[];
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, first: string) {
    this.#child = child;
    this.#lines = lines;
    const { name, losses } = JSON.parse(first) as { readonly name: string; readonly losses: number[] };
    this.name = name;
    this.losses = losses;
  }

  /** Throws Error if it does not come up; why is on stderr then. */
  static async start(command: string, args: readonly string[]): Promise<Contestant> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    // Of a process that has ended: its missing line says so.
    child.stdin.on("error", () => {});
    const failed = once(child, "error").then(([error]) => {
      throw error as Error;
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (first.done) throw new Error(`${command} ended without a word`);
    return new Contestant(child, lines, first.value);
  }

  async run(steps: number): Promise<Lap> {
    this.#child.stdin!.write(`${steps}\n`);
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`${this.name} ended`);
    return JSON.parse(value) as Lap;
  }

  end(): void {
    this.#child.stdin!.end();
  }
}
