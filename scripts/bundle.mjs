// node scripts/bundle.mjs: bundles the README's training program, runs it, and says how large it is and what of it is.
import { gzipSync } from "node:zlib";
import { readmeBundle } from "./readme-bundle.mjs";

/** KB of 1000 bytes, gzipped. */
const limit = 75;

const { code, inputs } = await readmeBundle(
  "globalThis.result = String(model.forward(x).gt(0.5).cast('int32').toArray());",
);

const print = console.log;
console.log = () => {};
await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
console.log = print;
if (globalThis.result !== "0,1,1,0") fail(`the bundled program learns ${globalThis.result}, not 0,1,1,0`);

const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(6);
const zipped = gzipSync(code, { level: 9 }).length;
console.log(`${kilobytes(code.length)} KB, ${kilobytes(zipped).trim()} KB gzip (at most ${limit})`);

const folders = new Map();
for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
  const folder = path.replace(/\/[^/]*$/, "").replace(/\/dist\b/, "");
  folders.set(folder, (folders.get(folder) ?? 0) + bytesInOutput);
}
for (const [folder, bytes] of [...folders].sort((a, b) => b[1] - a[1]))
  console.log(`${kilobytes(bytes)} KB ${folder}`);
if (zipped > limit * 1000) fail("the bundle is too large");

function fail(message) {
  console.error(message);
  process.exit(1);
}
