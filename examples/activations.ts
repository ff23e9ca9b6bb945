// Heaviside, sigmoid, tanh and ReLU with their derivatives: `pnpm example activations`.
import { grad, heaviside, linspace, relu, sigmoid, type Tensor, tanh, tensor } from "@cotangent/autograd";
import { type Chapter, runAlone } from "./page/chapter.ts";
import { curvesPlot } from "./page/curves.ts";
import { code, figure, panel, paragraph, section } from "./page/html.ts";

const functions: readonly { name: string; f: (x: Tensor) => Tensor; says: string }[] = [
  { name: "Heaviside", f: heaviside, says: "0 or 1; its derivative is 0 everywhere" },
  { name: "sigmoid", f: sigmoid, says: "between 0 and 1; at most 1/4 steep" },
  { name: "tanh", f: tanh, says: "between −1 and 1; 1 steep at 0" },
  { name: "ReLU", f: relu, says: "0 or x; its derivative is 0 or 1" },
];

export async function activations(): Promise<Chapter> {
  const x = linspace(-4, 4, 161);
  const xs = x.toTypedArray();
  const pictures = functions.map(({ name, f, says }) => {
    const y = f(x);
    const values = y.toTypedArray();
    const slopes = grad(y.sum(), [x])[0].toTypedArray();
    const path = (data: ArrayLike<number>) => Array.from(xs, (at, i) => [at, data[i]!] as const);
    console.log(`${name.padEnd(10)} steepest ${Math.max(...slopes).toFixed(3)}`);
    const picture = curvesPlot(
      `${name} and its derivative`,
      [
        { name: "f", points: path(values) },
        { name: "f′", points: path(slopes) },
      ],
      { x: "x", y: "", range: [-1.1, 2], width: 240, height: 210, named: false },
    );
    return panel(name, picture, says);
  });
  const [left, right, both] = relu(tensor([-1, 1, 0])).toTypedArray();
  const html = section(
    "activations",
    "The bend that makes a network more than a line",
    paragraph(
      "Layers that only weigh and add collapse into a single layer: a line of a line is a line. What sits between them is the <em>activation</em>, and it has to bend. The first one was a step, as in a nerve cell that fires or does not. It bends, but it gives descent nothing to hold on to: its slope is 0 on both sides.",
    ),
    figure(
      "Grey: the function. Pink: its derivative, as the graph computes it at 161 places.",
      pictures,
      "wide panels",
    ),
    paragraph(
      `ReLU looks like two straight lines, and it is tempting to call it linear. It is not: a linear function would have f(−1) + f(1) = f(0), but here the left side is ${left} + ${right} = ${left! + right!}, and the right side is ${both}. One kink is enough.`,
    ),
    code("relu(tensor([-1, 1, 0]));\n// Tensor([0, 1, 0], float32)"),
  );
  return { id: "activations", title: "The bend that makes a network more than a line", html };
}

await runAlone(import.meta.url, activations);
