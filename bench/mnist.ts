import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { aligned, short } from "./beside/report.ts";
import { median } from "./measure.ts";
import { Contestant, type Lap } from "./mnist/contestant.ts";
import { stepsPerEpoch, writeMaterial } from "./mnist/material.ts";

/**
 * `pnpm -s bench:mnist PEERS`: seconds per epoch of the network of `examples/mnist.ts`, here, in PyTorch and in TensorFlow.js, on the
 * same pictures and from the same parameters. They take turns, one works at a time; what counts is the ratio within a round.
 */
const usage = `pnpm -s bench:mnist [PEERS] [options]
  PEERS         a folder where @tensorflow/tfjs and its WebAssembly backend are installed; without it PyTorch alone
  --rounds 7    how often each has its turn
  --steps 100   how many steps a turn has; ${stepsPerEpoch} are an epoch
  --cpu         processor time, steadier where other programs run`;

interface Settings {
  readonly peers: string | null;
  readonly rounds: number;
  readonly steps: number;
  readonly clock: keyof Lap;
}

function settings(): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "7" },
      steps: { type: "string", default: "100" },
      cpu: { type: "boolean", default: false },
    },
  });
  const folder = positionals[0] ?? process.env.COTANGENT_PEERS;
  if (folder !== undefined && !existsSync(join(folder, "node_modules", "@tensorflow", "tfjs")))
    throw new Error(`no @tensorflow/tfjs in ${folder}\n${usage}`);
  const [rounds, steps] = [Number(values.rounds), Number(values.steps)];
  for (const count of [rounds, steps])
    if (!Number.isInteger(count) || count < 1) throw new Error(`rounds and steps are at least 1\n${usage}`);
  return {
    peers: folder === undefined ? null : resolve(folder),
    rounds,
    steps,
    clock: values.cpu ? "cpu" : "seconds",
  };
}

/** Ours first, then the others that run here. */
async function contestants(file: string, peers: string | null): Promise<Contestant[]> {
  const built = (name: string) => fileURLToPath(new URL(`mnist/${name}`, import.meta.url));
  const written = (name: string) => fileURLToPath(new URL(`../mnist/${name}`, import.meta.url));
  const python = [process.env.PYTHON, "python3", "/usr/bin/python3"].find(
    (command) => command !== undefined && spawnSync(command, ["-c", "import torch"]).status === 0,
  );
  const here = await Contestant.start(process.execPath, [built("cotangent.js"), file]);
  const found = [here];
  const others: (readonly [string, readonly string[]])[] = [];
  if (python === undefined) console.error("no Python here can import torch");
  else others.push([python, [written("pytorch.py"), file]]);
  if (peers !== null) others.push([process.execPath, [written("tfjs.mjs"), file, peers]]);
  for (const [command, args] of others)
    try {
      found.push(await Contestant.start(command, args));
    } catch (error) {
      console.error(`${args[0]}: ${(error as Error).message}`);
    }
  return found;
}

/** Seconds per epoch, in each round. Who begins changes from round to round. */
async function race(
  all: readonly Contestant[],
  { rounds, steps, clock }: Settings,
): Promise<Map<Contestant, number[]>> {
  const times = new Map(all.map((one) => [one, [] as number[]]));
  for (const one of all) await one.run(20);
  for (let round = 1; round <= rounds; round++) {
    const start = round % all.length;
    for (const one of [...all.slice(start), ...all.slice(0, start)]) {
      const time = ((await one.run(steps))[clock] * stepsPerEpoch) / steps;
      times.get(one)!.push(time);
      console.error(`round ${round} ${one.name}: ${short(time)} s per epoch, load ${short(loadavg()[0]!)}`);
    }
  }
  return times;
}

const ranged = (values: readonly number[]): string =>
  `${short(median(values))} (${short(Math.min(...values))} ... ${short(Math.max(...values))})`;

function report(times: ReadonlyMap<Contestant, readonly number[]>): string {
  const [here, ...others] = [...times.values()];
  const ratios = others.map((theirs) => ranged(theirs.map((time, round) => here![round]! / time)));
  const rows = [...times].map(([{ name }, seconds], i) => [name, ranged(seconds), ratios[i - 1] ?? ""]);
  return aligned([["", "seconds per epoch", "Cotangent to it"], ...rows]);
}

/** All compute the same, up to rounding, if the losses of the first steps agree. */
function complaints([here, ...others]: readonly Contestant[]): string[] {
  return others
    .filter(({ losses }) =>
      losses.some((loss, i) => !(Math.abs(loss - here!.losses[i]!) <= 1e-3 * here!.losses[i]!)),
    )
    .map(
      ({ name, losses }) => `losses differ: ${here!.losses.join(" ")} here, ${losses.join(" ")} in ${name}`,
    );
}

const folder = await mkdtemp(join(tmpdir(), "cotangent-mnist-"));
try {
  const chosen = settings();
  const file = join(folder, "material.npz");
  const pictures = await writeMaterial(file);
  const all = await contestants(file, chosen.peers);
  try {
    console.log(report(await race(all, chosen)));
    console.log(
      [
        ...complaints(all),
        `${pictures}, medians of ${chosen.rounds} rounds, load ${short(loadavg()[0]!)}`,
      ].join("\n"),
    );
  } finally {
    for (const one of all) one.end();
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
} finally {
  await rm(folder, { recursive: true });
}
