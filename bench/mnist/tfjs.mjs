// node tfjs.mjs FILE PEERS: the same in TensorFlow.js on WebAssembly. See contestant.ts for what is said on which line.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readNpz } from "@cotangent/nn/files";

const [file, peers] = process.argv.slice(2);
const fromPeers = createRequire(join(peers, "package.json"));
console.warn = () => {};
const tf = fromPeers("@tensorflow/tfjs");
fromPeers("@tensorflow/tfjs-backend-wasm");
await tf.setBackend("wasm");
tf.enableProdMode();
if (tf.getBackend() !== "wasm") throw new Error("TensorFlow.js has no WebAssembly here");

const given = readNpz(await readFile(file));
const read = (name) => tf.tensor(given[name].toTypedArray(), given[name].shape);
const variable = (make) => tf.tidy(() => tf.variable(make()));

// Channels come last here, in pictures, kernels and what is flattened.
const images = tf.tidy(() => read("images").transpose([0, 2, 3, 1]));
const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(given.labels.toTypedArray(), "int32"), 10).toFloat());
const kernel1 = variable(() => read("0.weight").transpose([2, 3, 1, 0]));
const kernel2 = variable(() => read("3.weight").transpose([2, 3, 1, 0]));
const hidden = variable(() =>
  read("8.weight").reshape([128, 32, 7, 7]).transpose([2, 3, 1, 0]).reshape([1568, 128]),
);
const output = variable(() => read("10.weight").transpose());
const [bias1, bias2, bias3, bias4] = [0, 3, 8, 10].map((i) => variable(() => read(`${i}.bias`)));
const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);

/** The windows of 3 by 3 as rows. */
function windows(x) {
  const [n, height, width, channels] = x.shape;
  const padded = x.pad([
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const shifts = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => [i, j]));
  const parts = shifts.map(([i, j]) => padded.slice([0, i, j, 0], [n, height, width, channels]));
  return tf.concat(parts, 3).reshape([-1, 9 * channels]);
}

/** The gradient of a kernel has no op of its own on WebAssembly: a product of matrices gives it. */
const kernelGradient = (x, dy, shape) =>
  windows(x)
    .matMul(dy.reshape([-1, dy.shape[3]]), true)
    .reshape(shape);

/** Of the pictures themselves, which need no gradient. */
const first = (x, kernel) =>
  tf.customGrad((k, save) => {
    save([k]);
    return {
      value: tf.conv2d(x, k, 1, "same"),
      gradFunc: (dy, [k]) => kernelGradient(x, dy, k.shape),
    };
  })(kernel);

const second = tf.customGrad((x, k, save) => {
  save([x, k]);
  return {
    value: tf.conv2d(x, k, 1, "same"),
    gradFunc: (dy, [x, k]) => [tf.conv2dTranspose(dy, k, x.shape, 1, "same"), kernelGradient(x, dy, k.shape)],
  };
});

function scores(x, training) {
  const h1 = first(x, kernel1).add(bias1).relu().maxPool(2, 2, "valid");
  const h2 = second(h1, kernel2).add(bias2).relu().maxPool(2, 2, "valid");
  const flat = h2.reshape([-1, 1568]);
  const thinned = training ? tf.dropout(flat, 0.25) : flat;
  return thinned.matMul(hidden).add(bias3).relu().matMul(output).add(bias4);
}

function step(rows, training) {
  const index = tf.tensor1d(rows, "int32");
  const [x, y] = [images.gather(index), labels.gather(index)];
  const loss = optimizer.minimize(
    () => scores(x, training).logSoftmax().mul(y).sum().div(-rows.length),
    true,
  );
  const value = loss.dataSync()[0];
  tf.dispose([index, x, y, loss]);
  return value;
}

function* orders() {
  const count = images.shape[0];
  for (;;) {
    const order = Int32Array.from(tf.util.createShuffledIndices(count));
    for (let at = 0; at < count; at += 64) yield order.subarray(at, at + 64);
  }
}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const inOrder = Array.from({ length: 10 }, (_, i) => Int32Array.from({ length: 64 }, (_, j) => 64 * i + j));
say({
  name: `TensorFlow.js ${tf.version.tfjs} on WebAssembly`,
  losses: inOrder.map((rows) => step(rows, false)),
});
const rows = orders();
for await (const line of createInterface({ input: process.stdin })) {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < Number(line); i++) step(rows.next().value, true);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(before);
  say({ seconds, cpu: (user + system) / 1e6 });
}
