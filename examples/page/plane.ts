import { type Tensor, tensor } from "@cotangent/autograd";
import { type Field, type Labelled, middles } from "./plots.ts";

/** The four inputs of XOR, and its answers. */
export const corners: Tensor = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
export const xorAnswers: Tensor = tensor([[0], [1], [1], [0]]);

/** Rows of `x` [n, 2] with their classes, to be drawn. */
export function labelled(x: Tensor, answers: ArrayLike<number>): Labelled[] {
  const places = x.toTypedArray();
  return Array.from(answers, (answer, i) => ({
    x: places[2 * i]!,
    y: places[2 * i + 1]!,
    label: answer === 1 ? 1 : 0,
  }));
}

/** What `f` says in the middles of `size * size` cells of the square from `low` to `high`. */
export function sampled(f: (x: Tensor) => Tensor, size = 64, low = -0.5, high = 1.5): Field {
  const area = { size, low, high };
  const at = middles(area);
  return { ...area, values: f(tensor(at.flatMap((y) => at.map((x) => [x, y])))).toTypedArray() };
}
