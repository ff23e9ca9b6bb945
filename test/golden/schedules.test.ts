/** Compares 50 steps of every schedule with the rates that `schedules.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import { abs, compile, div, mul, scalar, sin, sub, type Tensor, variable } from "@cotangent/autograd";
import { SGD } from "@cotangent/nn";
import * as schedules from "@cotangent/nn/schedules";
import { describe, expect, test } from "vitest";

interface Case {
  readonly schedule: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly lr: readonly number[];
  readonly momentum?: readonly number[];
}

interface Golden {
  readonly lr: number;
  readonly cases: readonly Case[];
  readonly chained: readonly number[];
  readonly sequential: readonly number[];
  readonly metrics: readonly number[];
  readonly plateaus: readonly { readonly options: object; readonly lr: readonly number[] }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("schedules.json", import.meta.url), "utf8"));
const { lr } = golden;

const functions: Readonly<Record<string, (t: Tensor) => Tensor>> = {
  inverse: (t) => div(1, t.mul(0.1).add(1)),
  nearly: (t) => sub(1, div(0.02, t)),
  sine: (t) => abs(sin(mul(t, 0.3))),
};

const makers = new Map<string, unknown>(Object.entries(schedules));

function make({ schedule, options }: Case): schedules.Curve {
  const named = Object.entries(options).map(([key, value]) => [key, functions[String(value)] ?? value]);
  const rest = schedule === "multiplicative" ? { totalIters: 60 } : {};
  const own = ["cyclic", "noam", "oneCycle"].includes(schedule) ? {} : { lr };
  const maker = makers.get(schedule) as (options: object) => schedules.Curve;
  return maker({ ...own, ...rest, ...Object.fromEntries(named) });
}

/** PyTorch computes many rates from the rate before, and so adds roundings up. */
function expectClose(found: number, expected: number, step: number): void {
  expect(Math.abs(found - expected), `step ${step}: ${found} and ${expected}`).toBeLessThan(1e-13);
}

describe("50 steps give PyTorch's rates with", () => {
  const named = golden.cases.map((subject) => ({
    ...subject,
    name: `${subject.schedule} ${JSON.stringify(subject.options)}`,
  }));

  test.each(named)("$name", (subject) => {
    const schedule = make(subject) as schedules.CycleCurve;
    subject.lr.forEach((rate, step) => {
      expectClose(schedule(step).item(), rate, step);
    });
    subject.momentum?.forEach((momentum, step) => {
      expectClose(schedule.momentum(step).item(), momentum, step);
    });
  });

  test("chained", () => {
    const { constant, exponential, step } = schedules;
    const parts = [constant({ lr, factor: 0.1, totalIters: 20 }), exponential({ gamma: 0.95 })];
    const schedule = schedules.chained([...parts, step({ stepSize: 15, gamma: 0.5 })]);
    golden.chained.forEach((rate, step) => {
      expectClose(schedule(step).item(), rate, step);
    });
  });

  test("sequential", () => {
    const { linear, cosine, exponential } = schedules;
    const parts = [
      linear({ lr, startFactor: 0.1, totalIters: 8 }),
      cosine({ lr, tMax: 22, etaMin: 0.02 }),
      exponential({ lr, gamma: 0.9 }),
    ];
    const schedule = schedules.sequential(parts, [10, 30]);
    golden.sequential.forEach((rate, step) => {
      expectClose(schedule(step).item(), rate, step);
    });
  });

  test.each(golden.plateaus)("reduceOnPlateau $options", ({ options, lr: expected }) => {
    const [plain, compiled] = [0, 1].map(() => schedules.reduceOnPlateau({ lr, ...options }));
    const step = compile((metric: Tensor) => compiled!.step(metric));
    golden.metrics.forEach((metric, i) => {
      expectClose(plain!(i).item(), expected[i]!, i);
      expectClose(compiled!(i).item(), expected[i]!, i);
      plain!.step(metric);
      step(scalar(metric, { dtype: "float64" }));
    });
  });
});

test("a compiled step of an optimizer has the rates of the schedule, bit for bit", () => {
  for (const subject of golden.cases) {
    const schedule = make(subject);
    const w = variable(0, { dtype: "float64" });
    const optimizer = new SGD([w], { lr: schedule });
    const step = compile(() => optimizer.step(w));
    for (let i = 0; i < 50; i++) {
      const [before, rate] = [w.item(), schedule(i).item()];
      expect(optimizer.lr).toBe(rate);
      step();
      expect(w.item(), `${subject.schedule}, step ${i}`).toBe(before - rate);
    }
  }
});
