import type { Cost } from "../compile/cost.ts";
import { bytesOf, costOf } from "../compile/cost.ts";
import { emit } from "../compile/emit.ts";
import { formatKernel, nodeOf, resultsOf, titleOf } from "../compile/kernel.ts";
import type { Nest } from "../compile/loops.ts";
import type { Layout, Traced } from "../compile/plan.ts";
import { rootsOf } from "../compile/plan.ts";
import type { Passed } from "../compile/run.ts";
import { bytesOfMemory, passes, threadsNow } from "../compile/run.ts";
import { finish } from "../compile/steps.ts";
import { isHeld } from "../compile/stored.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf, isKnown, originOf } from "../graph.ts";
import { formatShape } from "../shape.ts";
import type { Topology } from "../topology.ts";
import { topology } from "../topology.ts";
import { attributesOf, isNumber, nameNodes } from "./text.ts";

/** What every pass of the compiler makes of a graph, as text. */

type NameOf = (x: Tensor) => string | null;
type Row = readonly (string | number)[];

/** A graph that is interpreted: there is one pass. */
export function formatTraced(graph: Traced, labelOf: NameOf): string {
  return section("graph", graphRows(namesOf(graph, labelOf)));
}

/** `labelOf` names the leaves that stand for arguments; `relaxed` says how products are rounded. */
export function formatPasses(graph: Traced, labelOf: NameOf, relaxed: boolean): string {
  const passed = finish(passes(graph));
  const { simple, nests, layout } = passed;
  const named = namesOf(simple, labelOf);
  const before = namesOf(graph, labelOf);
  const { functions, imports } = finish(emit(nests, layout, relaxed));
  const sizes = functions.map((code, i) => (i < imports.length ? 0 : code.packed.length));
  const costs = nests.map(({ kernel }) => costOf(kernel));
  const nodes = (graph: Named) => `${graph.order.nodes.length} nodes`;
  return [
    section("work", workRows(passed, costs, sizes), [false, true, false]),
    section(`graph: ${nodes(before)} as traced`, graphRows(before)),
    section(`simplified: ${nodes(named)}`, graphRows(named)),
    section(
      `kernels: ${nests.length}, and what was fused in each`,
      kernelRows(passed, costs, named),
      kernelColumns,
    ),
    section("bodies: what a kernel does at each index", bodyRows(nests, named.name)),
    section(
      "loops: how often, and how many bytes each walk through memory moves in a round",
      loopRows(nests),
      [true],
    ),
    section("plan: addresses in memory", planRows(passed, named.name), [true, true]),
    section(
      `code: ${functions.length - imports.length} functions`,
      codeRows(functions, sizes, imports.length),
      [true, true],
    ),
  ].join("\n\n");
}

/** A title over rows whose columns are aligned, those to the right that `right` says. */
function section(title: string, rows: readonly Row[], right: readonly boolean[] = []): string {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? grouped(cell) : cell)));
  const widths: number[] = [];
  for (const row of texts)
    row.forEach((cell, i) => {
      if (i < row.length - 1 || right[i]) widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  const lines = texts.map((row) =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** 12345 as "12,345". */
function grouped(x: number): string {
  return String(x).replace(/\B(?=(\d{3})+$)/g, ",");
}

interface Named {
  readonly graph: Traced;
  readonly order: Topology;
  readonly names: readonly string[];
  name(x: Tensor): string;
}

function namesOf(graph: Traced, labelOf: NameOf): Named {
  const order = topology(rootsOf(graph), isKnown);
  const names = nameNodes(order, (x) => labelOf(x) ?? originOf(x).label);
  const byNode = new Map(order.nodes.map((x, n) => [x, names[n]!]));
  return { graph, order, names, name: (x) => byNode.get(x) ?? labelOf(x) ?? x.label ?? "unused" };
}

function graphRows({ graph, order: { nodes, starts, edges }, names, name }: Named): Row[] {
  const leaf = (x: Tensor): string =>
    graph.inputs.includes(x) ? "argument" : graph.states.includes(x) ? "variable" : "constant";
  const rows = nodes.flatMap((x, n): Row[] => {
    if (isNumber(x)) return [];
    const list = [...edges.slice(starts[n], starts[n + 1]).map((input) => names[input]!), ...attributesOf(x)];
    const what =
      elementsOf(x) || isHeld(x) ? leaf(x) : `${x.op.name}${list.length > 0 ? `(${list.join(", ")})` : ""}`;
    return [[`${names[n]}:`, `${x.dtype}${formatShape(x.shape)}`, `= ${what}`]];
  });
  const updates = graph.updates.flatMap((x, i) => (x ? [`${name(graph.states[i]!)} <- ${name(x)}`] : []));
  const outputs = graph.outputs.length > 0 ? [["returns", graph.outputs.map(name).join(", ")]] : [];
  return [...rows, ...outputs, ...(updates.length > 0 ? [["assigns", updates.join(", ")]] : [])];
}

function workRows(
  { simple, nests, layout }: Passed,
  costs: readonly Cost[],
  sizes: readonly number[],
): Row[] {
  const sum = (f: (cost: Cost) => number) => costs.reduce((total, cost) => total + f(cost), 0);
  const total = (nodes: Iterable<Tensor>) => [...nodes].reduce((bytes, x) => bytes + bytesOf(x), 0);
  const [flops, reads, writes] = [
    sum((cost) => cost.flops),
    sum((cost) => cost.reads),
    sum((cost) => cost.writes),
  ];
  const opaque = nests.flatMap(({ form, kernel }) =>
    form.kind === "opaque" ? [nodeOf(kernel).op.name] : [],
  );
  const constants = layout.constants.reduce(
    (bytes, { dtype, data }) => bytes + byteSize(dtype) * data.length,
    0,
  );
  const intensity = flops / Math.max(1, reads + writes);
  return [
    ["arithmetic", flops, `FLOP a call, ${intensity.toFixed(2)} for each byte that is read or written`],
    ["reads", reads, "bytes a call, each operand of a kernel once"],
    ["writes", writes, "bytes a call"],
    ["arguments", total(new Set(simple.inputs)), "bytes"],
    ["variables", total(new Set(simple.states)), "bytes, which stay in the program"],
    ["constants", constants, "bytes"],
    ["arena", layout.size, `bytes in all, ${grouped(bytesOfMemory(layout))} of memory`],
    ["code", sizes.reduce((bytes, size) => bytes + size, 0), "bytes"],
    [
      "opaque imports",
      opaque.length,
      opaque.length > 0 ? `calls of the host: ${counted(opaque)}` : "calls of the host",
    ],
    ...threadRows(nests),
  ];
}

function threadRows(nests: readonly Nest[]): Row[] {
  const threads = threadsNow();
  if (!threads) return [];
  const divided = nests.filter(({ kernel }) => threads.divides(kernel)).length;
  const started = threads.areThere ? "" : "; the others have not started";
  return [["threads", threads.size, `to which ${divided} of ${nests.length} kernels are divided${started}`]];
}

/** `add, mul 3x` */
function counted(list: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const entry of list) counts.set(entry, (counts.get(entry) ?? 0) + 1);
  return [...counts].map(([entry, count]) => (count === 1 ? entry : `${entry} ${count}x`)).join(", ");
}

const kernelColumns = [true, false, false, true, true, true];

function kernelRows({ nests, layout }: Passed, costs: readonly Cost[], { name }: Named): Row[] {
  const stored = new Set(nests.flatMap(({ kernel }) => resultsOf(kernel)));
  return [
    ["", "does", "computes", "FLOP", "reads", "writes", "from"],
    ...nests.map(({ kernel }, n): Row => {
      const { kind, space, outer } = kernel.form;
      const over =
        outer < space.length && kind !== "opaque" ? ` over ${formatShape(space.slice(outer))}` : "";
      const { flops, reads, writes } = costs[n]!;
      const made = resultsOf(kernel);
      const does = `${kind} ${formatShape(kind === "opaque" ? made[0]!.shape : space.slice(0, outer))}${over}`;
      const from = made.flatMap((x) => fusedIn(x, stored, layout));
      return [String(n), does, made.map(name).join(", "), flops, reads, writes, counted(from)];
    }),
  ];
}

/** The ops that the kernel of `node` computes, its own last. */
function fusedIn(node: Tensor, stored: ReadonlySet<Tensor>, { addresses }: Layout): string[] {
  const isEnd = (x: Tensor) => x !== node && (stored.has(x) || addresses.has(x) || isHeld(x));
  const { nodes } = topology([node], isEnd);
  return nodes.flatMap((x) => (isEnd(x) || isNumber(x) ? [] : [x.op.name]));
}

function bodyRows(nests: readonly Nest[], name: (x: Tensor) => string): Row[] {
  return nests.flatMap(({ kernel }, n) => {
    const lines = formatKernel(kernel, name).split("\n");
    return [[`kernel ${n}: ${titleOf(kernel)}`], ...lines.map((line) => [`  ${line}`])];
  });
}

function loopRows(nests: readonly Nest[]): Row[] {
  return nests.flatMap(({ form, counts, outer, walks, unrolled, vector }, n): Row[] => {
    if (form.kind === "opaque") return [];
    const loop = (count: number, i: number) => {
      const lanes = vector?.loop === i ? ` in ${vector.width} lanes` : "";
      const isUnrolled = i < outer ? unrolled.results : unrolled.terms;
      return `${i === outer ? "over " : ""}${count}${lanes}${isUnrolled ? " written out" : ""}`;
    };
    const steps = walks.map((walk) => `(${walk.join(", ")})`).join(" ");
    const places = steps === "" ? "" : `walks ${steps}`;
    return [[String(n), counts.length > 0 ? counts.map(loop).join(", ") : "once", places]];
  });
}

function planRows({ simple, nests, layout }: Passed, name: (x: Tensor) => string): Row[] {
  const written = new Map<Tensor, number>();
  const read = new Map<Tensor, number>();
  nests.forEach(({ kernel }, n) => {
    for (const node of resultsOf(kernel)) if (!written.has(node)) written.set(node, n);
    for (const x of kernel.nodes.slice(kernel.form.results.length)) read.set(x, n);
  });
  const ends = new Set<Tensor>([...simple.outputs, ...simple.updates.filter((x) => x !== null)]);
  const lives = (x: Tensor): string => {
    if (isHeld(x)) return "always";
    const from = `from kernel ${written.get(x) ?? 0}`;
    return ends.has(x) ? `${from} to the end` : `${from} to ${read.get(x) ?? written.get(x)!}`;
  };
  const nodes = [...layout.addresses].sort(([, a], [, b]) => a - b);
  return [
    ["address", "bytes", "holds", "lives"],
    ...nodes.map(([x, address]): Row => [address, bytesOf(x), name(x), lives(x)]),
    ...layout.copies.map(
      ({ from, to, bytes }): Row => [to, bytes, `copied from ${grouped(from)}`, "at the end"],
    ),
  ];
}

function codeRows(
  functions: readonly { readonly title: string }[],
  sizes: readonly number[],
  imported: number,
): Row[] {
  return [
    ["", "bytes", "does"],
    ...functions.map(({ title }, n): Row => {
      return n < imported ? [String(n), "", "the host computes an opaque op"] : [String(n), sizes[n]!, title];
    }),
  ];
}
