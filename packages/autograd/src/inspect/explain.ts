import type { ArgumentForm } from "../compile/arguments.ts";
import { canRelax } from "../compile/run.ts";
import type { History } from "../compiled.ts";
import { historyOf, mostPrograms, setTools } from "../compiled.ts";
import { CompileError, ValueError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { Program } from "../runner.ts";
import { formatShape } from "../shape.ts";
import type { Signature } from "../tracing.ts";
import { canRun } from "../wasm/module.ts";
import { checkCaptured } from "./captured.ts";
import { formatPasses, formatTraced } from "./passes.ts";

/**
 * What became of a function that was given to `compile`, as text: why each call that traced it did so, and for the program
 * that ran last the work of a call, the graph, what simplification left of it, the kernels and what was fused in each, their
 * bodies and loops, the plan of memory and the functions of the module. Throws ValueError for other functions, CompileError
 * before the first call.
 *
 * @example
 * ```ts
 * import { compile, explain, type Tensor, tensor } from "@cotangent/autograd";
 * const f = compile((x: Tensor) => x.exp().sum());
 * f(tensor([1, 2]));
 * f(tensor([1, 2, 3]));
 * explain(f).split("\n")[2].trim(); // => call 2  traced again: argument 0 was float32[2], is float32[3]
 * ```
 */
export function explain(f: (...args: never[]) => unknown): string {
  return explained(f);
}
setTools({ explain: explained, compare: checkCaptured });

function explained(f: object): string {
  const history = typeof f === "function" ? historyOf(f) : undefined;
  if (!history) throw new ValueError("explain: takes a function that came out of compile");
  const program = history.programs[0];
  if (!program) throw new CompileError("explain: there is nothing to explain before the first call");
  const { signature, graph } = program.traced;
  const slots = signature.forms.flatMap((form, i) => slotPaths(form, `arg${i}`));
  const paths = new Map(slots.map(([slot, path]) => [graph.inputs[slot]!, path]));
  const labelOf = (x: Tensor): string | null => paths.get(x) ?? null;
  const relaxed = history.options.relaxed === true && canRun() && canRelax();
  const passes = canRun() ? formatPasses(graph, labelOf, relaxed) : formatTraced(graph, labelOf);
  return [
    formatHistory(history),
    `program of the last call\n${lines(programLines(history, signature, relaxed))}`,
    passes,
  ].join("\n\n");
}

function lines(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, text]) => `  ${title.padEnd(width)}  ${text}`).join("\n");
}

function formatHistory({ calls, traced, tracings, programs }: History): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const dropped = traced > programs.length ? `, ${traced - programs.length} dropped` : "";
  const compiled = programs.filter((program) => program instanceof Program).length;
  const others = programs.length - compiled;
  const evaluated = others > 0 ? `, ${count(others, "form")} evaluated without one` : "";
  const title = `compile: ${count(calls, "call")}, ${count(traced, "trace")}, ${count(compiled, "program")} held of at most ${mostPrograms}${evaluated}${dropped}`;
  const rows = tracings.map(({ call, before, now }): [string, string] => [
    `call ${call}`,
    reasonOf(before, now),
  ]);
  return `${title}\n${lines(rows)}`;
}

/** Why a call had no program: what differs from the call before. */
function reasonOf(before: Signature | null, now: Signature): string {
  if (!before) return "traced: the first call";
  const changes = [...changedForms(before, now), ...changedSettings(before, now)];
  return `traced again: ${changes.length > 0 ? changes.join("; ") : "its program was dropped"}`;
}

function changedForms({ forms: before }: Signature, { forms: now }: Signature): string[] {
  if (before.length !== now.length) return [`${now.length} arguments instead of ${before.length}`];
  return now.flatMap((form, i) => changes(before[i]!, form, `argument ${i}`));
}

function changes(before: ArgumentForm, now: ArgumentForm, path: string): string[] {
  const entries = (
    a: readonly ArgumentForm[],
    b: readonly ArgumentForm[],
    keys: readonly (string | number)[],
  ) => b.flatMap((form, i) => changes(a[i]!, form, `${path}.${keys[i]}`));
  if (before.kind === "list" && now.kind === "list" && before.entries.length === now.entries.length)
    return entries(before.entries, now.entries, [...now.entries.keys()]);
  if (before.kind === "object" && now.kind === "object" && String(before.keys) === String(now.keys))
    return entries(before.entries, now.entries, now.keys);
  if (before.kind === "same" && now.kind === "same" && Object.is(before.value, now.value)) return [];
  const [was, is] = [formatForm(before), formatForm(now)];
  if (was !== is) return [`${path} was ${was}, is ${is}`];
  return before.kind === "same" ? [`${path} is another ${is}`] : [];
}

function changedSettings({ settings: before }: Signature, { settings: now }: Signature): string[] {
  const values = new Map(now);
  return before.flatMap(([setting, value]) =>
    values.has(setting) && values.get(setting) !== value
      ? [`${setting.name} was ${String(value)}, is ${String(values.get(setting))}`]
      : [],
  );
}

function formatForm(form: ArgumentForm): string {
  switch (form.kind) {
    case "tensor":
      return `${form.dtype}${formatShape(form.shape)}`;
    case "array":
      return `an array of ${form.length} ${form.dtype}`;
    case "number":
      return form.dtype === "float32" ? "a number" : `a ${form.dtype} number`;
    case "list":
      return `[${form.entries.map(formatForm).join(", ")}]`;
    case "object":
      return `{ ${form.keys.map((key, i) => `${key}: ${formatForm(form.entries[i]!)}`).join(", ")} }`;
    case "same":
      return formatValue(form.value);
  }
}

function formatValue(value: unknown): string {
  if (value instanceof Tensor) return value.label ?? `variable ${value.dtype}${formatShape(value.shape)}`;
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "function" ? `function ${value.name}` : String(value);
}

function programLines(
  { options, programs }: History,
  { forms, settings }: Signature,
  relaxed: boolean,
): [string, string][] {
  const rows = forms.map((form, i): [string, string] => [`argument ${i}`, formatForm(form)]);
  for (const [setting, value] of settings) rows.push([setting.name, String(value)]);
  if (!canRun()) rows.push(["interpreted", "WebAssembly is missing or not allowed here"]);
  else if (!(programs[0] instanceof Program))
    rows.push([
      "evaluated",
      "without a program, since the last forms ran once each; if it comes again it is compiled",
    ]);
  else if (relaxed)
    rows.push(["relaxed", "products and sums are rounded together: other machines give other bits"]);
  else if (options.relaxed)
    rows.push(["relaxed", "was asked for, and this engine cannot; the bits are the interpreter's"]);
  else rows.push(["rounding", "the bits are the interpreter's, on every machine"]);
  if (options.check) rows.push(["check", "every call traces the function again and compares"]);
  return rows;
}

/** How the slots of an argument are called in the graph: `arg0.x`. */
function slotPaths(form: ArgumentForm, path: string): [slot: number, path: string][] {
  if (form.kind === "list") return form.entries.flatMap((entry, i) => slotPaths(entry, `${path}.${i}`));
  if (form.kind === "object")
    return form.entries.flatMap((entry, i) => slotPaths(entry, `${path}.${form.keys[i]}`));
  return form.kind === "same" ? [] : [[form.slot, path]];
}
