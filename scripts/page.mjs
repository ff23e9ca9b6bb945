// node scripts/page.mjs: the README's training program in a headless Chromium, where one is on PATH.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { readmeBundle } from "./readme-bundle.mjs";

const names = ["chromium", "chromium-browser", "google-chrome"];
const paths = (process.env.PATH ?? "").split(delimiter);
const browser = paths
  .flatMap((path) => names.map((name) => join(path, name)))
  .find((path) => existsSync(path));
if (browser === undefined) console.log(`skipped: no ${names.join(", ")} on PATH`);
else visit();

async function visit() {
  const { code } = await readmeBundle("document.title = model.forward(x).gt(0.5).cast('int32').toArray();");
  const place = mkdtempSync(join(tmpdir(), "cotangent-page-"));
  try {
    const page = join(place, "page.html");
    // The program is written into the page: a module may not be fetched from a file.
    const script = code.replaceAll("</script", "<\\/script");
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><script type="module">${script}</script>`);
    const profile = join(place, "profile");
    const quiet =
      "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
    const { stdout, stderr } = spawnSync(
      browser,
      [
        ...quiet.split(" "),
        `--user-data-dir=${profile}`,
        "--virtual-time-budget=20000",
        "--dump-dom",
        pathToFileURL(page).href,
      ],
      { encoding: "utf8", timeout: 60000 },
    );
    const result = /<title>(.*?)<\/title>/.exec(stdout)?.[1];
    if (result === "0,1,1,0") return console.log("the page learns 0,1,1,0");
    console.error(`the page shows ${result}, not 0,1,1,0\n${stderr}`);
    process.exitCode = 1;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
