import * as autograd from "@cotangent/autograd";
import { checkGradient, Draw } from "@cotangent/autograd";
import { sampledCall } from "@cotangent/autograd/testing";
import { describe, expect, test } from "vitest";
import { checkIntended, customs } from "../../scripts/mutation/customs.mjs";
import { mulberry32 } from "../mulberry.ts";

describe("a function with a derivative of its own has the derivatives", () => {
  for (const [name, f] of customs(autograd))
    test(`${f.standsFor ? "of what it stands for" : "of what it computes"}: ${name}`, () => {
      for (let seed = 0; seed < 12; seed++) {
        const random = mulberry32(seed);
        const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
        const real = (low: number, high: number) => low + (high - low) * random();
        const draw = new Draw({ integer, real }, "float64");
        const { inputs, apply } = sampledCall(f as never, f.samples(draw));
        if (f.standsFor) checkIntended(autograd, f, inputs, draw);
        else
          for (const order of [1, 2])
            expect(checkGradient((...x) => apply(x), inputs, { order }).pass, `seed ${seed}`).toBe(true);
      }
    });
});
