/** Compares the losses of 20 steps of whole models with those that `models.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import { compile, explain, type Tensor } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { Experts, Forecaster, Graphs, Quantizer, Scan } from "./numbers.ts";
import { Draw, type Subject } from "./subject.ts";
import { Masked, Tagger, Translator, Writer } from "./texts.ts";

const golden: Record<string, number[]> = JSON.parse(
  readFileSync(new URL("models.json", import.meta.url), "utf8"),
);

// The seed of a model is its place, from 1.
const models = [Translator, Writer, Masked, Tagger, Graphs, Scan, Experts, Quantizer, Forecaster];

describe("20 steps give PyTorch's losses and are one program for each form, with the same bits:", () => {
  test.each(models.map((make, i) => [make.name, make, i + 1] as const))("%s", (name, make, seed) => {
    const losses = [false, true].map((isCompiled) => {
      const draw = new Draw(seed);
      const model: Subject = new make();
      draw.fill(model);
      model.prepare(draw);
      const step = (...batch: Tensor[]): Tensor => {
        const loss = model.forward(...batch);
        model.optimizer.step(loss);
        return loss;
      };
      const run = isCompiled ? compile(step) : step;
      const found = golden[name]!.map((_, i) => run(...model.batch(i)).item());
      const forms = name === "Graphs" ? 5 : 1;
      if (isCompiled) expect(explain(run)).toContain(`20 calls, ${forms} trace`);
      return found;
    });
    expect(losses[1]).toEqual(losses[0]);
    for (const [i, expected] of golden[name]!.entries())
      expect(Math.abs(losses[0]![i]! / expected - 1), `step ${i}`).toBeLessThan(1e-5);
  });
});
