import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Line } from "./beside/lines.ts";
import { runOurs, runPeers } from "./beside/lines.ts";
import { type Clock, compare, complaints, firsts, markdown, type Passes, text } from "./beside/report.ts";
import { type Variant, variants } from "./workload.ts";
import { workloads } from "./workloads.ts";

/**
 * `pnpm -s bench:beside PEERS`: our workloads beside those of other libraries, whose folder is given, or named by
 * COTANGENT_PEERS. In each pass all run in turn, one process at a time, so that what disturbs one disturbs the others; what
 * counts is the ratio to a peer in the same pass.
 */
const usage = `pnpm -s bench:beside PEERS [options]
  --workloads W1,W2      which; all unless given
  --peers torch1,floor   groups of peers; torch1,jax20,tfjs-wasm,scalar,floor unless given
  --variants compiled    plain,compiled unless given
  --passes 5             how often
  --cpu                  ratios of processor time, steadier where other programs run
With COTANGENT_THREADS=2 our programs use two threads, as the peers of the group torch2 do.`;

interface Settings {
  readonly folder: string;
  readonly workloads: readonly string[];
  readonly groups: readonly string[];
  readonly variants: readonly Variant[];
  readonly passes: number;
  readonly clock: Clock;
}

function settings(): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      workloads: { type: "string", default: Object.keys(workloads).join() },
      peers: { type: "string", default: "torch1,jax20,tfjs-wasm,scalar,floor" },
      variants: { type: "string", default: variants.join() },
      passes: { type: "string", default: "5" },
      cpu: { type: "boolean", default: false },
    },
  });
  const folder = positionals[0] ?? process.env.COTANGENT_PEERS;
  if (folder === undefined || !existsSync(join(folder, "run.mjs")))
    throw new Error(`no run.mjs in the folder of the peers, ${folder ?? "which is not given"}\n${usage}`);
  const passes = Number(values.passes);
  if (!Number.isInteger(passes) || passes < 1) throw new Error(`passes: ${values.passes}\n${usage}`);
  return {
    folder: resolve(folder),
    workloads: listed(values.workloads, Object.keys(workloads)),
    groups: values.peers.split(","),
    variants: listed(values.variants, variants),
    passes,
    clock: values.cpu ? "cpu_ms" : "median_ms",
  };
}

/** The words between the commas, each of them one of `known`. */
function listed<T extends string>(words: string, known: readonly T[]): T[] {
  return words.split(",").map((word) => {
    const found = known.find((name) => name === word);
    if (found === undefined) throw new Error(`unknown: ${word}; there are ${known.join(", ")}`);
    return found;
  });
}

/** Everybody on every workload once. Who begins changes from pass to pass. */
function onePass(number: number, { folder, workloads, groups, variants, clock }: Settings): Line[] {
  const lines: Line[] = [];
  const seen = new Set<string>();
  for (const workload of workloads) {
    const turns = [
      ...groups.map(
        (group) => () => (hasRun(group, workload, seen) ? [] : runPeers(folder, group, workload)),
      ),
      ...variants.map((variant) => () => runOurs(workload, variant)),
    ];
    const start = number % turns.length;
    for (const turn of [...turns.slice(start), ...turns.slice(0, start)])
      for (const line of turn()) {
        lines.push(line);
        const said = line.error ?? `${line[clock]} ms, load ${line.load}`;
        console.error(`pass ${number} ${line.workload} ${line.peer}: ${said.replaceAll("\n", " ")}`);
      }
  }
  return lines;
}

/** The peers run all products of matrices at once: once in a pass is enough. */
function hasRun(group: string, workload: string, seen: Set<string>): boolean {
  const key = `${group} ${workload.replace(/^W5-.*/, "W5")}`;
  const already = seen.has(key);
  seen.add(key);
  return already;
}

function report(passes: Passes, { workloads, variants, clock }: Settings): string {
  const comparisons = compare(passes, workloads, variants, clock);
  if (comparisons.length === 0)
    return ["No peer has a time for these workloads.", ...complaints(passes, workloads)].join("\n");
  const parts = [
    text(comparisons),
    firsts(passes).join("\n"),
    markdown(comparisons),
    complaints(passes, workloads).join("\n") || "All check values agree.",
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

try {
  const chosen = settings();
  const passes: Line[][] = [];
  while (passes.length < chosen.passes) {
    // What is known so far, for whoever does not wait for the end.
    if (passes.length > 0) console.error(`\n${report(passes, chosen)}\n`);
    passes.push(onePass(passes.length + 1, chosen));
  }
  console.log(report(passes, chosen));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
