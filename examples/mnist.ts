// Handwritten digits, read by a convolutional network: `pnpm example mnist`.
import { argmax, compile, flatten, manualSeed, relu, type Tensor } from "@cotangent/autograd";
import { Adam, Conv2d, Dropout, fit, Linear, MaxPool2d, Sequential, summary } from "@cotangent/nn";
import { batches, TensorDataset } from "@cotangent/nn/data";
import { crossEntropy } from "@cotangent/nn/loss";
import { accuracy } from "@cotangent/nn/metrics";
import { progress } from "@cotangent/nn/node";
import { cosine } from "@cotangent/nn/schedules";
import { type Digits, digits } from "./datasets/digits.ts";
import { type Chapter, type ChapterOptions, runAlone } from "./page/chapter.ts";
import { digitPicture } from "./page/digits.ts";
import { figure, panel, paragraph, section, table } from "./page/html.ts";
import { confusionPlot } from "./page/numbers.ts";

const batchSize = 64;
const names = Array.from({ length: 10 }, (_, digit) => String(digit));

export function network(): Sequential {
  return new Sequential(
    new Conv2d(1, 16, 3, { padding: 1 }),
    relu,
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1 }),
    relu,
    new MaxPool2d(2),
    (x: Tensor) => flatten(x, 1),
    new Dropout(0.25),
    new Linear(32 * 7 * 7, 128),
    relu,
    new Linear(128, 10),
  );
}

/** What the network takes each picture for. */
function readAll(model: Sequential, { images, labels }: Digits): Int32Array {
  model.eval();
  const answer = compile((x: Tensor) => argmax(model.forward(x), -1));
  const all = batches(new TensorDataset(images, labels), { batchSize: 500 });
  return Int32Array.from([...all(0)].flatMap(([x]) => [...answer(x).toTypedArray()]));
}

export async function mnist(
  { effort = 1, output = process.stderr }: ChapterOptions = {},
  given?: { readonly train: Digits; readonly test: Digits },
): Promise<Chapter> {
  const { train, test } = given ?? (await digits());
  manualSeed(0);
  const model = network();
  console.log(summary(model, [1, 1, 28, 28]));
  const epochs = Math.max(1, Math.round(3 * effort));
  const data = batches(new TensorDataset(train.images, train.labels), { batchSize, shuffle: true, seed: 1 });
  const validation = batches(new TensorDataset(test.images, test.labels), { batchSize: 100 });
  const total = epochs * Math.ceil(train.labels.size / batchSize);
  const optimizer = new Adam(model.parameters(), { lr: cosine({ lr: 2e-3, tMax: total }) });
  const run = fit(model, data, {
    loss: crossEntropy,
    metrics: { accuracy },
    optimizer,
    epochs,
    validation,
    compile: true,
  });
  const rows: string[][] = [];
  for await (const { epoch, loss, validation, seconds } of progress(run, { output, label: "mnist" })) {
    const seen = `${(100 * validation!.accuracy!).toFixed(2)} %`;
    console.log(
      `epoch ${epoch}: loss ${loss.toFixed(4)}, ${seen} of the test right, ${seconds.toFixed(1)} s so far`,
    );
    rows.push([`epoch ${epoch}`, loss.toFixed(4), seen]);
  }
  const truth = test.labels.toTypedArray();
  const said = readAll(model, test);
  const right = said.reduce((sum, digit, i) => sum + Number(digit === truth[i]), 0);
  console.log(`mnist: ${right} of ${truth.length} digits of the test are right`);
  const counts = names.map((_, i) =>
    names.map((_, j) => said.filter((d, k) => truth[k] === i && d === j).length),
  );
  const wrong = Array.from(said.keys()).filter((i) => said[i] !== truth[i]);
  const ink = test.images.toTypedArray();
  const html = section(
    "mnist",
    "Reading digits",
    paragraph(
      `${train.labels.size.toLocaleString("en")} handwritten digits of 28 by 28 pixels; two convolutions look at small windows of them, two linear layers decide. After ${epochs} rounds the network reads ${((100 * right) / truth.length).toFixed(2)} % of ${truth.length.toLocaleString("en")} digits that it had not seen.`,
    ),
    table("After each round.", ["Round", "loss", "right in the test"], rows),
    figure("Rows are what a digit is, columns what the network says.", [
      confusionPlot(names, counts, "Which digits were taken for which"),
    ]),
    figure(
      "The first of those that it misread.",
      wrong
        .slice(0, 8)
        .map((i) =>
          panel(
            `a ${truth[i]}`,
            digitPicture(ink.subarray(784 * i, 784 * (i + 1)), `A handwritten ${truth[i]}`),
            `read as ${said[i]}`,
          ),
        ),
      "panels",
    ),
  );
  return { id: "mnist", title: "Reading digits", html };
}

await runAlone(import.meta.url, mnist, "A convolutional network on MNIST, with Cotangent.");
