/** Compares the initializers that draw nothing with the numbers that `initialize.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import { full, type Shape, type Variable, variable } from "@cotangent/autograd";
import { dirac, eye } from "@cotangent/nn/initialize";
import { expect, test } from "vitest";

interface Case {
  readonly initializer: "dirac" | "eye";
  readonly shape: Shape;
  readonly options: { readonly groups?: number };
  readonly elements: readonly number[];
}

const initializers = { dirac, eye: (x: Variable) => eye(x) };
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("initialize.json", import.meta.url), "utf8"),
);

test.each(cases)(
  "$initializer of $shape with $options is PyTorch's",
  ({ initializer, shape, options, elements }) => {
    const x = initializers[initializer](variable(full(shape, 7)), options);
    expect(Array.from(x.toTypedArray())).toEqual(elements);
  },
);
