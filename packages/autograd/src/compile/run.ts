import type { TypedArray } from "../dtype.ts";
import { allocate } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { setElements, siteOf } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { compute } from "../kernels.ts";
import { callerOf, checkWithin } from "../ops/indexing.ts";
import { sizeOf } from "../shape.ts";
import { numberIn, topology } from "../topology.ts";
import { emit, host } from "./emit.ts";
import { fuse, isHeld } from "./fuse.ts";
import { checkKernels, formatKernels } from "./kernel.ts";
import type { Nest } from "./loops.ts";
import { formatLoops, loops } from "./loops.ts";
import type { Layout, Traced } from "./plan.ts";
import { formatPlan, plan } from "./plan.ts";
import { copied, formatGraph, originOf, simplify } from "./simplify.ts";
import { tile } from "./tile.ts";
import { failedCheck } from "./walk.ts";

/** A compiled graph with its memory. */
export interface Executable {
  /** Where to write the arguments, where the versions of variables lie, and where the outputs are found. */
  readonly inputs: readonly TypedArray[];
  readonly states: readonly TypedArray[];
  readonly outputs: readonly TypedArray[];
  /**
   * Computes the outputs and the new versions. If it throws (an IndexError, or what an opaque kernel threw), the versions are
   * as they were.
   */
  run(): void;
  /** What every pass made of it. */
  text(): string;
}

let checking = false;

/** From now on what one pass hands to the next is checked: for tests. */
export function checkPasses(): void {
  checking = true;
}

/** Is WebAssembly there, and allowed by the page? */
export function canRun(): boolean {
  if (typeof WebAssembly === "undefined") return false;
  try {
    new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    return true;
  } catch {
    return false;
  }
}

/** All passes. Throws CompileError for what cannot be compiled. */
export function build(traced: Traced): Executable {
  const simple = simplifyTraced(traced);
  const roots = rootsOf(simple);
  const kernels = fuse(roots);
  if (checking) checkKernels(kernels, isHeld);
  const nests = loops(kernels);
  const layout = plan(nests, simple);
  const bytes = emit(nests, layout);
  const calls: (() => void)[] = [];
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    [host.module]: { [host.name]: (n: number) => calls[n]!() },
  });
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run: () => void };
  for (const { address, dtype, data } of layout.constants)
    viewOf(memory, address, { dtype, shape: [data.length] }).set(data);
  const view = (x: Tensor) => viewOf(memory, layout.addresses.get(x) ?? 0, x);
  nests.forEach(({ kernel: { kind, node } }, n) => {
    if (kind === "opaque") calls[n] = opaqueCall(node, view);
  });
  return {
    inputs: simple.inputs.map(view),
    states: simple.states.map(view),
    outputs: simple.outputs.map(view),
    run: () => {
      try {
        run();
      } catch (error) {
        throw explained(error, memory, nests);
      }
    },
    text: () => textOf(roots, nests, layout),
  };
}

/** The same by interpretation, for where WebAssembly is not. */
export function buildInterpreted(traced: Traced): Executable {
  const hold = (x: Tensor): TypedArray => {
    const data = allocate(x.dtype, x.size);
    setElements(x, data);
    return data;
  };
  const inputs = traced.inputs.map(hold);
  const states = traced.states.map(hold);
  const outputs = traced.outputs.map((x) => allocate(x.dtype, x.size));
  const roots = rootsOf(traced);
  const targets = [...outputs, ...states.filter((_, i) => traced.updates[i])];
  const run = () => {
    const order = topology(roots);
    const numbers = roots.map((root) => numberIn(order, root));
    const values = interpret(order, numbers).map((data) => data.slice());
    values.forEach((data, i) => {
      targets[i]!.set(data);
    });
  };
  return { inputs, states, outputs, run, text: () => `graph\n${formatGraph(roots).replace(/^/gm, "  ")}` };
}

/** Computes an opaque node from memory to memory. The views are made once: memory does not grow. */
function opaqueCall(node: Tensor, view: (x: Tensor) => TypedArray): () => void {
  const inputs = node.inputs.map(view);
  const out = view(node);
  const made = originOf(node);
  return () => compute(made, inputs, out);
}

function viewOf(
  { buffer }: WebAssembly.Memory,
  address: number,
  { dtype, shape }: Pick<Tensor, "dtype" | "shape">,
): TypedArray {
  const size = sizeOf(shape);
  if (dtype === "float32") return new Float32Array(buffer, address, size);
  if (dtype === "float64") return new Float64Array(buffer, address, size);
  if (dtype === "int32") return new Int32Array(buffer, address, size);
  return new Uint8Array(buffer, address, size);
}

const present = (x: Tensor | null): x is Tensor => x !== null;

function rootsOf({ outputs, updates }: Traced): Tensor[] {
  return [...outputs, ...updates.filter(present)];
}

/** Simplifies the graph. A root that is a leaf gets elements of its own: the leaf may be overwritten before it is read. */
function simplifyTraced({ inputs, states, outputs, updates }: Traced): Traced {
  const simple = simplify(rootsOf({ inputs, states, outputs, updates }), tile);
  let next = 0;
  const own = (): Tensor => {
    const x = simple[next++]!;
    return isHeld(x) ? copied(x) : x;
  };
  return { inputs, states, outputs: outputs.map(own), updates: updates.map((x) => x && own()) };
}

/** An IndexError for a trap that a check has caused. */
function explained(error: unknown, memory: WebAssembly.Memory, nests: readonly Nest[]): unknown {
  const failed = failedCheck(memory.buffer);
  if (!failed) return error;
  const { node, pick, body } = nests[failed.nest]!.kernel;
  const { axis, size } = (pick ?? body.find((scalar) => scalar.pick)?.pick)!;
  const line = siteOf(originOf(node));
  const site = line === null ? "" : `; made ${line.trim()}`;
  try {
    checkWithin(callerOf(node), failed.index, size, axis, site);
    return error;
  } catch (found) {
    return found;
  }
}

function textOf(roots: readonly Tensor[], nests: readonly Nest[], layout: Layout): string {
  const names = new Map<Tensor, string>();
  const name = (x: Tensor): string => {
    if (!names.has(x)) names.set(x, x.label ?? `%${names.size}`);
    return names.get(x)!;
  };
  const sections = {
    graph: formatGraph(roots),
    kernels: formatKernels(
      nests.map(({ kernel }) => kernel),
      name,
    ),
    loops: formatLoops(nests),
    plan: formatPlan(layout, name),
  };
  return Object.entries(sections)
    .map(([title, text]) => `${title}\n${text.replace(/^/gm, "  ")}`)
    .join("\n");
}
