import { CotangentError, registry, Tensor, ValueError } from "@cotangent/autograd";
import { expect, test } from "vitest";
import { drawFor } from "./draws.ts";

const isPlain = (x: unknown): x is object =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/** Methods are in every bundle, and so would be the names of their options: these seldom have any. */
const unchecked = "nanToNum addcmul addcdiv meshgrid pad addmm indexAdd diag diagonal diagEmbed".split(" ");

/** The arguments of a call with options, of those functions of the registry that have samples with them. */
const calls = [...registry].flatMap(([name, f]) => {
  const draw = drawFor(name, "float32");
  const samples = Array.from({ length: 8 }, () => f.samples(draw));
  const args = samples.find((sample) => isPlain(sample.at(-1)));
  return args ? [[name, args] as const] : [];
});

test("options that there are not, and those that are not named, are refused", () => {
  const refuses = ([name, args]: (typeof calls)[number], options: unknown): boolean => {
    try {
      registry.get(name)!(...args.slice(0, -1), options);
      return false;
    } catch (error) {
      expect(error, name).toBeInstanceOf(CotangentError);
      expect(error, name).toBeInstanceOf(ValueError);
      return (error as Error).message.startsWith(`${name}: `);
    }
  };
  for (const make of [(options: object) => ({ ...options, nonsense: 1 }), () => 1, () => [], () => null])
    expect(
      calls.flatMap((call) =>
        unchecked.includes(call[0]) || refuses(call, make(call[1].at(-1) as object)) ? [] : [call[0]],
      ),
    ).toEqual([]);
  expect(calls.length).toBeGreaterThan(50);
});

test("what is no tensor is refused by the name of the function", () => {
  const mistakes: string[] = [];
  for (const [name, f] of registry) {
    const [first, ...rest] = f.samples(drawFor(name, "float32"));
    // Without an index, `at` gives back what it is given.
    if (!(first instanceof Tensor) || (name === "at" && rest.length === 0)) continue;
    for (const given of [undefined, null, "text", {}, [1, 2], new Float32Array(2)])
      try {
        f(given, ...rest);
        mistakes.push(`${name} takes ${given}`);
      } catch (error) {
        if (!(error instanceof CotangentError) || !error.message.startsWith(`${name}: `))
          mistakes.push(`${name} of ${given}: ${error}`);
      }
  }
  expect(mistakes).toEqual([]);
});

test("so is an operand that is left out, or is no tensor", () => {
  const mistakes: string[] = [];
  for (const [name, f] of registry) {
    const args = f.samples(drawFor(name, "float32"));
    args.forEach((arg, i) => {
      if (i === 0 || !(arg instanceof Tensor)) return;
      for (const given of [undefined, null, "text", {}, [1, 2]])
        try {
          f(...args.map((other, j) => (j === i ? given : other)));
        } catch (error) {
          if (!(error instanceof CotangentError) || !error.message.startsWith(`${name}: `))
            mistakes.push(`${name}, operand ${i} ${given}: ${error}`);
        }
    });
  }
  expect(mistakes).toEqual([]);
});
