// Opens a page in a headless Chromium, where one is on PATH.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** Where the first of these programs is; undefined if none is on PATH. */
export function onPath(programs) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((path) => programs.map((name) => join(path, name)))
    .find((path) => existsSync(path));
}

/** Where the browser is; undefined if there is none. */
export const browser = onPath(names);

/** Why nothing is opened where there is no browser. */
export const missing = `skipped: no ${names.join(", ")} on PATH`;

const quiet =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars";

/** Opens a file with this text, in a window of some size, and gives the document as it is when its scripts have run. */
export function openPage(html, { width = 1000, height = 800 } = {}) {
  if (browser === undefined) throw new Error(missing);
  const place = mkdtempSync(join(tmpdir(), "cotangent-page-"));
  try {
    const page = join(place, "page.html");
    writeFileSync(page, html);
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

function openChromium(address, place) {
  const options = [...quiet.split(" "), "--remote-debugging-port=0", `--user-data-dir=${place}`];
  return spawn(browser, [...options, address], { stdio: "ignore" });
}

/** What a page says that says nothing within two minutes. */
export const nothing = "nothing";

const empty = '<!doctype html><meta charset="utf-8">';

/**
 * Opens a page with this script at its end from a server, cross-origin isolated, and gives what the script posts to `/said`. Its clock is
 * the real one: that of `openPage` runs ahead of frames and of programs. Another browser is started by `open(address, folder for its
 * profile)`.
 */
export async function visitPage(script, { page = empty, open = openChromium } = {}) {
  if (open === openChromium && browser === undefined) throw new Error(missing);
  const place = mkdtempSync(join(tmpdir(), "cotangent-page-"));
  const headers = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  };
  const texts = {
    "/": ["text/html", `${page}<script type="module" src="program.js"></script>`],
    "/program.js": ["text/javascript", script],
  };
  const server = createServer();
  const said = new Promise((resolve) => {
    server.on("request", async (request, response) => {
      const [type, text] = texts[request.url] ?? ["text/plain", ""];
      response.writeHead(200, { ...headers, "Content-Type": type }).end(text);
      if (request.url === "/said") resolve((await request.toArray()).join(""));
    });
  });
  await once(server.listen(0), "listening");
  const address = `http://localhost:${server.address().port}/`;
  const process = open(address, place);
  const late = new Promise((resolve) => setTimeout(resolve, 120_000, nothing).unref());
  try {
    return await Promise.race([said, late]);
  } finally {
    server.close();
    server.closeAllConnections();
    process.kill();
    await once(process, "close");
    // Its own processes may still write for a moment.
    await rm(place, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
