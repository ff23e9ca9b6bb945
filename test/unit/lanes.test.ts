import { compile, explain, type Tensor, variable } from "@cotangent/autograd";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  Lion,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  SGD,
} from "@cotangent/nn";
import { describe, expect, test } from "vitest";

type Maker = new (parameters: Iterable<ReturnType<typeof variable>>, options: { lr: number }) => Optimizer;

/** The loops of many rounds that an explanation tells of, and are not those of a product. */
function longLoops(text: string): string[] {
  const [, loops = ""] = /^loops:.*\n([\s\S]*?)\n\n/m.exec(text) ?? [];
  return loops
    .split("\n")
    .filter((line) => /\b\d{4,}\b/.test(line.replace(/walks.*/, "")) && !line.includes("over"));
}

describe("the update of a large parameter is computed in lanes, whatever the width of its hyperparameters", () => {
  const makers = { SGD, Adagrad, RMSprop, Adadelta, Adam, AdamW, Adamax, NAdam, RAdam, Lion };
  for (const [name, Maker] of Object.entries(makers) as [string, Maker][])
    test(name, () => {
      const w = variable(Array.from({ length: 4096 }, (_, i) => Math.sin(i)));
      const optimizer = new Maker([w], { lr: 0.01 });
      const step = compile((x: Tensor) => {
        const loss = w.mul(x).sum();
        optimizer.step(loss);
        return loss;
      });
      step(w.add(1));
      const found = longLoops(explain(step));
      expect(found.length).toBeGreaterThan(0);
      for (const line of found) expect(line).toContain("in 4 lanes");
    });
});
