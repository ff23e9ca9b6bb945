import { type Body, formula } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { Machine } from "../../packages/autograd/src/machine.ts";
import { formatProgram, trace } from "../../packages/autograd/src/program.ts";

const cubicAndRare: Body = (m, x) =>
  m.rare(m.lt(x!, 0), m.mul(m.mul(x!, x!), x!), (slow, y) => slow.neg(y!), x!);

describe("a program", () => {
  test("prints one instruction a line, each distinct value once", () => {
    const body: Body = (m, x, y) => m.add(m.mul(x!, y!), m.mul(x!, y!));
    expect(formatProgram(trace(body, ["float32", "float32"], "float32"))).toBe(
      [
        "%0: float32 = input 0",
        "%1: float32 = input 1",
        "%2: float32 = mul %0 %1",
        "%3: float32 = add %2 %2",
        "return %3",
      ].join("\n"),
    );
  });

  test("keeps the slow side of rare apart", () => {
    expect(formatProgram(trace(cubicAndRare, ["float64"], "float64"))).toContain(
      "rare %2 %4 %0 slow {\n  %0: float64 = input 0\n  %1: float64 = neg %0\n  return %1\n}",
    );
  });

  test("runs over blocks, the slow side where its condition holds", () => {
    const x = Float64Array.from({ length: 1000 }, (_, i) => i - 500);
    const out = new Float64Array(1000);
    new Machine(trace(cubicAndRare, ["float64"], "float64")).run([x], 1000, out);
    expect(out).toEqual(x.map((value) => (value < 0 ? -value : value ** 3)));
  });

  test("refuses a body that mixes dtypes or gives another than it should", () => {
    expect(() => trace((m, x) => m.add(x!, m.convert(x!, "float64")), ["float32"], "float32")).toThrow(
      /add of float32 and float64/,
    );
    expect(() => trace((m, x) => m.lt(x!, 0), ["float32"], "float32")).toThrow(/gives bool/);
    expect(() => trace((m, x) => m.sqrt(x!), ["int32"], "int32")).toThrow(/sqrt of int32/);
  });
});

test("a body prints as a formula with the parentheses it needs and no others", () => {
  const body: Body = (m, x, y) => m.div(m.sub(x!, m.mul(2, y!)), m.add(m.abs(x!), 1));
  expect(formula(body, ["x", "y"])).toBe("(x - 2 * y) / (|x| + 1)");
});
