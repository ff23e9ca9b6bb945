import { ValueError } from "@cotangent/autograd/functional";
import { optionsOf } from "./options.ts";
import type { Epoch } from "./session.ts";

export interface EarlyStoppingOptions {
  /** How many epochs to wait for a better one. */
  readonly patience: number;
  /** By how much a better one is better; 0 unless given. */
  readonly minDelta?: number | undefined;
  /** What to look at: the loss on the data for validation, if there are any, else that of the training, unless given. */
  readonly monitor?: ((epoch: Epoch) => number) | undefined;
  /** Is more better ("max") or less ("min")? "min" unless given. */
  readonly mode?: "min" | "max" | undefined;
}

/**
 * Ends `fit` when its epochs have not become better for a while: to be given as `until`. Throws ValueError unless `patience` is a whole
 * number of at least 1, `minDelta` a number of at least 0, and `mode` one of the two.
 *
 * @example
 * ```ts
 * import { earlyStopping } from "@cotangent/nn";
 * const until = earlyStopping({ patience: 2 });
 * const epochs = [3, 2, 2.5, 2.1].map((loss, i) => ({ epoch: i + 1, epochs: 9, loss, steps: 1, examples: 1, seconds: 0 }));
 * [until(epochs.slice(0, 3)), until(epochs)]; // => [ false, true ]
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions): (history: readonly Epoch[]) => boolean {
  const {
    patience,
    minDelta = 0,
    monitor = ({ validation, loss }) => validation?.loss ?? loss,
    mode = "min",
  } = optionsOf<EarlyStoppingOptions>("earlyStopping", options, {
    patience: true,
    minDelta: true,
    monitor: true,
    mode: true,
  });
  if (!Number.isInteger(patience) || patience < 1)
    throw new ValueError(`earlyStopping: patience is a whole number of at least 1, got ${String(patience)}`);
  if (!(minDelta >= 0))
    throw new ValueError(`earlyStopping: minDelta is a number of at least 0, got ${String(minDelta)}`);
  if (mode !== "min" && mode !== "max")
    throw new ValueError(`earlyStopping: mode is "min" or "max", got ${String(mode)}`);
  const sign = mode === "min" ? 1 : -1;
  return (history) => {
    let [best, place] = [Infinity, -1];
    history.forEach((epoch, i) => {
      const value = sign * monitor(epoch);
      if (value < best - minDelta || (place < 0 && !Number.isNaN(value))) [best, place] = [value, i];
    });
    return history.length - 1 - place >= patience;
  };
}
