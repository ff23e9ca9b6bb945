import { Division } from "./compile/divide.ts";
import type { Kernel } from "./compile/kernel.ts";
import { parallel, words } from "./compile/parallel.ts";
import type { Threads } from "./compile/run.ts";
import { StateError } from "./errors.ts";

/**
 * Places of numbers in shared memory: events and runs so far, letters sent, the program of the present run, how often workers came to
 * the end of one, and letters read by each worker, whose number is added.
 */
const [events, runs, sent, present, ended, read] = [0, 1, 2, 3, 4, 5];

/**
 * What a worker does. It reads letters when there are any, else it takes its part in runs, and sleeps between. It is a text, since it
 * has to be there whatever became of this file in a bundle.
 */
const script = `
const programs = new Map();
let control, index, wasRead = 0, wasRun = 0;
const take = (letter) => {
  if (letter.control) [control, index] = [letter.control, letter.index];
  else {
    const { id, module, memory, broken } = letter;
    const { work } = new WebAssembly.Instance(module, { host: { memory, compute() {} } }).exports;
    programs.set(id, { work, broken, words: new Int32Array(memory.buffer) });
  }
  Atomics.store(control, ${read} + index, ++wasRead);
  serve();
};
const serve = () => {
  let looks = 0;
  for (;;) {
    const event = Atomics.load(control, ${events});
    if (Atomics.load(control, ${sent}) > wasRead) return;
    if (Atomics.load(control, ${runs}) !== wasRun) {
      wasRun = (wasRun + 1) | 0;
      looks = 0;
      const { work, words, broken } = programs.get(Atomics.load(control, ${present}));
      try {
        work(index, 1);
      } catch {
        Atomics.store(words, broken, 1);
      }
      Atomics.add(control, ${ended}, 1);
    } else if (++looks > 20000) Atomics.wait(control, ${events}, event);
  }
};
`;

interface Letter {
  readonly [entry: string]: unknown;
}

interface Worker {
  post(letter: Letter): void;
  end(): void;
}

/**
 * Chooses for each run of a program whether all threads take part, by how long both ways took lately: on a busy machine threads wait for
 * one another's turns. Now and then the other way is tried.
 */
export class Pace {
  #alone = Infinity;
  #shared = 0;
  #turn = 0;

  next(): boolean {
    const turn = this.#turn++;
    // The first runs of code say little.
    const isFaster = turn < first || this.#shared <= this.#alone;
    return turn % cycle < tries ? !isFaster : isFaster;
  }

  /** What a run took. It counts for as long as none is faster, but less with each run. */
  took(isShared: boolean, time: number): void {
    if (isShared) this.#shared = Math.min(time, (this.#shared || time) * aging);
    else this.#alone = Math.min(time, this.#alone * aging);
  }
}

const first = 30;
const cycle = 200;
const tries = 2;
const aging = 1.05;

/** Bytes of programs that are gone, with which workers are replaced: they make no garbage, so their engines never look for it. */
const mostForgotten = 2 ** 26;

/** Workers that run programs together with the main thread. */
export class Crew implements Threads {
  readonly size: number;
  readonly #fewest: number | undefined;
  readonly #isSteady: boolean;
  readonly #dropped: FinalizationRegistry<number>;
  #workers: readonly Worker[] = [];
  #control: Int32Array = new Int32Array();
  #letters = 0;
  #runs = 0;
  #forgotten = 0;
  #isDismissed = false;

  /** Kernels are divided that do at least `fewest` steps; `isSteady` if all threads take part whenever they can. */
  constructor(size: number, { fewest, isSteady = false }: { fewest?: number; isSteady?: boolean } = {}) {
    this.size = size;
    this.#fewest = fewest;
    this.#isSteady = isSteady;
    const shared = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false;
    if (typeof SharedArrayBuffer === "undefined" || !shared)
      throw new StateError(
        "setNumThreads: this page has no memory that threads share; serve it with the headers Cross-Origin-Opener-Policy: " +
          "same-origin and Cross-Origin-Embedder-Policy: require-corp",
      );
    this.renew();
    this.#dropped = new FinalizationRegistry((bytes) => {
      this.#forgotten += bytes;
      if (this.#forgotten > mostForgotten && !this.#isDismissed) this.renew();
    });
  }

  /** Starts workers, in place of those that there are; programs go to them when they are run. */
  renew(): void {
    this.#end();
    this.#control = new Int32Array(new SharedArrayBuffer(4 * (read + this.size)));
    this.#letters = 0;
    this.#runs = 0;
    this.#forgotten = 0;
    this.#workers = Array.from({ length: this.size - 1 }, () => startWorker(script));
    this.#workers.forEach((worker, i) => {
      worker.post({ control: this.#control, index: i + 1 });
    });
    this.#posted();
  }

  #end(): void {
    for (const worker of this.#workers) worker.end();
  }

  /** Ends the workers; programs run on the main thread alone from then on. */
  dismiss(): void {
    this.#isDismissed = true;
    this.#end();
  }

  get areThere(): boolean {
    return this.#isReady(1);
  }

  divides(kernel: Kernel): boolean {
    return new Division(this.size, this.#fewest).of(kernel) !== null;
  }

  *program(...given: Parameters<Threads["program"]>): ReturnType<Threads["program"]> {
    const [nests, layout, relaxed, compute] = given;
    const made = yield* parallel(nests, layout, new Division(this.size, this.#fewest), relaxed);
    const memory = made && sharedMemory(made.pages);
    if (!memory) return null;
    made.fill(memory);
    const { work, run } = new WebAssembly.Instance(made.module, { host: { memory, compute } }).exports as {
      work(thread: number, maySleep: number): void;
      run(): void;
    };
    const numbers = new Int32Array(memory.buffer, made.words, 4);
    const letter = { module: made.module, memory, broken: (made.words + words.broken) / 4 };
    let [workers, id] = [this.#workers, this.#send(letter)];
    this.#dropped.register(memory, memory.buffer.byteLength);
    const share = () => {
      this.#begin(id);
      try {
        work(0, maySleep);
      } catch (error) {
        this.#abandon(numbers);
        throw error;
      }
    };
    const pace = new Pace();
    return {
      memory,
      run: () => {
        if (workers !== this.#workers) [workers, id] = [this.#workers, this.#send(letter)];
        const isShared = this.#isReady(id) && (this.#isSteady || pace.next());
        const start = performance.now();
        if (isShared) share();
        else run();
        pace.took(isShared, performance.now() - start);
      },
    };
  }

  /** Runs that all took part in, since the workers are there. */
  get runs(): number {
    return this.#runs;
  }

  /** Waits until all have read their letters, as they do by themselves. Throws StateError if they do not. */
  catchUp(): void {
    const [control, end] = [this.#control, performance.now() + 30_000];
    while (!this.#isReady(this.#letters)) {
      if (performance.now() > end) throw new StateError("setNumThreads: workers do not start");
      Atomics.wait(control, events, Atomics.load(control, events), 1);
    }
  }

  /** The number of the letter. */
  #send(letter: Letter): number {
    const id = this.#letters + 1;
    for (const worker of this.#workers) worker.post({ id, ...letter });
    return this.#posted();
  }

  #posted(): number {
    Atomics.store(this.#control, sent, ++this.#letters);
    this.#wake();
    return this.#letters;
  }

  #wake(): void {
    Atomics.add(this.#control, events, 1);
    Atomics.notify(this.#control, events);
  }

  /** Have all workers read this letter? */
  #isReady(letter: number): boolean {
    for (let i = 1; i < this.size; i++) if (Atomics.load(this.#control, read + i) < letter) return false;
    return !this.#isDismissed;
  }

  #begin(id: number): void {
    Atomics.store(this.#control, present, id);
    this.#runs = (this.#runs + 1) | 0;
    Atomics.store(this.#control, runs, this.#runs);
    this.#wake();
  }

  /** The main thread has given up: the others do, too, before there can be another run. */
  #abandon(numbers: Int32Array): void {
    Atomics.store(numbers, words.broken / 4, 1);
    const all = Math.imul(this.#runs, this.size - 1);
    while (Atomics.load(this.#control, ended) !== all);
    numbers.fill(0);
  }
}

/** May this thread wait for others without computing? The main thread of a page may not. */
const maySleep = Number(typeof (globalThis as { document?: unknown }).document === "undefined");

/** Null where so much is not to be had. */
function sharedMemory(pages: number): WebAssembly.Memory | null {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    return null;
  }
}

/** The part of Node's `worker_threads` that is needed; it is not there in browsers. */
interface NodeThreads {
  readonly Worker: new (
    text: string,
    options: { readonly eval: true; readonly execArgv: readonly string[] },
  ) => {
    postMessage(letter: Letter): void;
    on(event: "error", listener: () => void): unknown;
    unref(): void;
    terminate(): unknown;
  };
}

interface Surroundings {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly Worker?: new (
    address: string,
  ) => { onerror: (() => void) | null; postMessage(letter: Letter): void; terminate(): void };
  readonly Blob?: new (parts: string[], options: { readonly type: string }) => object;
  readonly URL?: { createObjectURL(of: object): string };
}

function startWorker(text: string): Worker {
  const { process, Worker, Blob, URL } = globalThis as Surroundings;
  const node = process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
  if (node) {
    const listen = 'require("node:worker_threads").parentPort.on("message", take);';
    const worker = new node.Worker(text + listen, { eval: true, execArgv: [] });
    // It reads no letters any more then, and programs run without it.
    worker.on("error", () => {});
    worker.unref();
    return { post: (letter) => worker.postMessage(letter), end: () => void worker.terminate() };
  }
  if (!Worker || !Blob || !URL)
    throw new StateError("setNumThreads: there are no workers here; Node has them from 20.16 on");
  const listen = "onmessage = ({ data }) => take(data);";
  const worker = new Worker(URL.createObjectURL(new Blob([text + listen], { type: "text/javascript" })));
  worker.onerror = warn;
  return { post: (letter) => worker.postMessage(letter), end: () => worker.terminate() };
}

let warned = false;

/** Says once that programs run on the main thread alone. */
function warn(): void {
  if (!warned)
    console.warn(
      "cotangent: setNumThreads: workers do not start here, and programs run on one thread; a Content-Security-Policy has to " +
        "allow worker-src blob:",
    );
  warned = true;
}
