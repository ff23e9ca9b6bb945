import { checkGradient, grad, type Op, registry, type Tensor } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { type Break, breaks, broken, replaceOp } from "./broken.ts";
import { type Model, modelOf, seeds, users } from "./models.ts";

/**
 * `checkGradient` on models of some twenty nodes around every op that the registry makes: with the op's rule broken the report names
 * the op, and with right rules there is no alarm.
 */

/** Their results are bool or int32, which have no derivative; and that of `stopGradient` is what it says by definition. */
const discrete = ["eq", "ne", "lt", "le", "gt", "ge", "isNaN", "isInf", "isFinite", "argsort"].concat([
  "logicalAnd",
  "logicalOr",
  "logicalNot",
  "logicalXor",
]);

/** A model whose gradient changes visibly when `op` is broken; null if there is none. */
function exposed(op: Op, how: Break): Model | null {
  const operands = how === "dropped" ? [...op.derivatives.keys()] : [0];
  for (const name of [...users.get(op)!].slice(0, 6))
    for (const seed of seeds)
      for (const operand of operands) {
        const model = modelOf(name, seed);
        if (!model) continue;
        const other = broken(op, how, operand);
        const f = (...inputs: Tensor[]) => replaceOp(model.f(...inputs), op, other);
        if (differs(model.f, f, model.inputs)) return { f, inputs: model.inputs };
      }
  return null;
}

function differs(f: Model["f"], g: Model["f"], inputs: readonly Tensor[]): boolean {
  const gradients = (h: Model["f"]) => grad(h(...inputs), inputs).flatMap((dx) => [...dx.toTypedArray()]);
  const [right, wrong] = [gradients(f), gradients(g)];
  const largest = Math.max(...right.map(Math.abs));
  return right.some((x, i) => Math.abs(x - wrong[i]!) > 1e-3 * largest);
}

describe("a broken rule is reported with the name of its op", () => {
  const unseen: string[] = [];
  for (const op of users.keys())
    test(`${op.name}, used by ${[...users.get(op)!].slice(0, 3).join(", ")}`, () => {
      for (const how of breaks) {
        const model = exposed(op, how);
        if (!model) unseen.push(`${op.name} ${how}`);
        if (!model) continue;
        const report = checkGradient(model.f, model.inputs);
        expect(report.verdict, `${how}: ${report}`).toBe("fail");
        expect(
          report.faults.map((fault) => fault.op),
          `${how}: ${report}`,
        ).toContain(op.name);
        for (const fault of report.faults) expect(fault.op, `${how}: ${report}`).toBe(op.name);
      }
    });

  test("every op of the registry that has a derivative was broken in every way", () => {
    const declared = [...registry.values()].flatMap(({ op }) => (op ? [op] : []));
    const rest = declared.filter((op) => !users.has(op)).map((op) => op.name);
    expect(rest.sort()).toEqual([...discrete, "stopGradient"].sort());
    expect(unseen).toEqual([]);
  });
});

const rounds = Number(process.env.VERIFY_SEEDS ?? 2);

describe(`right rules raise no alarm (${rounds} seeds)`, { timeout: 30_000 + 1000 * rounds }, () => {
  let [asked, undecided] = [0, 0];
  for (const name of registry.keys())
    test(name, () => {
      for (let seed = 0; seed < rounds; seed++) {
        const model = modelOf(name, 1000 + seed);
        if (!model) continue;
        const report = checkGradient(model.f, model.inputs, { seed });
        asked++;
        if (report.verdict === "inconclusive") undecided++;
        else expect(report.verdict, `seed ${seed}: ${report}`).toBe("pass");
      }
    });

  test("and hardly one is inconclusive", () => {
    expect(asked).toBeGreaterThan(150 * rounds);
    expect(undecided).toBeLessThanOrEqual(0.01 * asked);
    process.stdout.write(`no alarm in ${asked} checks of right rules, ${undecided} inconclusive\n`);
  });
});
