import { reverse } from "../differentiate.ts";
import { isFloat } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import { evaluate, withCache } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import { derivativeOf } from "../graph.ts";
import { onesLike } from "../ops/leaf.ts";
import { optionsOf } from "../options.ts";
import { siteOf } from "../site.ts";
import { topology } from "../topology.ts";
import type { Variable } from "../variable.ts";
import type { Call } from "./call.ts";
import { callOn, callWithSites, checkResult, checkTolerance } from "./call.ts";
import type { Question } from "./diagnosis.ts";
import { examine } from "./diagnosis.ts";
import { computed } from "./flow.ts";
import type { Direction, GradientReport } from "./report.ts";
import { explore, nonlinearity } from "./survey.ts";
import type { Verdict } from "./witness.ts";

/** Anything whose parameters have paths: a Module of `@cotangent/nn` is one. */
export interface Parameterized {
  namedParameters(): ReadonlyMap<string, Variable>;
}

export interface ModelCheckOptions {
  /** How many random directions through all parameters at once; 4 unless given. */
  readonly directions?: number | undefined;
  /** After so many seconds no further parameter is checked by itself; 2 unless given. */
  readonly seconds?: number | undefined;
  /** The largest relative difference that counts as equal; 1e-6 unless given. */
  readonly tolerance?: number | undefined;
  /** Of the random directions; 0 unless given. */
  readonly seed?: number | undefined;
}

/** What became of one parameter. */
export interface ParameterCheck {
  readonly path: string;
  readonly shape: readonly number[];
  /** By itself, or null if there was no time for that: it was moved together with all others. */
  readonly verdict: Verdict | null;
  /** Why it gets no gradient; null if it gets one. */
  readonly without: string | null;
}

/** What `checkModel` found: of the whole, and of each parameter by its path. */
export class ModelReport {
  readonly gradient: GradientReport;
  readonly parameters: readonly ParameterCheck[];

  constructor(gradient: GradientReport, parameters: readonly ParameterCheck[]) {
    this.gradient = gradient;
    this.parameters = parameters;
  }

  get verdict(): Verdict {
    return this.gradient.verdict;
  }
  /** Are the gradients right? That a parameter gets none is no mistake by itself. */
  get pass(): boolean {
    return this.gradient.pass;
  }
  /** The paths of the parameters that get no gradient. */
  get without(): readonly string[] {
    return this.parameters.filter(({ without }) => without !== null).map(({ path }) => path);
  }

  toString(): string {
    const lines = this.parameters.map(({ path, shape, verdict, without }) => {
      const said = without ? `no gradient: ${without}` : (verdict ?? "with the others");
      return `${path} [${shape.join(", ")}]: ${said}`;
    });
    return [String(this.gradient), ...lines].join("\n");
  }
}

/**
 * Checks the gradients of `loss(model, ...batch)` by every parameter of the model, as `checkGradient` does: along random
 * directions through all of them, then through each alone while there is time. Says which parameters get no gradient, and why:
 * the loss does not use them, an op without derivative lies in between (with the user's line), or it is 0 for this batch.
 *
 * Throws GradientError if the loss is no float tensor, ValueError if the model has no parameters.
 *
 * @example
 * ```ts
 * import { tanh, tensor } from "@cotangent/autograd";
 * import { checkModel } from "@cotangent/autograd/testing";
 * import { Linear, Sequential } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * const model = new Sequential(new Linear(2, 3), tanh, new Linear(3, 1));
 * const report = checkModel(model, (m, x, y) => mse(m.forward(x), y), [tensor([[0, 1]]), tensor([[1]])]);
 * report.pass; // => true
 * report.without; // => []
 * ```
 */
export function checkModel<M extends Parameterized, const B extends readonly unknown[]>(
  model: M,
  loss: (model: M, ...batch: B) => Tensor,
  batch: B,
  options?: ModelCheckOptions,
): ModelReport {
  const known = { directions: true, seconds: true, tolerance: true, seed: true } as const;
  const { directions = 4, seconds = 2, tolerance = 1e-6, seed = 0 } = optionsOf("checkModel", options, known);
  checkTolerance("checkModel", tolerance);
  const named = [...model.namedParameters()].filter(([, parameter]) => isFloat(parameter.dtype));
  if (named.length === 0) throw new ValueError("checkModel: the model has no parameters that are floats");
  const inputs = named.map(([, parameter]) => parameter);
  const f = () => loss(model, ...batch);
  evaluate(inputs);
  return withCache(null, () => {
    const call = callOn(f, inputs);
    checkResult("checkModel", "the loss", call);
    const without = whyWithout(call, inputs, () => callWithSites(f, inputs));
    const single: Direction[] = [];
    const ask: Question["ask"] = (primal, random) => {
      const together = Array.from({ length: directions }, (_, i) =>
        explore(primal, "all parameters", null, random, tolerance, i % 2),
      );
      const end = performance.now() + 1000 * seconds;
      for (const [i, [path]] of named.entries())
        if (performance.now() < end) single.push(explore(primal, path, i, random, tolerance));
      const notes = [nonlinearity(primal, random)].filter((note) => note !== null);
      return { directions: [...together, ...single], notes, replays: [primal] };
    };
    const report = examine(f, inputs, call, seed, [{ order: 1, tolerance, ask }]);
    const parameters = named.map(([path, { shape }], i) => ({
      path,
      shape,
      verdict: single[i]?.verdict ?? null,
      without: without[i]!,
    }));
    return new ModelReport(report, parameters);
  });
}

/** For each parameter why it gets no gradient, or null if it gets one. */
function whyWithout(
  { y, leaves }: Call,
  parameters: readonly Tensor[],
  withSites: () => Call,
): (string | null)[] {
  const versions = parameters.map((parameter) => parameter.node);
  const gradients = reverse([y], [onesLike(y)], versions);
  return computed(gradients).map((g, i) => {
    if (g) return Array.from(g).some((x) => x !== 0) ? null : "it is 0 everywhere for this batch";
    const order = topology([y]);
    if (!order.nodes.includes(versions[i]!) || leaves.length === 0) return "the loss does not use it";
    return barrier(withSites().y, versions[i]!);
  });
}

/** The op through which the derivative by `x` does not pass. */
function barrier(y: Tensor, x: Tensor): string {
  const { nodes, starts, edges } = topology([y]);
  const reached = new Uint8Array(nodes.length);
  // What a function with a rule of its own computes: that rule is the barrier.
  const inside = new Set(nodes.flatMap(({ op, inputs }) => (op.meaning === "first" ? [inputs[0]!] : [])));
  let last = "";
  nodes.forEach((node, n) => {
    if (node === x) reached[n] = 1;
    for (let k = starts[n]!, i = 0; k < starts[n + 1]!; k++, i++) {
      if (!reached[edges[k]!]) continue;
      const passes = inside.has(node) || derivativeOf(node.op, i).kind !== "zero";
      if (isFloat(node.dtype) && passes) reached[n] = 1;
      else if (!last) last = `${node.op.name} has no derivative${by(node)}${madeAt(node)}`;
    }
  });
  return last || "the loss does not use it";
}

const by = ({ op }: Tensor): string =>
  op.meaning === "first" ? " by what its function uses without taking it as an input" : "";

function madeAt(node: Tensor): string {
  const site = siteOf(node)?.trim();
  return site ? `, made ${site}` : "";
}
