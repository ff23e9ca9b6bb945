// node cotangent.js FILE: trains by `fit`, as the example does. See `contestant.ts` for what is said on which line.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { compile, type Tensor } from "@cotangent/autograd";
import { Adam, fit } from "@cotangent/nn";
import { batches, TensorDataset } from "@cotangent/nn/data";
import { readNpz } from "@cotangent/nn/files";
import { crossEntropy } from "@cotangent/nn/loss";
import { network } from "./network.ts";

const { images, labels, ...parameters } = readNpz(await readFile(process.argv[2]!));
const model = network();
model.loadStateDict(parameters);
const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
const set = new TensorDataset(images!, labels!);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

model.eval();
const check = compile((x: Tensor, y: Tensor) => {
  const loss = crossEntropy(model.forward(x), y);
  optimizer.step(loss);
  return loss;
});
const inOrder = [...batches(set, { batchSize: 64 })(1)].slice(0, 10);
say({ name: "Cotangent compiled", losses: inOrder.map(([x, y]) => check(x, y).item()) });

let wanted = 0;
function* data(epoch: number): Iterable<readonly [Tensor, Tensor]> {
  const all = batches(set, { batchSize: 64, shuffle: true, seed: epoch });
  for (let pass = 0, done = 0; ; pass++)
    for (const batch of all(pass)) {
      if (done++ === wanted) return;
      yield batch;
    }
}
const run = fit(model, data, {
  loss: crossEntropy,
  optimizer,
  epochs: Number.MAX_SAFE_INTEGER,
  compile: true,
});
for await (const line of createInterface({ input: process.stdin })) {
  wanted = Number(line);
  const [begin, before] = [performance.now(), process.cpuUsage()];
  await run.next();
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(before);
  say({ seconds, cpu: (user + system) / 1e6 });
}
