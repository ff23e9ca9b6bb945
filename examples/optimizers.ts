// Plain descent, momentum, RMSProp and Adam in a narrow valley: `pnpm example optimizers`.
import { compile, type Tensor, tensor, type Variable, variable } from "@cotangent/autograd";
import { Adam, type Optimizer, RMSprop, SGD } from "@cotangent/nn";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot } from "./page/curves.ts";
import { figure, paragraph, power, section, table } from "./page/html.ts";

/** A valley that is a hundred times steeper across than along: the lowest point is at (0, 0). */
const valley = (w: Tensor): Tensor =>
  w
    .square()
    .mul(tensor([0.5, 50], { dtype: "float64" }))
    .sum();

const rivals: readonly { name: string; make: (w: Variable) => Optimizer; says: string }[] = [
  { name: "plain", make: (w) => new SGD([w], { lr: 0.018 }), says: "as fast as the steep side allows" },
  {
    name: "momentum",
    make: (w) => new SGD([w], { lr: 0.018, momentum: 0.9 }),
    says: "keeps nine tenths of the last step",
  },
  {
    name: "RMSProp",
    make: (w) => new RMSprop([w], { lr: 0.05 }),
    says: "divides by the usual size of the slope",
  },
  { name: "Adam", make: (w) => new Adam([w], { lr: 0.2 }), says: "does both" },
];

export async function optimizers({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const steps = share(150, effort);
  const runs = rivals.map(({ name, make, says }) => {
    const w = variable([-4, 1], { dtype: "float64" });
    const optimizer = make(w);
    const step = compile(() => {
      const loss = valley(w);
      optimizer.step(loss);
      return loss;
    });
    const losses = Array.from({ length: steps }, () => step().item());
    console.log(`${name.padEnd(9)} after ${steps} steps: ${losses.at(-1)!.toExponential(2)}`);
    return { name, says, losses };
  });
  const html = section(
    "optimizers",
    "Better ways down",
    paragraph(
      "In a narrow valley plain descent has a dilemma. Across, the slope is steep, and a large step would jump from wall to wall. Along, it is gentle, and a small step gets nowhere. Its one learning rate has to suit the steepest direction.",
    ),
    figure(
      "Descent in a valley a hundred times steeper across than along, from (−4, 1). The scale is logarithmic.",
      [
        curvesPlot(
          "Loss against step, one line for each optimizer",
          runs.map(({ name, losses }) => ({ name, points: losses.map((loss, i) => [i, loss] as const) })),
          { x: "step", y: "loss", log: true, range: [1e-9, 100] },
        ),
      ],
    ),
    paragraph(
      "<em>Momentum</em> (Polyak 1964) keeps part of the last step: what points back and forth cancels, what always points the same way adds up. <em>RMSProp</em> (Hinton 2012) divides each direction by the usual size of its slope, so that every direction gets a step of its own. <em>Adam</em> (Kingma and Ba 2015) does both, and corrects both averages for having started at zero. Which of them is ahead depends on the landscape and on the learning rates, here 0.018 for the first two, 0.05 and 0.2.",
    ),
    table(
      `After ${steps} steps.`,
      ["Optimizer", "What it does", "Loss"],
      runs.map(({ name, says, losses }) => [name, says, power(losses.at(-1)!)]),
    ),
  );
  return { id: "optimizers", title: "Better ways down", html };
}

await runAlone(import.meta.url, optimizers);
