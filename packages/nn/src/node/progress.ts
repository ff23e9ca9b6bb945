import { optionsOf } from "../options.ts";
import { type Series, series } from "../series.ts";
import type { Epoch } from "../session.ts";
import type { Step, Training } from "../train.ts";

/** What progress is written to: `process.stderr`, or anything like it. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** `process.stderr` unless given. */
  readonly output?: Output | undefined;
  /** Stands at the beginning of each line. */
  readonly label?: string | undefined;
}

/**
 * The epochs of `fit` as they come, and a line about them: on a terminal a bar with the loss, the examples per second and the
 * time left, drawn anew ten times a second, within an epoch too; elsewhere a plain line after each tenth of the epochs. Awaited, it goes
 * through all that are left.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { fit, Linear, SGD } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * import { progress } from "@cotangent/nn/node";
 * const model = new Linear(1, 1);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * const lines: string[] = [];
 * const output = { write: (line: string) => lines.push(line) };
 * const epochs = fit(model, [tensor([[1]]), tensor([[2]])], { loss: mse, optimizer, epochs: 20 });
 * for await (const _ of progress(epochs, { output })) {
 * }
 * lines.length; // => 11
 * ```
 */
export function progress<E extends Epoch>(epochs: AsyncIterable<E>, options?: ProgressOptions): Series<E> {
  const known = optionsOf("progress", options, { output: true, label: true });
  return series(reported(epochs, known));
}

async function* reported<E extends Epoch>(
  epochs: AsyncIterable<E>,
  { output = process.stderr, label = "" }: ProgressOptions,
): AsyncGenerator<E, void> {
  const live = output.isTTY === true;
  const start = label === "" ? "" : `${label} `;
  let drawn = 0;
  let examples = 0;
  let last: E | undefined;
  const draw = (text: (columns: number) => string): void => {
    if (performance.now() - drawn < 100) return;
    drawn = performance.now();
    output.write(`\r${start}${text(width(output) - start.length)}\x1b[K`);
  };
  const training = isTraining(epochs) ? epochs : null;
  if (live) watch(training, draw);
  try {
    for await (const epoch of epochs) {
      // Those before a resumption count, as their time does.
      if (!last) for (const earlier of training?.history.slice(0, -1) ?? []) examples += earlier.examples;
      last = epoch;
      examples += epoch.examples;
      if (live) draw((columns) => fitted(line(epoch, examples), epoch.epoch / epoch.epochs, columns));
      else if (isTenth(epoch)) output.write(`${start}${line(epoch, examples)}\n`);
      yield epoch;
    }
  } finally {
    // Also when the loop is left early or something throws: what is printed next begins on a line of its own.
    if (live && last)
      output.write(
        `\r${start}${fitted(line(last, examples), last.epoch / last.epochs, width(output) - start.length)}\x1b[K\n`,
      );
  }
}

function isTraining(epochs: AsyncIterable<Epoch>): epochs is Training {
  return "watch" in epochs && "history" in epochs;
}

/** Draws the steps of an epoch while it lasts. */
function watch(training: Training | null, draw: (text: (columns: number) => string) => void): void {
  const begin = performance.now();
  let [done, now] = [0, 0];
  training?.watch((step) => {
    if (step.step === 1) [done, now] = [done + now, 0];
    now = step.examples;
    const perSecond = (1000 * (done + now)) / (performance.now() - begin);
    const part = step.steps === null ? 0 : Math.min(1, step.step / step.steps);
    draw((columns) => fitted(stepLine(step, perSecond), (step.epoch - 1 + part) / step.epochs, columns));
  });
}

function stepLine({ epoch, epochs, step, steps, loss }: Step, perSecond: number): string {
  const of = steps === null ? step : `${String(step).padStart(String(steps).length)}/${steps}`;
  return `${counted(epoch, epochs)}  step ${of}  loss ${loss.toPrecision(4)}  ${rate(perSecond)}`;
}

const counted = (epoch: number, epochs: number): string =>
  `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`;

const width = ({ columns = 80 }: Output): number => columns - 1;

/** The first epoch, the last one, and each after which another tenth is done. */
function isTenth({ epoch, epochs }: Epoch): boolean {
  const tenths = (n: number) => Math.floor((10 * n) / epochs);
  return epoch === 1 || tenths(epoch) > tenths(epoch - 1);
}

function line(state: Epoch, examples: number): string {
  return `${counted(state.epoch, state.epochs)}  ${numbers(state, examples)}`;
}

function numbers({ epoch, epochs, loss, seconds, validation }: Epoch, examples: number): string {
  const left =
    epoch === epochs ? `took ${duration(seconds)}` : `${duration((seconds / epoch) * (epochs - epoch))} left`;
  const scores = Object.entries(validation ?? {}).map(
    ([name, score]) => `validation ${name} ${score.toPrecision(4)}  `,
  );
  return `loss ${loss.toPrecision(4)}  ${scores.join("")}${rate(examples / seconds)}  ${left}`;
}

/** The text with a bar in front that is filled as far as `done` says, if there is room. */
function fitted(text: string, done: number, columns: number): string {
  const room = Math.min(30, columns - text.length - 3);
  return room < 5 ? text.slice(0, Math.max(0, columns)) : `${bar(done, room)}  ${text}`;
}

const eighths = " ▏▎▍▌▋▊▉";

function bar(done: number, columns: number): string {
  const filled = Math.round(done * columns * 8);
  const rest = eighths[filled % 8]!.trim();
  return `${"█".repeat(Math.floor(filled / 8))}${rest}`.padEnd(columns, "·");
}

function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "- examples/s";
  const [value, unit] =
    perSecond >= 1e6 ? [perSecond / 1e6, "M"] : perSecond >= 1e3 ? [perSecond / 1e3, "k"] : [perSecond, ""];
  return `${value >= 100 ? Math.round(value) : value.toPrecision(3)}${unit} examples/s`;
}

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}m ${String(whole % 60).padStart(2, "0")}s`
    : `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
}
