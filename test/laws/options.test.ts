import { CotangentError, registry, Tensor, tensor, ValueError } from "@cotangent/autograd";
import { expect, test } from "vitest";
import { drawFor } from "./draws.ts";

const isPlain = (x: unknown): x is object =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

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
    expect(calls.flatMap((call) => (refuses(call, make(call[1].at(-1) as object)) ? [] : [call[0]]))).toEqual(
      [],
    );
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

test("whatever stands in place of an argument, the error is not the engine's", () => {
  const junk = [
    undefined,
    null,
    "text",
    Number.NaN,
    -1,
    1.5,
    10n,
    true,
    {},
    [],
    [1, 2],
    [[1, 2]],
    () => 1,
    tensor(2),
  ];
  const mistakes = new Set<string>();
  for (const [name, f] of registry) {
    const draw = drawFor(name, "float32");
    const tryCall = (what: string, args: readonly unknown[]): void => {
      try {
        f(...args);
      } catch (error) {
        if (!(error instanceof CotangentError)) mistakes.add(`${name} with ${what}: ${error}`);
      }
    };
    for (let sample = 0; sample < 4; sample++) {
      const args = f.samples(draw);
      for (let i = 0; i < args.length; i++) {
        tryCall(`${i} arguments`, args.slice(0, i));
        for (const given of junk)
          tryCall(`argument ${i + 1} ${typeof given} ${JSON.stringify(given, bigints)}`, args.with(i, given));
      }
    }
  }
  expect([...mistakes]).toEqual([]);
});

const bigints = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);
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
