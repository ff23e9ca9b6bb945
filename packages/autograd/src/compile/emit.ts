import { byteSize } from "../dtype.ts";
import { remembered } from "../memo.ts";
import type { Program } from "../program.ts";
import type { Import } from "../wasm/assembler.ts";
import { Code } from "../wasm/assembler.ts";
import { FoldWriter } from "./fold.ts";
import type { Form, Kernel, Pattern } from "./kernel.ts";
import { titleOf } from "./kernel.ts";
import type { Nest } from "./loops.ts";
import { vectorRounds } from "./loops.ts";
import type { Microkernel } from "./microkernel.ts";
import { microkernel } from "./microkernel.ts";
import { NestWriter } from "./nest.ts";
import type { Layout } from "./plan.ts";
import { ProductWriter } from "./product.ts";
import { baseOf, slowFunction } from "./scalars.ts";
import type { Steps } from "./steps.ts";
import { stride } from "./steps.ts";
import type { NestContext } from "./walk.ts";
import { loads, stores } from "./words.ts";

/** From so many bytes on a function gets no further nests: the engine's optimizing compiler gives up on very long functions. */
export const partBytes = 20_000;

/** What the module imports if a nest is opaque: the host computes the nest of this number. */
export const host: Import = { module: "host", name: "compute" };

/** The functions of a module, those first that it imports. */
export interface Emitted {
  readonly functions: readonly Code[];
  readonly imports: readonly Import[];
}

/** The last function runs the nests in order. Long programs are cut into several that it calls. */
export function* emit(nests: readonly Nest[], layout: Layout, relaxed: boolean): Steps<Emitted> {
  const isOpaque = nests.some(({ form }) => form.kind === "opaque");
  const functions = isOpaque ? [new Code(["i32"])] : [];
  const slow = slowFunctions(functions, layout);
  const micro = microkernels(functions, relaxed);
  const shared = sharedFunctions(functions, nests, { layout, slow, relaxed }, micro);
  const parts = [new Code()];
  for (const [n, nest] of nests.entries()) {
    if (n % stride === stride - 1) yield;
    if (parts[parts.length - 1]!.length > partBytes) parts.push(new Code());
    const code = parts[parts.length - 1]!;
    if (nest.form.kind === "opaque") code.i32(n).call(0);
    else if (!shared(nest, n, code)) {
      const bases = basesOf(nest.kernel, layout);
      const base = (x: number) => bases[x]!;
      const context = { layout, slow, relaxed, base, number: n };
      write(new NestWriter(code, nest, context), micro);
    }
  }
  let main = parts[0]!;
  if (parts.length > 1) {
    main = new Code();
    for (const part of parts) main.call(functions.push(part.titled("part of run")) - 1);
  }
  for (const { from, to, bytes } of layout.copies) copy(main, from, to, bytes);
  functions.push(main.titled("run"));
  return { functions, imports: isOpaque ? [host] : [] };
}

/**
 * Returns what writes a call of the function that the nests of one form share, if at least `fewest` have that form; for other nests it
 * returns false. The function itself is written at its first call.
 */
export function sharedFunctions(
  functions: Code[],
  nests: readonly Nest[],
  context: Pick<NestContext, "layout" | "slow" | "relaxed">,
  micro: (form: Microkernel) => number,
  fewest = 2,
): (nest: Nest, n: number, code: Code) => boolean {
  const counts = new Map<object, number>();
  for (const nest of nests) counts.set(keyOf(nest), (counts.get(keyOf(nest)) ?? 0) + 1);
  const known = new Map<object, number>();
  return (nest, n, code) => {
    const key = keyOf(nest);
    if (counts.get(key)! < fewest) return false;
    const bases = basesOf(nest.kernel, context.layout);
    const rounds = roundsOf(nest);
    const number = remembered(known, key, () => {
      // The parameters: the addresses of the nodes, the number of the nest, and the rounds if they are one.
      const addresses = bases.length;
      const own = new Code(new Array<"i32">(addresses + (rounds === null ? 1 : 2)).fill("i32"));
      const base = (x: number) => ({ local: x });
      const last = rounds === null ? undefined : addresses + 1;
      write(
        new NestWriter(own, nest, { base, number: { local: addresses }, rounds: last, ...context }),
        micro,
      );
      return functions.push(own.titled(titleOf(nest.kernel))) - 1;
    });
    for (const base of bases) code.i32(base);
    code.i32(n + 1);
    if (rounds !== null) code.i32(rounds);
    code.call(number);
    return true;
  };
}

/** The functions for a nest that is one loop, for results of any size: the last takes the addresses of the nodes and the rounds of the loop. */
export function emitAlone(nest: Nest, layout: Layout): Code[] {
  const functions: Code[] = [];
  const slow = slowFunctions(functions, layout);
  const rounds = nest.kernel.nodes.length;
  const code = new Code(new Array<"i32">(rounds + 1).fill("i32"));
  const base = (x: number) => ({ local: x });
  const writer = new NestWriter(code, nest, { layout, slow, relaxed: false, base, number: 0, rounds });
  writer.results(() => writer.map());
  return [...functions, code.titled(titleOf(nest.kernel))];
}

/** The first byte of the element of each node that its places are counted from. */
function basesOf(kernel: Kernel, layout: Layout): number[] {
  return kernel.nodes.map((x, i) => baseOf(layout, x) + kernel.starts[i]! * byteSize(x.dtype));
}

/**
 * Nests of one key share a function, which gets the addresses of their nodes: the same layer many times is written once, and the
 * update of parameters of all sizes, as one loop whose rounds are a parameter too.
 */
function keyOf(nest: Nest): Form | Pattern {
  const { form } = nest;
  return form.pattern.shapes && roundsOf(nest) !== null ? form.pattern : form;
}

/** The number of vectors, if the nest is one loop over whole vectors; else null. */
function roundsOf({ counts, vector, unrolled }: Nest): number | null {
  const isOneLoop = counts.length === 1 && vector?.overruns && !unrolled.results;
  return isOneLoop ? vectorRounds(counts[0]!, vector.width) : null;
}

function write(writer: NestWriter, micro: (form: Microkernel) => number): void {
  const { kind, fold } = writer.nest.form;
  switch (kind) {
    case "map":
      writer.results(() => writer.map());
      break;
    case "scatter":
      writer.clear();
      writer.results(() => writer.scatter());
      break;
    case "scan":
      writer.results(() => new FoldWriter(writer, fold!).scan());
      break;
    case "product":
      new ProductWriter(writer, micro).write();
      break;
    case "reduce":
      writer.results(() => new FoldWriter(writer, fold!).reduce());
      break;
  }
}

/** Returns what gives the number of the function for the slow side of a `rare`, and writes that function when it is first asked for. */
export function slowFunctions(functions: Code[], layout: Layout): (program: Program) => number {
  const known = new Map<Program, number>();
  const refuse = () => {
    throw new Error("rare reads operands only");
  };
  const slow = (program: Program): number =>
    remembered(known, program, () => {
      const around = { layout, slow, index: refuse, address: refuse, check: refuse };
      return functions.push(slowFunction(program, around).titled("rare case of a function")) - 1;
    });
  return slow;
}

/** The same for micro-kernels. */
export function microkernels(functions: Code[], relaxed: boolean): (form: Microkernel) => number {
  const known = new Map<string, number>();
  return (form) =>
    remembered(known, Object.values(form).join(), () => {
      const title = `block of ${form.rows} rows, ${form.columns} columns`;
      return functions.push(microkernel(form, relaxed).titled(title)) - 1;
    });
}

/** Up to so many bytes are copied by loads and stores: `memory.copy` is a call into the engine. */
const fewBytes = 128;

export function copy(code: Code, from: number, to: number, bytes: number): void {
  if (bytes > fewBytes) {
    code.i32(to).i32(from).i32(bytes).copyMemory();
    return;
  }
  let done = 0;
  for (const [size, dtype] of [
    [8, "float64"],
    [4, "int32"],
    [1, "bool"],
  ] as const)
    for (; bytes - done >= size; done += size) {
      code.i32(to + done).i32(from + done);
      code.memory(loads[dtype], 0).memory(stores[dtype], 0);
    }
}
