import { Draw, registry, type Tensor, topology } from "@cotangent/autograd";
import { sampledCall } from "@cotangent/autograd/testing";
import { describe, expect, test } from "vitest";
import { allocate } from "../../packages/autograd/src/dtype.ts";
import { elementsOf } from "../../packages/autograd/src/graph.ts";
import { compute } from "../../packages/autograd/src/kernels.ts";
import { leastRanks } from "../../packages/autograd/src/verify/dependence.ts";
import { mulberry32 } from "../mulberry.ts";

/**
 * `explainNonFinite` follows what is not finite from element to element. Here one element of one operand of every op in the graphs of
 * the registry becomes NaN: the elements of the result that become NaN are those which are said to depend on it.
 */

type Values = NonNullable<ReturnType<typeof elementsOf>>;

/** Kernels that let NaN through for certain; where may take another operand. */
const certain = ["view", "gather", "concatenate", "scatter", "contract", "reduce", "scan"];

function valuesOf(roots: readonly Tensor[]): Map<Tensor, Values> {
  const values = new Map<Tensor, Values>();
  for (const node of topology(roots).nodes) values.set(node, elementsOf(node) ?? computed(node, values));
  return values;
}

function computed(node: Tensor, values: ReadonlyMap<Tensor, Values>): Values {
  const out = allocate(node.dtype, node.size);
  compute(
    node,
    node.inputs.map((x) => values.get(x)!),
    out,
  );
  return out;
}

/** The elements of `node` that are NaN only with NaN in the place of one element, and those that depend on it. */
function spread(node: Tensor, operands: readonly Values[], k: number, at: number, before: Values) {
  const spoiled = operands.map((x, i) => (i === k ? x.slice().fill(Number.NaN, at, at + 1) : x));
  const out = allocate(node.dtype, node.size);
  compute(node, spoiled, out);
  const ranks = operands.map((x, i) => (i === k ? new Float64Array(x.length).fill(-1, at, at + 1) : null));
  const least = leastRanks(node, spoiled, ranks);
  const all = [...out.keys()];
  return {
    bad: all.filter((i) => Number.isNaN(out[i]!) && !Number.isNaN(before[i]!)),
    dependent: all.filter((i) => least[i] === -1),
  };
}

const seen = new Set<string>();

describe("NaN in an element of an operand reaches those elements of the result that depend on it", () => {
  for (const [name, f] of registry)
    test(name, () => {
      for (let seed = 0; seed < 6; seed++) {
        const random = mulberry32(seed);
        const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
        const real = (low: number, high: number) => low + (high - low) * random();
        const call = sampledCall(f, f.samples(new Draw({ integer, real }, "float32")));
        const values = valuesOf(call.results(call.inputs));
        for (const [node, before] of values) {
          const operands = node.inputs.map((x) => values.get(x)!);
          const { kind } = node.op.kernel;
          for (const [k, { dtype, size }] of node.inputs.entries()) {
            // An opaque op may refuse NaN.
            if (!dtype.startsWith("float") || !node.dtype.startsWith("float") || kind === "opaque") continue;
            if (size === 0) continue;
            const { bad, dependent } = spread(node, operands, k, integer(0, size - 1), before);
            const where = `${node.op.name}, operand ${k}, seed ${seed}`;
            if (certain.includes(kind)) expect(dependent, where).toEqual(bad);
            else expect(dependent, where).toEqual(expect.arrayContaining(bad));
            seen.add(kind);
          }
        }
      }
    });

  test("all kinds of kernels were seen", () => {
    expect([...seen].sort()).toEqual([...certain, "pointwise"].sort());
  });
});
