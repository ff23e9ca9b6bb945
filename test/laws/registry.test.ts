import { Draw, type DType, grad, registry, stopGradient, tensor } from "@cotangent/autograd";
import { laws, sampledCall } from "@cotangent/autograd/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../mulberry.ts";

/**
 * The laws of differentiation over the registry: an op's samples feed them all, and fast-check varies and shrinks what the
 * samples choose: shapes, broadcasting, axes and values.
 */
// Compiling takes a hundred times as long as interpreting once does, and laws/compiled.test.ts compares the two.
const runs = process.env.COMPILED === "1" ? 4 : 100;

/**
 * Samples choose from fast-check: the whole numbers (shapes, axes) from a list that it shrinks, the elements from a seed.
 */
const draws = (dtype: DType) =>
  fc
    .tuple(fc.array(fc.nat({ max: 2 ** 16 }), { minLength: 24, maxLength: 24 }), fc.nat())
    .map(([choices, seed]) => {
      const random = mulberry32(seed);
      let next = 0;
      const integer = (low: number, high: number) => {
        const choice = choices[next++] ?? Math.floor(random() * 2 ** 16);
        return low + (choice % (high - low + 1));
      };
      return new Draw({ integer, real: (low, high) => low + (high - low) * random() }, dtype);
    });

let checked = 0;

for (const { sentence, dtype, check } of laws)
  describe(sentence, () => {
    for (const [name, f] of registry)
      test(name, () => {
        fc.assert(
          fc.property(draws(dtype), (draw) => {
            check(sampledCall(f, f.samples(draw)), draw);
            checked++;
          }),
          { numRuns: runs },
        );
      });
  });

test("the derivative of stopGradient is 0, whatever differences say", () => {
  const x = tensor([1, 2]);
  expect(grad(stopGradient(x).sum(), [x])[0].toArray()).toEqual([0, 0]);
});

test("every function has the name that it is registered under", () => {
  for (const [name, f] of registry) expect(f.name).toBe(name);
});

test(`the laws were checked at least ${runs} times each`, () => {
  expect(checked).toBeGreaterThanOrEqual(laws.length * registry.size * runs);
  process.stdout.write(`laws: ${laws.length} laws over ${registry.size} functions, ${checked} runs\n`);
});
