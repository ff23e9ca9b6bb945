// node scripts/bundle.mjs: bundles two training programs of the documents, runs them, and says how large they are and what
// of it is.
import { gzipSync } from "node:zlib";
import { chaining, documentBundle, functional } from "./document-bundle.mjs";

const print = console.log;
const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(6);

/** The limits are KB of 1000 bytes, gzipped. */
await check(functional, 77, "cast(gt(model.forward(x), 0.5), 'int32')");
await check(chaining, 95, "model.forward(x).gt(0.5).cast('int32')");

async function check(program, limit, answer) {
  const { code, inputs } = await documentBundle(program, `globalThis.result = String(${answer}.toArray());`);
  console.log = () => {};
  await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
  console.log = print;
  const { document, heading } = program;
  if (globalThis.result !== "0,1,1,0")
    fail(`the program of ${document} learns ${globalThis.result}, not 0,1,1,0`);
  const zipped = gzipSync(code, { level: 9 }).length;
  const sizes = `${kilobytes(code.length)} KB, ${kilobytes(zipped).trim()} KB gzip (at most ${limit})`;
  console.log(`${sizes}: ${document}, "${heading}"`);
  const folders = new Map();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const folder = path.replace(/\/[^/]*$/, "").replace(/\/dist\b/, "");
    folders.set(folder, (folders.get(folder) ?? 0) + bytesInOutput);
  }
  for (const [folder, bytes] of [...folders].sort((a, b) => b[1] - a[1]))
    console.log(`${kilobytes(bytes)} KB ${folder}`);
  if (zipped > limit * 1000) fail("the bundle is too large");
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
