import { median } from "../measure.ts";
import type { Variant } from "../workload.ts";
import { aimOf, bestScript, firstCalls } from "./aims.ts";
import type { Line } from "./lines.ts";

/** The lines of the passes, one list for each. */
export type Passes = readonly (readonly Line[])[];
export type Clock = "median_ms" | "cpu_ms";

/** The ratio of our time to a peer's, in each pass where both have one. */
interface Comparison {
  readonly workload: string;
  readonly variant: Variant;
  readonly peer: string;
  readonly ratios: readonly number[];
  readonly aim: number | null;
}

const ours = (variant: Variant) => `cotangent-${variant}`;
const isOurs = (peer: string) => peer.startsWith("cotangent-");
const isScript = (peer: string) => !isOurs(peer) && !peer.startsWith("torch") && !peer.startsWith("floor");

function timeOf(lines: readonly Line[], workload: string, peer: string, clock: Clock): number | null {
  const timed = lines.filter((line) => line.workload === workload && line[clock] !== undefined);
  if (peer !== bestScript) return timed.find((line) => line.peer === peer)?.[clock] ?? null;
  const times = timed.filter((line) => isScript(line.peer)).map((line) => line[clock]!);
  return times.length > 0 ? Math.min(...times) : null;
}

export function compare(
  passes: Passes,
  workloads: readonly string[],
  variants: readonly Variant[],
  clock: Clock,
): Comparison[] {
  const names = [...new Set(passes.flat().map((line) => line.peer))].sort();
  const torch = names.filter((peer) => peer.startsWith("torch"));
  const floors = names.filter((peer) => peer.startsWith("floor"));
  const peers = [...torch, bestScript, ...names.filter(isScript), ...floors];
  const found = workloads.flatMap((workload) =>
    variants.flatMap((variant) =>
      peers.map((peer) => {
        const ratios = passes.flatMap((lines) => {
          const mine = timeOf(lines, workload, ours(variant), clock);
          const theirs = timeOf(lines, workload, peer, clock);
          return mine === null || theirs === null ? [] : [mine / theirs];
        });
        return { workload, variant, peer, ratios, aim: aimOf(workload, variant, peer) };
      }),
    ),
  );
  return found.filter(({ ratios }) => ratios.length > 0);
}

export const short = (x: number): string => Number(x.toPrecision(2)).toString();
const metIn = ({ ratios, aim }: Comparison): number => ratios.filter((ratio) => ratio <= aim!).length;

/** One line for each comparison: the median of the ratios, their range, and how often the aim was met. */
export function text(comparisons: readonly Comparison[]): string {
  return comparisons
    .map((comparison) => {
      const { workload, variant, peer, ratios, aim } = comparison;
      const range = `${short(Math.min(...ratios))} ... ${short(Math.max(...ratios))}`;
      const met = aim === null ? "" : `aim ${aim}: met in ${metIn(comparison)} of ${ratios.length}`;
      const cells = [workload.padEnd(11), variant.padEnd(8), `to ${peer}`.padEnd(18)];
      return [...cells, short(median(ratios)).padEnd(8), range.padEnd(20), met].join(" ").trimEnd();
    })
    .join("\n");
}

/** A row for each workload and variant, a column for each peer; with an aim, how many passes met it. */
export function markdown(comparisons: readonly Comparison[]): string {
  const peers = [...new Set(comparisons.map(({ peer }) => peer))];
  const rows = new Map<string, Map<string, string>>();
  for (const comparison of comparisons) {
    const { workload, variant, peer, ratios, aim } = comparison;
    const key = `${workload}\n${variant}`;
    const row = rows.get(key) ?? new Map<string, string>();
    const met = aim === null ? "" : ` (${metIn(comparison)} of ${ratios.length} <= ${aim})`;
    rows.set(key, row.set(peer, short(median(ratios)) + met));
  }
  const cells = [...rows].map(([key, row]) => [
    ...key.split("\n"),
    ...peers.map((peer) => row.get(peer) ?? ""),
  ]);
  return aligned([["workload", "variant", ...peers.map((peer) => `to ${peer}`)], ...cells]);
}

export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const [head, ...body] = rows.map(
    (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`,
  );
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
}

/** Peers round differently; where their check values are further apart than this, one of them computes something else. */
const tolerance = 1e-4;

/** A BLAS that takes more milliseconds than this for W5-fwd-1024, 20 GFLOP/s, is none to compare with. */
const slowProduct = 107;
const isTorchProduct = ({ peer, workload }: Line) => peer === "torch-1t" && workload === "W5-fwd-1024";

/** Check values that disagree, between our variants in any bit, what failed, and a PyTorch that is none to compare with. */
export function complaints(passes: Passes, workloads: readonly string[]): string[] {
  const all = passes.flat();
  const failures = all.flatMap(({ peer, workload, error }) =>
    error === undefined ? [] : [`${workload} ${peer}: ${error}`],
  );
  const disagreements = workloads.flatMap((workload) => {
    const lines = all.filter((line) => line.workload === workload && line.error === undefined);
    return (["loss0", "lossN", "c01"] as const).flatMap((value) => {
      const reference = lines.find((line) => isOurs(line.peer))?.[value];
      if (typeof reference !== "number") return [];
      return lines.flatMap(({ peer, [value]: other }) => {
        if (typeof other !== "number") return [];
        const allowed = isOurs(peer) ? 0 : tolerance * Math.abs(reference);
        if (Math.abs(other - reference) <= allowed) return [];
        return [`${workload} ${value}: ${reference} here, ${other} in ${peer}`];
      });
    });
  });
  const product = median(all.filter(isTorchProduct).map((line) => line.cpu_ms ?? 0));
  const blas =
    product > slowProduct
      ? [`PyTorch needs ${short(product)} ms for a product of 1024: is its BLAS the reference one?`]
      : [];
  return [...new Set([...disagreements, ...failures, ...blas])];
}

/** First calls against their aims. */
export function firsts(passes: Passes): string[] {
  return Object.entries(firstCalls).flatMap(([workload, aim]) => {
    const times = passes
      .flat()
      .filter((line) => line.workload === workload && line.peer === ours("compiled") && line.first_ms != null)
      .map((line) => line.first_ms!);
    if (times.length === 0) return [];
    const met = times.filter((ms) => ms <= aim).length;
    return [
      `${workload} first compiled call: ${short(median(times))} ms; aim ${aim}: met in ${met} of ${times.length}`,
    ];
  });
}
