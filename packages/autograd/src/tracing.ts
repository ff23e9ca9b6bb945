import type { ArgumentForm } from "./compile/arguments.ts";
import { numberDType, traceArgument } from "./compile/arguments.ts";
import type { Traced } from "./compile/plan.ts";
import { rootsOf } from "./compile/plan.ts";
import { CompileError, ValueError } from "./errors.ts";
import { evaluate, flush, withoutReading } from "./evaluate.ts";
import type { Tensor } from "./graph.ts";
import { placeholder } from "./ops/leaf.ts";
import { topology } from "./topology.ts";
import { leavesOf } from "./tree.ts";
import type { Setting } from "./variable.ts";
import { Trace, tracing, Variable } from "./variable.ts";

/** What a program is for: calls whose arguments have these forms, while these settings have these values. */
export interface Signature {
  readonly forms: readonly ArgumentForm[];
  readonly settings: readonly (readonly [Setting<unknown>, unknown])[];
}

/** What tracing a function found: its graph, and what to do with it at each call. */
export interface TracedCall {
  readonly signature: Signature;
  readonly graph: Traced;
  /** What it returned, with the nodes of its leaves; undefined for nothing. */
  readonly result: unknown;
  /** So many outputs of the graph are returned; gradients come after them. */
  readonly returned: number;
  /** The variables whose versions are the states of the graph, and which of them are read and assigned. */
  readonly variables: readonly Variable[];
  readonly record: Trace;
}

/**
 * Calls `f` on symbols, which stand for the tensors and numbers among the arguments. Throws CompileError for what cannot be compiled; what
 * `f` throws is thrown. Nothing has changed then.
 */
export function traceCall(f: (...args: unknown[]) => unknown, args: readonly unknown[]): TracedCall {
  flush();
  // Nodes with smaller ids were there before the call.
  const first = placeholder([], "float32").id;
  const inputs: Tensor[] = [];
  const symbols = {
    slots: inputs,
    number: numberDType(args),
    isState: (x: Tensor) => x instanceof Variable,
  };
  const parts = args.map((x, i) => traceArgument(x, `argument ${i}`, symbols));
  const record = new Trace();
  const { result, returned } = tracing(record, () =>
    withoutReading("compile", () => {
      const result = f(...parts.map(({ value }) => value));
      return { result, returned: result === undefined ? [] : resultLeaves(result).map((x) => x.node) };
    }),
  );
  if (returned.length === 0 && record.assigned.size === 0 && record.gradients.size === 0)
    throw new CompileError(
      "compile: the function returns no tensor and assigns no variable: it has no effect",
    );
  const variables = [...new Set([...record.begun.keys(), ...record.assigned.keys()])];
  const graph = {
    inputs,
    states: variables.map((x) => record.begun.get(x) ?? placeholder(x.shape, x.dtype)),
    outputs: [...returned, ...[...record.gradients.values()].filter((g) => g !== null)],
    updates: variables.map((x) => record.assigned.get(x) ?? null),
  };
  evaluateCaptured(graph, first);
  const signature = { forms: parts.map(({ form }) => form), settings: [...record.settings] };
  return { signature, graph, result, returned: returned.length, variables, record };
}

/** What was built before the call is constant: it is computed now, not at each call, and keeps its elements for the program. */
function evaluateCaptured(graph: Traced, first: number): void {
  const { nodes } = topology(rootsOf(graph), (x) => x.id < first);
  const captured = nodes.filter((x) => x.id < first && x.op.kernel.kind !== "leaf");
  if (captured.length > 0) evaluate(captured);
}

function resultLeaves(result: unknown): Tensor[] {
  if (result instanceof Promise || typeof (result as Partial<Iterator<unknown>> | null)?.next === "function")
    throw new CompileError(
      "compile: the function is async or a generator; what is compiled cannot wait, await outside",
    );
  try {
    return leavesOf(result);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new CompileError(`compile: the function returns something that is no tensor: ${error.message}`);
  }
}
