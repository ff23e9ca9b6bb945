import { describe, expect, test } from "vitest";
import { mutantsOf } from "../../scripts/mutation/mutants.mjs";

const source = `
const tangent = { name: "tangent", derivatives: [partial((out, x) => sub(2, mul(out, x)))] };
const total = { name: "total", derivatives: [{ kind: "linear", transpose: (g, out, { axis }) => broadcastTo(flip(g, axis), out.inputs[0].shape) }] };
const helper = (x) => neg(x);
`;

describe("mutants of a source", () => {
  const { mutants, text } = mutantsOf("file.js", source, 1);
  const of = (name: string) =>
    mutants.filter(({ rule }) => rule.startsWith(name)).map(({ kind, text: change }) => `${kind}: ${change}`);

  test("are derived from the rules, and from nothing else", () => {
    expect(of("tangent").sort()).toEqual([
      "dropped: mul(out, x) -> out",
      "dropped: mul(out, x) -> x",
      "dropped: the whole rule",
      "factor: the whole rule",
      "sign: 2 -> -(2)",
      "sign: sub(2, mul(out, x)) -> add(2, mul(out, x))",
      "sign: the whole rule",
      "swapped: sub(2, mul(out, x)) -> sub(mul(out, x), 2)",
    ]);
    expect(of("total").sort()).toEqual([
      "axis: axis -> (-1 - axis)",
      "dropped: the whole rule",
      "factor: the whole rule",
      "fit: broadcastTo(flip(g, axis), out.inputs[0].shape) -> flip(g, axis)",
      "sign: the whole rule",
    ]);
    expect(mutants.length).toBe(13);
  });

  test("sit in one text, which is the source while none is active", () => {
    const run = (active: number): unknown => {
      const mutation = { on: (id: number) => id === active, rule: (_: number, f: unknown) => f };
      const body = `${text}\nreturn tangent.derivatives[0](3, 5);`;
      const partial = (f: unknown) => f;
      const [add, sub, mul] = [
        (a: number, b: number) => a + b,
        (a: number, b: number) => a - b,
        (a: number, b: number) => a * b,
      ]; // prettier-ignore
      return new Function("__mutation", "partial", "add", "sub", "mul", "neg", body)(
        mutation,
        partial,
        add,
        sub,
        mul,
      ); // prettier-ignore
    };
    expect(run(0)).toBe(-13);
    const values = mutants
      .filter(({ rule }) => rule.startsWith("tangent"))
      .map(({ id, text: change }) => [change.replace(/.* -> /, ""), run(id)]); // prettier-ignore
    expect(Object.fromEntries(values)).toMatchObject({
      "add(2, mul(out, x))": 17,
      "-(2)": -17,
      out: -1,
      x: -3,
      "sub(mul(out, x), 2)": 13,
    }); // prettier-ignore
  });
});
