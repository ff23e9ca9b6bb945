// A network that obeys a differential equation: `pnpm example oscillator`.
import { compile, grad, linspace, manualSeed, type Tensor, tanh } from "@cotangent/autograd";
import { Adam, MLP } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot, type Path } from "./page/curves.ts";
import { code, figure, paragraph, power, section } from "./page/html.ts";
import { lossPlot } from "./page/plots.ts";

/** A weight on a spring that is slowed down: `u'' + 2 damping u' + stiffness u = 0`, let go at u(0) = 1. */
const damping = 0.4;
const stiffness = 9;
const end = 3;

/** The solution that the books give. */
function exact(t: number): number {
  const frequency = Math.sqrt(stiffness - damping ** 2);
  return Math.exp(-damping * t) * (Math.cos(frequency * t) + (damping / frequency) * Math.sin(frequency * t));
}

/** How far the network is from obeying the equation at each of the times `t` [n, 1], and what it says there. */
function residual(network: MLP, t: Tensor): { u: Tensor; rest: Tensor } {
  // However the weights stand, u(0) = 1 and u'(0) = 0.
  const u = network
    .forward(t.sub(end / 2))
    .mul(t.tanh().square())
    .add(1);
  const [velocity] = grad(u.sum(), [t]);
  const [acceleration] = grad(velocity.sum(), [t]);
  const rest = acceleration.add(velocity.mul(2 * damping)).add(u.mul(stiffness));
  return { u, rest };
}

export async function oscillator({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  manualSeed(0);
  const steps = share(4000, effort);
  const network = new MLP([1, 32, 32, 1], { activation: tanh });
  const optimizer = new Adam(network.parameters(), { lr: 0.01 });
  const t = linspace(0, end, 128).reshape([128, 1]);
  const step = compile((times: Tensor) => {
    const { rest } = residual(network, times);
    const loss = mse(rest, rest.mul(0));
    optimizer.step(loss);
    return loss;
  });
  const said = (): Path["points"] => {
    const u = residual(network, t).u.toTypedArray();
    return Array.from(t.toTypedArray(), (time, i) => [time, u[i]!] as const);
  };
  const before = said();
  const losses = Array.from({ length: steps }, (_, i) => {
    optimizer.lr = 0.01 * (1 - i / steps) ** 2;
    return step(t).item();
  });
  const after = said();
  const error = Math.max(...after.map(([time, u]) => Math.abs(u - exact(time))));
  console.log(
    `oscillator: mean squared residual ${losses[0]!.toPrecision(3)} -> ${losses.at(-1)!.toExponential(1)}, ` +
      `largest error ${error.toExponential(1)} of 1 after ${steps} steps`,
  );
  const html = section(
    "oscillator",
    "A network that obeys an equation",
    paragraph(
      "A weight hangs on a spring and is slowed down a little. Nobody measured where it was: all that is known is the law of its motion, u″ + 0.8 u′ + 9 u = 0, and that it was let go at u(0) = 1. So the loss of this network asks, at 128 times, how far it is from obeying the law. That takes the second derivative of the network by its input, and training takes the derivative of that by all weights: three times over the same graph.",
    ),
    code(
      "const [velocity] = grad(u.sum(), [t]);\nconst [acceleration] = grad(velocity.sum(), [t]);\nconst rest = acceleration.add(velocity.mul(2 * damping)).add(u.mul(stiffness));\noptimizer.step(mse(rest, zeros));",
    ),
    figure(
      `Where the weight is: what the network says before and after training, and the solution of the books. The largest difference is ${power(error)}.`,
      [
        curvesPlot(
          "The motion of the weight over time",
          [
            { name: "before", points: before },
            { name: "network", points: after },
            { name: "exact", points: after.map(([time]) => [time, exact(time)] as const) },
          ],
          { x: "time", y: "place", range: [-1.1, 1.1] },
        ),
      ],
    ),
    figure("The mean squared distance from the law, on a logarithmic scale.", [
      lossPlot([{ name: "residual", values: losses }], "Residual against training step", [
        "training step",
        "mean squared residual",
      ]),
    ]),
  );
  return { id: "oscillator", title: "A network that obeys an equation", html };
}

await runAlone(import.meta.url, oscillator, "Derivatives of derivatives, trained through, with Cotangent.");
