// Opens a page in a headless Chromium, where one is on PATH.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** Where the browser is; undefined if there is none. */
export const browser = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((path) => names.map((name) => join(path, name)))
  .find((path) => existsSync(path));

/** Why nothing is opened where there is no browser. */
export const missing = `skipped: no ${names.join(", ")} on PATH`;

/** Opens a file with this text, in a window of some size, and gives the document as it is when its scripts have run. */
export function openPage(html, { width = 1000, height = 800 } = {}) {
  if (browser === undefined) throw new Error(missing);
  const place = mkdtempSync(join(tmpdir(), "cotangent-page-"));
  try {
    const page = join(place, "page.html");
    writeFileSync(page, html);
    const quiet =
      "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars";
    const { stdout, stderr } = spawnSync(
      browser,
      [
        ...quiet.split(" "),
        `--user-data-dir=${join(place, "profile")}`,
        `--window-size=${width},${height}`,
        "--virtual-time-budget=20000",
        "--dump-dom",
        pathToFileURL(page).href,
      ],
      { encoding: "utf8", timeout: 60000, maxBuffer: 64 * 1024 * 1024 },
    );
    return { document: stdout ?? "", stderr: stderr ?? "" };
  } finally {
    rmSync(place, { recursive: true, force: true, maxRetries: 5 });
  }
}
