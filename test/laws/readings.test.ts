import { evaluate, grad, type Tensor, tensor, uniform, variable } from "@cotangent/autograd";
import fc from "fast-check";
import { test } from "vitest";

/** A tensor, and the elements that it has to have. */
interface Known {
  readonly x: Tensor;
  readonly expected: readonly number[];
}

/** What a program does next; the numbers choose among what there is. */
type Step =
  | { readonly kind: "add" | "mul"; readonly a: number; readonly b: number }
  | { readonly kind: "flip" | "detach" | "read" | "forget"; readonly a: number }
  | { readonly kind: "assign" | "use"; readonly variable: number; readonly a: number }
  | { readonly kind: "draw" }
  | { readonly kind: "differentiate"; readonly a: number; readonly b: number };

const place = fc.nat({ max: 1000 });
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("add" as const, "mul" as const), a: place, b: place }),
    fc.record({ kind: fc.constantFrom("flip" as const, "detach" as const, "read" as const), a: place }),
    fc.record({ kind: fc.constant("forget" as const), a: place }),
    fc.record({ kind: fc.constantFrom("assign" as const, "use" as const), variable: place, a: place }),
    fc.record({ kind: fc.constant("draw" as const) }),
    fc.record({ kind: fc.constant("differentiate" as const), a: place, b: place }),
  ),
  { minLength: 20, maxLength: 120, size: "max" },
);

/** Small whole numbers, whose sums and products are exact. */
const bounded = (x: number): number => x % 1024;

const combine = (kind: "add" | "mul", a: Known, b: Known): Known => {
  const f = kind === "add" ? (x: number, y: number) => x + y : (x: number, y: number) => x * y;
  const x = kind === "add" ? a.x.add(b.x) : a.x.mul(b.x);
  return { x: x.fmod(1024), expected: a.expected.map((value, i) => bounded(f(value, b.expected[i]!))) };
};

const same = ({ x, expected }: Known): boolean =>
  x.toTypedArray().every((value, i) => value === expected[i] || (value === 0 && expected[i] === 0));

test("a tensor has its elements whenever it is read, whatever was read, assigned or forgotten before", () => {
  fc.assert(
    fc.property(steps, (program) => {
      const variables = [variable([1, 2, 3]), variable([-1, 0, 2])];
      const values = [
        [1, 2, 3],
        [-1, 0, 2],
      ];
      const known: Known[] = [{ x: tensor([3, 5, -7]), expected: [3, 5, -7] }];
      const at = (n: number): Known => known[n % known.length]!;
      for (const step of program)
        switch (step.kind) {
          case "add":
          case "mul":
            known.push(combine(step.kind, at(step.a), at(step.b)));
            break;
          case "flip":
            known.push({ x: at(step.a).x.flip(0), expected: [...at(step.a).expected].reverse() });
            break;
          case "detach":
            known.push({ ...at(step.a), x: at(step.a).x.detach() });
            break;
          case "use": {
            const n = step.variable % 2;
            known.push(combine("add", at(step.a), { x: variables[n]!, expected: values[n]! }));
            break;
          }
          case "assign": {
            const n = step.variable % 2;
            variables[n]!.assign(at(step.a).x);
            values[n] = [...at(step.a).expected];
            break;
          }
          case "draw":
            uniform([2]).sum().item();
            break;
          case "differentiate": {
            // The derivative of a b by a is b, wherever a comes from.
            const [a, b] = [at(step.a), at(step.b).x.detach()];
            const [g] = grad(a.x.mul(b).sum(), [a.x]);
            known.push({ x: g, expected: at(step.b).expected });
            break;
          }
          case "forget":
            if (known.length > 1) known.splice(step.a % known.length, 1);
            break;
          case "read":
            if (!same(at(step.a))) return false;
        }
      evaluate(...variables);
      return known.every(same) && variables.every((x, n) => same({ x, expected: values[n]! }));
    }),
  );
});
