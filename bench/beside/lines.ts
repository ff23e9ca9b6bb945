import { spawnSync } from "node:child_process";
import { devNull } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Variant } from "../workload.ts";

/** What a peer, or we, say of one workload: times, or what went wrong. */
export interface Line {
  readonly peer: string;
  readonly workload: string;
  readonly error?: string;
  readonly median_ms?: number;
  readonly cpu_ms?: number;
  readonly first_ms?: number | null;
  readonly loss0?: number | null;
  readonly lossN?: number | null;
  readonly c01?: number;
  readonly load?: number;
}

const limitMs = 900_000;

/** One variant of one of our workloads, in a process of its own. */
export function runOurs(workload: string, variant: Variant): Line[] {
  const bench = fileURLToPath(new URL("../bench.js", import.meta.url));
  const peer = `cotangent-${variant}`;
  return run([bench, "--one", workload, variant], { peer, workload });
}

/** A group of peers on a workload, in the folder of the peers; each runs in a process of its own. */
export function runPeers(folder: string, group: string, workload: string): Line[] {
  const env = { ...process.env, WORKLOADS: namesAtPeers(workload).join(","), OUT: devNull };
  const lines = run([join(folder, "run.mjs"), group], { peer: group, workload }, { env, cwd: folder });
  return lines.map((line) =>
    line.workload === "W4-onehot" && workload === "W4" ? { ...line, workload } : line,
  );
}

/**
 * The peers run all products of matrices in one process. One of them cannot differentiate a choice of rows and has W4 with a
 * product by rows of 0 and one 1 instead: that counts if there is nothing else.
 */
function namesAtPeers(workload: string): readonly string[] {
  if (workload.startsWith("W5")) return ["W5"];
  return workload === "W4" ? ["W4", "W4-onehot"] : [workload];
}

function run(
  args: readonly string[],
  about: { readonly peer: string; readonly workload: string },
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Line[] {
  const child = spawnSync(process.execPath, args, { ...options, encoding: "utf8", timeout: limitMs });
  const lines = (child.stdout ?? "").split("\n").filter((line) => line.startsWith("{"));
  if (lines.length > 0) return lines.map((line) => JSON.parse(line) as Line);
  if (child.status === 0) return [];
  const reason = child.signal === null ? (child.stderr ?? "").trim().slice(-300) : `ended by ${child.signal}`;
  return [{ ...about, error: reason || String(child.error) }];
}
