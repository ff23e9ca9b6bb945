import { checkGradient, grad, type Op, registry } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { evaluate, withCache } from "../../packages/autograd/src/evaluate.ts";
import { callOn, replayed } from "../../packages/autograd/src/verify/call.ts";
import { Sequence } from "../../packages/autograd/src/verify/direction.ts";
import { locateHigher } from "../../packages/autograd/src/verify/higher.ts";
import { locate, type Search } from "../../packages/autograd/src/verify/locate.ts";
import { Replay } from "../../packages/autograd/src/verify/replay.ts";
import { derivative } from "../../packages/autograd/src/verify/survey.ts";
import { replaceOp, stopped } from "./broken.ts";
import { type Model, modelOf, seeds, users } from "./models.ts";

/**
 * Rules that give what is right, by way of `stopGradient`, so that what they give when they are differentiated again is wrong:
 * `checkGradient` to second order names the op whose rule it is.
 */

/** The model with `op` so broken; null if its second derivative does not change visibly. */
function exposed(op: Op): Model | null {
  const other = stopped(op);
  for (const name of [...users.get(op)!].slice(0, 3))
    for (const seed of seeds.slice(0, 3)) {
      const model = modelOf(name, seed);
      if (!model) continue;
      const f: Model["f"] = (...inputs) => replaceOp(model.f(...inputs), op, other);
      const [right, wrong] = [model.f, f].map((g) => curvature(g, model.inputs));
      const largest = Math.max(...right!.map(Math.abs));
      if (right!.some((x, i) => Math.abs(x - wrong![i]!) > 1e-2 * largest))
        return { f, inputs: model.inputs };
    }
  return null;
}

/** The second derivatives along one direction. */
function curvature(f: Model["f"], inputs: Model["inputs"]): number[] {
  const slope = grad(f(...inputs), inputs)
    .map((dx, i) => dx.mul(inputs[i]!.add(1.5)).sum())
    .reduce((total, x) => total.add(x));
  return grad(slope, inputs).flatMap((dx) => [...dx.toTypedArray()]);
}

describe("a rule that cannot be differentiated again is reported with the name of its op", () => {
  let count = 0;
  for (const op of users.keys())
    test(op.name, () => {
      const model = exposed(op);
      if (!model) return;
      count++;
      expect(checkGradient(model.f, model.inputs).verdict).toBe("pass");
      const report = checkGradient(model.f, model.inputs, { order: 2, directions: 2 });
      expect(report.verdict, String(report)).toBe("fail");
      expect(report.faults.length, String(report)).toBeGreaterThan(0);
      for (const fault of report.faults)
        expect(fault, String(report)).toMatchObject({
          op: op.name,
          order: 2,
          reason: expect.stringContaining("it uses stopGradient"),
        });
    });

  test("many ops were broken", () => {
    expect(count).toBeGreaterThan(60);
  });
});

/** The diagnosis that a failing check of this model would get. */
function searchesIn({ f, inputs }: Model, seed: number): Search[] {
  const { primal } = replayed(callOn(f, inputs), inputs);
  const random = new Sequence(seed);
  const slope = new Replay(
    derivative(primal.y, primal.x, ["reverse"], random),
    primal.x,
    new Set(primal.order.nodes),
  );
  return [locate(primal, random, 1e-6), locate(slope, random, 1e-5), locateHigher(primal, 2, random, 1e-5)];
}

describe("no rule that is right is accused when another one is looked for", () => {
  for (const name of registry.keys())
    test(name, () => {
      for (const seed of [0, 1]) {
        const model = modelOf(name, seed);
        if (!model) continue;
        evaluate(model.inputs);
        const searches = withCache(null, () => searchesIn(model, seed));
        for (const { faults } of searches) expect(faults, `seed ${seed}`).toEqual([]);
      }
    });
});
