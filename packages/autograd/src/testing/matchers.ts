import { isFloat } from "../dtype.ts";
import { captureStack, hideFrames } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import { Tensor } from "../graph.ts";
import { toText } from "../inspect/text.ts";
import { optionsOf } from "../options.ts";
import { equalShapes, formatShape, indexOf } from "../shape.ts";
import type { CheckOptions } from "../verify/gradient.ts";
import { checkGradient } from "../verify/gradient.ts";

/** What a matcher answers: Jest's and Vitest's `expect.extend` take functions that give this, and other runners can ask for `pass`. */
export interface Match {
  readonly pass: boolean;
  message(): string;
}

export interface Closeness {
  /** How far elements may differ, relative to the larger of 1 and their size; 1e-6 unless given, 1e-12 for float64. */
  readonly tolerance?: number | undefined;
}

/** Do the derivatives of `f` at `inputs` pass `checkGradient`? The message is its report. */
function toHaveCorrectGradient(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options?: CheckOptions,
): Match {
  hideRunner();
  const report = checkGradient(f, inputs, options);
  return { pass: report.pass, message: () => String(report) };
}

const runner = /([^\s(]+\/node_modules\/(?:@?vitest|chai|@?jest|jest-[\w-]+|expect)\/[^\s:]+):\d/;
const hidden = new Set<string>();

/** An op that is the function itself is called from the runner: the line to tell is the one of the test that called that. */
function hideRunner(): void {
  const site: { stack?: string } = {};
  captureStack(site);
  for (const line of site.stack?.split("\n") ?? []) {
    const module = runner.exec(line)?.[1];
    if (module === undefined || hidden.has(module)) continue;
    hidden.add(module);
    hideFrames(module);
  }
}

/** Has `x` the shape and dtype of `expected`, and elements as close as the tolerance says? NaN is close to NaN. */
function toBeCloseToTensor(x: unknown, expected: Tensor, options?: Closeness): Match {
  const found = difference(x, expected, optionsOf("toBeCloseToTensor", options, { tolerance: true }));
  return {
    pass: found === null,
    message: () => found ?? "the tensors are close to one another, and should not be",
  };
}

function difference(x: unknown, expected: Tensor, { tolerance }: Closeness): string | null {
  if (!(x instanceof Tensor)) return `expected a tensor, got ${String(x)}`;
  if (x.dtype !== expected.dtype) return `expected ${expected.dtype}, got ${x.dtype}`;
  if (!equalShapes(x.shape, expected.shape))
    return `expected shape ${formatShape(expected.shape)}, got ${formatShape(x.shape)}`;
  const within = tolerance ?? (isFloat(x.dtype) ? (x.dtype === "float64" ? 1e-12 : 1e-6) : 0);
  const [a, b] = evaluate([x, expected]);
  for (let i = 0; i < a!.length; i++) {
    const [left, right] = [a![i]!, b![i]!];
    const isSame = Object.is(left, right) || left === right;
    if (!isSame && !(Math.abs(left - right) <= within * Math.max(1, Math.abs(left), Math.abs(right))))
      return `element [${indexOf(i, x.shape).join(", ")}] is ${left}, expected ${right} within ${within}`;
  }
  return null;
}

/** Is `text` what `toText` prints for the graph of `x`? Indentation common to all lines does not count. */
function toMatchGraph(x: Tensor, text: string): Match {
  const [found, expected] = [toText(x), dedented(text)];
  return {
    pass: found === expected,
    message: () => `the graph is\n${found}\nand was expected to be\n${expected}`,
  };
}

function dedented(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const indents = lines.map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return lines.map((line) => line.slice(common).trimEnd()).join("\n");
}

/**
 * The matchers under their names, for `expect.extend(matchers)` of Jest and others; Vitest has them by importing
 * `@cotangent/autograd/testing/vitest`. With node:test: `assert.ok(matchers.toBeCloseToTensor(x, y).pass)`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { matchers } from "@cotangent/autograd/testing";
 * matchers.toBeCloseToTensor(tensor([0.1]).add(0.2), tensor([0.3])).pass; // => true
 * ```
 */
export const matchers: {
  readonly toHaveCorrectGradient: (
    f: (...inputs: Tensor[]) => Tensor,
    inputs: readonly Tensor[],
    options?: CheckOptions,
  ) => Match;
  readonly toBeCloseToTensor: (x: unknown, expected: Tensor, options?: Closeness) => Match;
  readonly toMatchGraph: (x: Tensor, text: string) => Match;
} = { toHaveCorrectGradient, toBeCloseToTensor, toMatchGraph };
