import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  checkGradient,
  det,
  mul,
  partial,
  pointwise,
  type Tensor,
  tensor,
  type Unary,
  within,
} from "@cotangent/autograd";
import { matchers } from "@cotangent/autograd/testing";
import {
  broadcastableShapes,
  elements,
  magnitudes,
  programs,
  type RandomProgram,
  shapes,
  specialValues,
  tensors,
  wellConditionedMatrices,
} from "@cotangent/autograd/testing/fast-check";
import "@cotangent/autograd/testing/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { captureConsole } from "../console.ts";

describe("arbitraries", () => {
  test("shapes keep to their limits, and broadcastable ones broadcast", () => {
    fc.assert(
      fc.property(shapes({ minRank: 1, maxRank: 2, minSize: 0, maxSize: 3 }), (shape) => {
        expect(shape.length >= 1 && shape.length <= 2 && shape.every((n) => n >= 0 && n <= 3)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(broadcastableShapes(3), (all) => {
        const zeros = all.map((shape) => tensor(0).broadcastTo(shape));
        expect(zeros.reduce<Tensor>((x, y) => x.add(y), tensor(0)).size).toBeGreaterThan(0);
      }),
    );
  });

  test("elements keep away from kinks, magnitudes cover scales, special values are special", () => {
    fc.assert(
      fc.property(elements({ away: [0], distance: 0.1 }), (x) => Math.abs(x) >= 0.1 && Math.abs(x) <= 2),
    );
    fc.assert(fc.property(magnitudes({ low: -3, high: 3 }), (x) => Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4));
    const seen = fc.sample(specialValues(), 200);
    expect(seen.some(Number.isNaN) && seen.some((x) => Object.is(x, -0)) && seen.includes(2 ** -149)).toBe(
      true,
    );
  });

  test("tensors have the dtype and shape, matrices are far from singular", () => {
    fc.assert(
      fc.property(tensors({ shape: [2, 1], dtype: "int32", elements: fc.integer() }), (x) => {
        expect([x.dtype, x.shape]).toEqual(["int32", [2, 1]]);
      }),
    );
    fc.assert(
      fc.property(wellConditionedMatrices([2, 3, 3], "float64"), (x) => {
        for (const d of det(x).toArray() as number[]) expect(Math.abs(d)).toBeGreaterThan(1);
      }),
    );
  });
});

describe("random programs", () => {
  const cube: Unary = pointwise({
    name: "cube",
    body: (m, x) => m.mul(m.mul(x!, x!), x!),
    derivatives: [partial((_, x) => mul(mul(x!, x!), 2))],
    samples: within([-1, 1]),
  });

  test("have right gradients, to second order", () => {
    fc.assert(
      fc.property(programs(), ({ f, inputs }) => {
        const report = checkGradient(f, inputs, { directions: 1 });
        expect(report.verdict, String(report)).toBe("pass");
      }),
      { numRuns: 100 },
    );
  });

  test("that fail shrink to the smallest one", () => {
    const steps = [{ name: "cube", arity: 1, f: (x?: Tensor) => cube(x!) } as const];
    const found = fc.check(
      fc.property(programs({ steps }), ({ f, inputs }) => checkGradient(f, inputs, { directions: 1 }).pass),
    );
    const [program] = found.counterexample as [RandomProgram];
    expect(String(program).match(/const v\d+ = \w+\(.*\)/g)).toEqual(["const v0 = cube(x0)"]);
    expect(program.inputs[0]!.shape).toEqual([1, 1]);
    expect(String(program).split("\n").slice(0, 2)).toEqual([
      'import { checkGradient, tensor, type Tensor } from "@cotangent/autograd";',
      "// Import your own too: cube",
    ]);
  });

  test("print as TypeScript that runs", async () => {
    const folder = join(fileURLToPath(new URL("..", import.meta.url)), ".documents");
    mkdirSync(folder, { recursive: true });
    for (const [i, program] of fc.sample(programs(), { numRuns: 5, seed: 3 }).entries()) {
      const file = join(folder, `program-${i}.ts`);
      writeFileSync(file, String(program));
      const printed = captureConsole();
      await import(/* @vite-ignore */ pathToFileURL(file).href);
      rmSync(file);
      expect(printed.join()).toContain("gradient of order 1: pass");
    }
  });
});

describe("matchers", () => {
  test("of gradients", () => {
    expect((x: Tensor) => x.sin()).toHaveCorrectGradient([tensor([1, 2])]);
    const wrong = pointwise<Unary>({
      name: "wrong",
      body: (m, x) => m.mul(x!, x!),
      derivatives: [partial((_, x) => x!)],
      samples: within([1, 2]),
    }); // prettier-ignore
    expect(wrong).not.toHaveCorrectGradient([tensor([1, 2])]);
    expect(() => expect(wrong).toHaveCorrectGradient([tensor([1, 2])])).toThrow(
      "the rule of wrong is wrong for operand 0",
    );
  });
  test("of tensors and graphs", () => {
    expect(tensor([0.1]).add(0.2)).toBeCloseToTensor(tensor([0.3]));
    expect(tensor([1])).not.toBeCloseToTensor(tensor([1.1]));
    expect(tensor([1])).toBeCloseToTensor(tensor([1.1]), { tolerance: 0.2 });
    expect(tensor([1, 2])).toEqual(tensor([0.5, 1]).mul(2));
    expect(() => expect(tensor([1, 2])).toBeCloseToTensor(tensor([1, 3]))).toThrow(
      "element [1] is 2, expected 3 within 0.000001",
    );
    expect(() => expect(tensor([1, 2])).toBeCloseToTensor(tensor(1))).toThrow("expected shape [], got [2]");
    const x = tensor([1, 2]).named("x");
    expect(x.mul(2).sum()).toMatchGraph(`
      x: float32[2] = data
      %0: float32[2] = mul(x, 2)
      %1: float32[] = sum(%0, axes=[0])
    `);
  });
  test("as plain functions, for other runners", () => {
    expect(matchers.toBeCloseToTensor(3, tensor(3))).toMatchObject({ pass: false });
    expect(matchers.toMatchGraph(tensor(1), "nothing").message()).toContain("was expected to be\nnothing");
  });
});
