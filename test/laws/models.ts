import { Draw, type Op, registry, type Tensor, topology } from "@cotangent/autograd";
import { sampledCall } from "@cotangent/autograd/testing";
import { mulberry32 } from "../mulberry.ts";
import { isBreakable } from "./broken.ts";

/** Models of some twenty nodes around every function of the registry. */

export interface Model {
  readonly f: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
}

/** The sampled call `name` inside a model: scaled inputs before, a nonlinear mixture behind, twice on the way. */
export function modelOf(name: string, seed: number): Model | null {
  const random = mulberry32(seed);
  const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const draw = new Draw({ integer, real: (low, high) => low + (high - low) * random() }, "float32");
  const f = registry.get(name)!;
  const call = sampledCall(f, f.samples(draw));
  const weigh = (y: Tensor) => draw.tensor(y.shape, { low: 0.5, high: 1.5 });
  if (call.inputs.length === 0 || call.inputs.every((x) => x.size === 0)) return null;
  const result = call.apply(call.inputs);
  if (!result.dtype.startsWith("float") || result.size === 0) return null;
  const [a, b] = [weigh(result), weigh(result)];
  const model = (...inputs: Tensor[]) => {
    const first = call.apply(inputs.map((x) => x.mul(4).mul(0.25)));
    const second = call.apply(inputs.map((x) => x.mul(0.5).add(x.mul(0.5))));
    const side = inputs.reduce<Tensor>(
      (total, x) => total.add(x.mul(0.3).sin().sum()),
      inputs[0]!.mul(0).sum(),
    );
    return first.mul(0.1).tanh().mul(a).add(second.mul(b).mul(0.25)).sum().add(side);
  };
  return { f: model, inputs: call.inputs };
}

/** Enough models of each function that each op of each has its part in one of them. */
export const seeds = Array.from({ length: 12 }, (_, i) => i);

/** The functions with models in which the op is used, by op. */
export const users: ReadonlyMap<Op, ReadonlySet<string>> = findUsers();

function findUsers(): Map<Op, Set<string>> {
  const found = new Map<Op, Set<string>>();
  for (const name of registry.keys())
    for (const seed of seeds.slice(0, 4)) {
      const model = modelOf(name, seed);
      if (!model) continue;
      for (const node of topology([model.f(...model.inputs)]).nodes)
        if (isBreakable(node)) found.set(node.op, (found.get(node.op) ?? new Set()).add(name));
    }
  return found;
}
