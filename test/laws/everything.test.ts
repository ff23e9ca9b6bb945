import { type Attributes, argsort, defineOp, scalar, type Tensor, tensor, zero } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { flush, useCache, withCache } from "../../packages/autograd/src/evaluate.ts";
import { EverythingCompiled } from "../compiled.ts";

/** What the second run of the tests stands on: everything is compiled at first sight, and nothing falls back in silence. */
describe("everything compiled", () => {
  test("compiles each form at first sight, tiny graphs and opaque ops too", () => {
    const cache = new EverythingCompiled();
    // Updates that are pending would be computed along.
    flush();
    withCache(cache, () => {
      for (const k of [1, 2, 3]) {
        expect(tensor([k]).mul(3).item()).toBe(3 * k);
        expect(argsort(tensor([3, k, 5]).add(0.5)).toArray()).toEqual(k < 3 ? [1, 0, 2] : [0, 1, 2]);
      }
    });
    expect([cache.compiled, cache.runs]).toEqual([2, 6]);
  });

  test("lets the interpreter say what it throws", () => {
    const index = tensor([7], { dtype: "int32" });
    const read = () =>
      withCache(new EverythingCompiled(), () => tensor([1]).add(1).gather(0, index.add(0)).item());
    expect(read).toThrow(/index 7 is outside axis 0 of size 1.*; made .*everything\.test/);
  });

  test("counts as a failure what only the program throws", () => {
    let calls = 0;
    const moody: (operands: readonly Tensor[], attributes: Attributes) => Tensor = defineOp({
      name: "moody",
      kernel: {
        kind: "opaque",
        run: () => {
          if (calls++ === 0) throw new RangeError("not the first time");
        },
      },
      derivatives: [zero],
      shape: ([x]) => x!.shape,
      dtype: ([x]) => x!.dtype,
    });
    const read = () => withCache(new EverythingCompiled(), () => moody([scalar(1).add(1)], {}).item());
    expect(read).toThrow("a graph cannot be compiled, or throws where the interpreter does not");
  });

  test.runIf(process.env.COMPILED === "1")("is what this run uses", () => {
    const cache = useCache(null);
    useCache(cache);
    expect(cache).toBeInstanceOf(EverythingCompiled);
    const before = cache!.runs;
    expect(tensor([1, 2]).add(1).toArray()).toEqual([2, 3]);
    expect(cache!.runs).toBe(before + 1);
  });
});
