// A kernel machine: one weight for each example, and XOR without a hidden layer: `pnpm example kernel`.
import { clamp, compile, matmul, sub, type Tensor, variable } from "@cotangent/autograd";
import { Adam } from "@cotangent/nn";
import { xor } from "@cotangent/nn/data";
import { hinge } from "@cotangent/nn/loss";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { code, figure, minus, panel, paragraph, section, table } from "./page/html.ts";
import { corners, labelled, sampled, xorAnswers } from "./page/plane.ts";
import { boundaryPlot } from "./page/plots.ts";

/** How alike the rows of two tensors are: 1 for equal ones, the less the further they are apart. */
function rbf(x: Tensor, examples: Tensor, gamma: number): Tensor {
  const apart = sub(x.unsqueeze(1), examples.unsqueeze(0)).square().sum(2);
  return apart.mul(-gamma).exp();
}

/** Learns a weight for each example and a bias: hinge loss, and a small price on the size of f. */
function train(examples: Tensor, answers: Tensor, gamma: number, steps: number) {
  const signs = answers.mul(2).sub(1);
  const a = variable<readonly number[]>(answers.mul(0), { name: "a" });
  const b = variable<readonly number[]>([0], { name: "b" });
  const k = rbf(examples, examples, gamma);
  const optimizer = new Adam([a, b], { lr: 0.02 });
  const step = compile(() => {
    const size = a.mul(matmul(k, a)).sum();
    optimizer.step(hinge(matmul(k, a).add(b), signs).add(size.mul(0.001)));
  });
  for (let i = 0; i < steps; i++) step();
  const f = (x: Tensor): Tensor => matmul(rbf(x, examples, gamma), a).add(b);
  const right = (x: Tensor, y: Tensor): number => f(x).gt(0).eq(y.gt(0.5)).cast("float32").mean().item();
  return { gamma, k, a, b, f, right };
}

type Machine = ReturnType<typeof train>;

const fixed = (values: ArrayLike<number>): string =>
  minus(Array.from(values, (value) => value.toFixed(2)).join(", "));

/** Between 0 and 1 for the picture: half where `f` is 0. */
function picture(machine: Machine, x: Tensor, y: Tensor, low: number, high: number): string {
  const shade = (at: Tensor): Tensor => clamp(machine.f(at).add(1).div(2), 0, 1);
  const radius = x.shape[0]! > 4 ? 4 : 7;
  const description = `A kernel machine with gamma ${machine.gamma}`;
  return boundaryPlot(sampled(shade, 96, low, high), labelled(x, y.toTypedArray()), [], description, radius);
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

export async function kernel({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const steps = share(600, effort);
  const four = train(corners, xorAnswers, 2, steps);
  const [a, k, f] = [four.a, four.k, four.f(corners)].map((x) => Array.from(x.toTypedArray()));
  console.log(`four points, gamma 2: ${percent(four.right(corners, xorAnswers))} right, a = ${fixed(a!)}`);

  const seen = xor({ count: 40, noise: 0.35, seed: 1 });
  const unseen = xor({ count: 1000, noise: 0.35, seed: 2 });
  const runs = [0.01, 0.5, 2, 10, 50, 500].map((gamma) => {
    const machine = train(seen.x, seen.y, gamma, steps);
    const right = [machine.right(seen.x, seen.y), machine.right(unseen.x, unseen.y)].map(percent);
    console.log(`40 points, gamma ${gamma}: ${right[0]} of the seen right, ${right[1]} of the unseen`);
    return { machine, gamma, right };
  });
  const shown = [
    { word: "too small", run: runs[0]! },
    { word: "right", run: runs[2]! },
    { word: "too large", run: runs[5]! },
  ];

  const html = section(
    "kernel",
    "Asking the neighbours",
    paragraph(
      "There is a way past the line without any hidden neuron: compare. A <em>kernel machine</em> keeps the examples, and a new point asks each of them how near it is. The answer is 1 for the example itself and fades with the distance, at a rate γ:",
    ),
    paragraph("k(x, x′) = exp(−γ |x − x′|²)"),
    paragraph(
      "Each example xᵢ has a weight aᵢ in the vote, f(x) = Σᵢ aᵢ k(x, xᵢ) + b, and the sign of f is the class. Seen from the plane the boundary is a curve. Seen from the similarities, f is linear again, and to train it is as easy as to train one neuron. The loss is the <em>hinge</em>, max(0, 1 − y f(x)) with y = ±1: it is 0 once an example is on its side by a margin of 1. A small price on the size of f keeps the weights from growing without need. Together they make a support vector machine (Boser, Guyon and Vapnik 1992).",
    ),
    code(`const apart = x.unsqueeze(1)
  .sub(x.unsqueeze(0)).square().sum(2);
const k = apart.mul(-gamma).exp();
const f = matmul(k, a).add(b);
const size = a.mul(matmul(k, a)).sum();
const loss = hinge(f, y)
  .add(size.mul(0.001));`),
    figure("XOR with γ = 2. Solid: where f is 0.", [picture(four, corners, xorAnswers, -0.5, 1.5)], "small"),
    table(
      `How alike the four points are for γ = 2, the weight of each after ${steps} steps, and what the vote says about it. The bias is ${fixed(four.b.toTypedArray())}.`,
      ["Point", "(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)", "a", "f"],
      ["(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)"].map((name, i) => [
        name,
        ...k!.slice(4 * i, 4 * i + 4).map((value) => value.toFixed(3)),
        fixed([a![i]!]),
        fixed([f![i]!]),
      ]),
    ),
    paragraph(
      "Which γ is right? Take forty points that lie around the four corners, and a thousand more from the same source that the machine never sees. With γ too small everybody is everybody’s neighbour, all votes are nearly the same, and the machine has hardly anything to go by. With γ too large nobody has a neighbour: each example rules over an island of its own, the machine knows the forty by heart and says nearly the same about everything else.",
    ),
    figure(
      "The forty points, and what the machine makes of the plane for three γ.",
      shown.map(({ word, run }) =>
        panel(
          `γ = ${run.gamma}`,
          picture(run.machine, seen.x, seen.y, -1.25, 2.25),
          `${word}: ${run.right[1]} of the unseen right`,
        ),
      ),
      "wide panels",
    ),
    table(
      "How many of the forty and of the thousand are on the right side. The clouds around the corners overlap, so no boundary gets all of the unseen right.",
      ["γ", "Seen", "Unseen"],
      runs.map(({ gamma, right }) => [String(gamma), ...right]),
    ),
    paragraph(
      "The price is that the machine carries its examples with it, and that someone has to say what “near” means before it learns anything. A hidden layer learns that too.",
    ),
  );
  return { id: "kernel", title: "Asking the neighbours", html };
}

await runAlone(import.meta.url, kernel);
