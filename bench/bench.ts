import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setNumThreads } from "@cotangent/autograd";
import type { Measurement } from "./measure.ts";
import { measure } from "./measure.ts";
import { type Variant, variants } from "./workload.ts";
import { workloads } from "./workloads.ts";

/**
 * `pnpm -s bench [--json] [workload ...]`: times the workloads, each variant in a process of its own. `--json` prints one
 * JSON line for each; without it a table. COTANGENT_THREADS says how many threads programs use, 1 unless it is there.
 */
function runOne(name: string, variant: Variant): void {
  const peer = `cotangent-${variant}`;
  setNumThreads(Number(process.env.COTANGENT_THREADS ?? 1));
  try {
    console.log(JSON.stringify(measure(peer, name, workloads[name]![variant]())));
  } catch (error) {
    console.log(JSON.stringify({ peer, workload: name, error: String(error).slice(0, 400) }));
  }
}

function runAll(names: readonly string[], json: boolean): void {
  const unknown = names.filter((name) => !(name in workloads));
  if (unknown.length > 0) {
    console.error(`unknown workload ${unknown.join(", ")}; there are ${Object.keys(workloads).join(", ")}`);
    process.exitCode = 2;
    return;
  }
  if (!json) console.log(row("workload", "variant", "median", "min", "first call", "check values"));
  for (const name of names)
    for (const variant of variants) {
      const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--one", name, variant], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      process.stdout.write(json ? child.stdout : tableRow(JSON.parse(child.stdout)));
    }
}

function tableRow(result: Measurement & { readonly error?: string }): string {
  const { workload, peer, error } = result;
  if (error !== undefined) return `${row(workload, peer, error)}\n`;
  const time = (ms: number) => (ms < 0.1 ? `${(ms * 1000).toPrecision(4)} us` : `${ms.toPrecision(4)} ms`);
  const { check, loss0, lossN, c01 } = result;
  const digits = (x: number | null | undefined) => String(Number(x?.toPrecision(6)));
  const shown = check > 1 ? `${digits(loss0)} ... ${digits(lossN)}` : digits(loss0 ?? c01);
  return `${row(workload, peer, time(result.median_ms), time(result.min_ms), time(result.first_ms), shown)}\n`;
}

const widths = [12, 20, 12, 12, 12, 0];
const row = (...cells: string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join(" ")
    .trimEnd();

const [first, ...rest] = process.argv.slice(2);
if (first === "--one") runOne(rest[0]!, rest[1] === "plain" ? "plain" : "compiled");
else {
  const given = process.argv.slice(2);
  const names = given.filter((word) => !word.startsWith("--"));
  runAll(names.length > 0 ? names : Object.keys(workloads), given.includes("--json"));
}
