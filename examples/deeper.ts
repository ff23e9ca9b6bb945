// Deeper or wider, with the same number of parameters: `pnpm example deeper`.
import { compile, manualSeed, sigmoid, type Tensor, tanh } from "@cotangent/autograd";
import { Adam, MLP } from "@cotangent/nn";
import { spirals, xor } from "@cotangent/nn/data";
import { bce } from "@cotangent/nn/loss";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { figure, panel, paragraph, section, table } from "./page/html.ts";
import { labelled, sampled } from "./page/plane.ts";
import { boundaryPlot } from "./page/plots.ts";

interface Data {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** One network from one start, and the share of the answers of `judged` that it gets right. */
function train(sizes: readonly number[], { x, y }: Data, judged: Data, steps: number, seed: number) {
  manualSeed(seed);
  const model = new MLP(sizes, { activation: tanh, output: sigmoid });
  const optimizer = new Adam(model.parameters(), { lr: 0.02 });
  const step = compile(() => {
    const loss = bce(model.forward(x), y);
    optimizer.step(loss);
    return loss;
  });
  for (let i = 0; i < steps; i++) step();
  const answers = model.forward(judged.x).gt(0.5);
  return {
    model,
    loss: bce(model.forward(x), y).item(),
    right: answers.eq(judged.y.gt(0.5)).cast("float32").mean().item(),
  };
}

/** A network of some shape from several starts, the least successful first. */
function tries(hidden: readonly number[], data: Data, judged: Data, steps: number, starts: number) {
  const runs = Array.from({ length: starts }, (_, seed) =>
    train([2, ...hidden, 1], data, judged, steps, seed),
  );
  runs.sort((a, b) => a.right - b.right || b.loss - a.loss);
  const parameters = runs[0]!.model.parameters().reduce((sum, { size }) => sum + size, 0);
  return { name: `2–${hidden.join("–")}–1`, parameters, runs };
}

type Tries = ReturnType<typeof tries>;

const middle = ({ runs }: Tries) => runs[runs.length >> 1]!;
const worst = ({ runs }: Tries): number => runs[0]!.right;
const best = ({ runs }: Tries): number => runs.at(-1)!.right;
const median = ({ runs }: Tries): number =>
  runs.map(({ loss }) => loss).sort((a, b) => a - b)[runs.length >> 1]!;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export async function deeper({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const [steps, seeds] = [share(1000, effort), share(10, effort)];
  const four = xor();
  const small = [[5], [2, 2, 2], [9], [4, 4], [3, 3, 3]].map((hidden) =>
    tries(hidden, four, four, share(600, effort), seeds),
  );
  const data = spirals({ count: 160, turns: 2, seed: 1 });
  const unseen = spirals({ count: 1000, turns: 2, seed: 2 });
  const starts = share(5, effort);
  const large = [[44], [11, 11], [8, 8, 8]].map((hidden) => tries(hidden, data, unseen, steps, starts));
  const solved = ({ runs }: Tries): string => `${runs.filter(({ right }) => right === 1).length} of ${seeds}`;
  for (const net of small)
    console.log(`XOR, ${net.name}, ${net.parameters} parameters: solved from ${solved(net)} starts`);
  for (const net of large)
    console.log(
      `spirals, ${net.name}, ${net.parameters} parameters: median loss ${median(net).toFixed(4)}, unseen right ${percent(worst(net))} to ${percent(best(net))}`,
    );

  const [wide, two, three] = large as [Tries, Tries, Tries];
  const html = section(
    "deeper",
    "Deeper or wider?",
    paragraph(
      "A network that is not good enough can get more neurons in its layer, or more layers. To compare the two, the number of parameters has to be the same, and with sizes chosen well it is, to the last one: 2–5–1 has (2 + 1) · 5 + (5 + 1) · 1 = 21 weights and biases, and so has 2–2–2–2–1.",
    ),
    table(
      `XOR: networks of 21 and of 37 parameters, from ${seeds} starts each. Hidden neurons are tanh, training is Adam on the cross entropy.`,
      ["Network", "Parameters", "Solved"],
      small.map((net) => [net.name, String(net.parameters), solved(net)]),
    ),
    paragraph(
      "XOR has no need of depth, and layers of two or three neurons are narrow gates: what the first layer does not let through, no later one can bring back. So here is a harder task, two spirals of two turns, and networks of 177 parameters with one, two and three hidden layers. They see 160 points and are judged by 1,000 others.",
    ),
    figure(
      `Each network from that one of its ${starts} starts that came out in the middle.`,
      large.map((net) => {
        const { model, right } = middle(net);
        const field = sampled((x) => model.forward(x), 96, -1.2, 1.2);
        const points = labelled(data.x, data.y.toTypedArray());
        const picture = boundaryPlot(field, points, [], `The network ${net.name} on two spirals`, 3);
        return panel(net.name, picture, `${percent(right)} of the unseen right`);
      }),
      "wide panels",
    ),
    table(
      `Spirals: the median loss on the seen points and the share of the unseen that is right, over ${starts} starts.`,
      ["Network", "Loss", "Worst start", "Middle", "Best start"],
      large.map((net) => [
        `<span class="number">${net.name}</span>`,
        median(net).toFixed(4),
        ...[worst(net), middle(net).right, best(net)].map(percent),
      ]),
    ),
    paragraph(
      `What to make of it? On the points they saw, the median loss is ${median(wide).toFixed(4)} with one layer, ${median(two).toFixed(4)} with two and ${median(three).toFixed(4)} with three. On unseen points the middle start of one layer and that of two are ${(100 * Math.abs(middle(wide).right - middle(two).right)).toFixed(1)} percentage points apart, while three layers of eight range from ${percent(worst(three))} to ${percent(best(three))}, depending on the start alone. More layers are not better by themselves: a deep and narrow network may fit well, or get stuck. What depth is used for, features made of features, takes larger tasks than these two to show.`,
    ),
  );
  return { id: "deeper", title: "Deeper or wider?", html };
}

await runAlone(import.meta.url, deeper);
