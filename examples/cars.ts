// How far does a car go on a gallon? A regression, and how far it is off: `pnpm example cars`.
import { Generator, manualSeed, permutation, type Tensor, tensor } from "@cotangent/autograd";
import { AdamW, fit, MLP } from "@cotangent/nn";
import { mse } from "@cotangent/nn/loss";
import { r2Score } from "@cotangent/nn/metrics";
import { progress } from "@cotangent/nn/node";
import { cars as allCars, type Car } from "./datasets/cars.ts";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { figure, paragraph, section } from "./page/html.ts";
import { residualPlot } from "./page/numbers.ts";
import { lossPlot } from "./page/plots.ts";

/** One car in five is kept for the test. */
const part = 5;

const origins = ["USA", "Europe", "Japan"];

function features(car: Car): number[] {
  const { cylinders, displacement, horsepower, weight, acceleration, year, origin } = car;
  return [
    cylinders,
    displacement,
    horsepower,
    weight,
    acceleration,
    year,
    ...origins.map((name) => Number(name === origin)),
  ];
}

/** In a random order, features with mean 0 and deviation 1 over the cars to learn from. */
function prepared(given: readonly Car[]): { x: Tensor; y: Tensor; testX: Tensor; testY: Tensor } {
  const order = permutation(given.length, { generator: new Generator(1) });
  const all = tensor(given.map(features)).indexSelect(0, order);
  const y = tensor(given.map(({ mileage }) => [mileage])).indexSelect(0, order);
  const kept = Math.floor(given.length / part);
  const learned = all.slice(kept);
  const deviation = learned.std(0, { keepDims: true });
  // A feature that is the same for all says nothing, and must not be divided by 0.
  const x = all.sub(learned.mean(0, { keepDims: true })).div(deviation.maximum(1e-6));
  return { x: x.slice(kept), y: y.slice(kept), testX: x.slice(0, kept), testY: y.slice(0, kept) };
}

export async function cars(
  { effort = 1, output = process.stderr }: ChapterOptions = {},
  given?: readonly Car[],
): Promise<Chapter> {
  const { x, y, testX, testY } = prepared(given ?? (await allCars()));
  manualSeed(0);
  const model = new MLP([x.shape[1]!, 32, 1]);
  const optimizer = new AdamW(model.parameters(), { lr: 0.01, weightDecay: 0.1 });
  const mean = y.mean();
  const epochs = share(400, effort);
  const losses: number[] = [];
  const run = fit(model, [x, y.sub(mean)], { loss: mse, optimizer, epochs, compile: true });
  for await (const { loss } of progress(run, { output, label: "cars" })) losses.push(loss);
  model.eval();
  const said = model.forward(testX).add(mean);
  const squared = mse(said, testY).item();
  const explained = r2Score(said, testY);
  console.log(
    `cars: off by ${Math.sqrt(squared).toFixed(2)} miles per gallon on ${testY.size} cars it had not seen, R2 ${explained.toFixed(3)}`,
  );
  const answers = said.toTypedArray();
  const guesses = Array.from(testY.toTypedArray(), (truth, i) => ({ truth, said: answers[i]! }));
  const html = section(
    "cars",
    "How far does a car go on a gallon?",
    paragraph(
      `${x.shape[0]} cars of the years 1970 to 1982: cylinders, displacement, horsepower, weight, acceleration, year and origin, and how many miles they go on a gallon. A network with 32 hidden neurons learns from them and is asked about ${testY.size} others.`,
    ),
    figure(
      `How far it is off for each of these, against the truth. It explains ${(100 * explained).toFixed(1)} % of the variance (R² = ${explained.toFixed(3)}); the typical error is ${Math.sqrt(squared).toFixed(2)} miles.`,
      [residualPlot(guesses, "miles per gallon", "Errors of the network against the true mileage")],
    ),
    figure("The mean squared error while it learned.", [
      lossPlot([{ name: "cars", values: losses }], "Loss against epoch", ["epoch", "mean squared error"]),
    ]),
  );
  return { id: "cars", title: "How far does a car go on a gallon?", html };
}

await runAlone(import.meta.url, cars, "Regression on real measurements, with Cotangent.");
