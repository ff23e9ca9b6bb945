import { type Series, series } from "../series.ts";

/**
 * The items of what `make` makes, which gets a signal that Ctrl-C aborts: `fit` then ends after the step at hand, with a checkpoint. A
 * second Ctrl-C ends the process, as does the first when the items have come to their end. Awaited, it goes through all of them.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { fit, Linear, SGD } from "@cotangent/nn";
 * import { mse } from "@cotangent/nn/loss";
 * import { interruptible } from "@cotangent/nn/node";
 * const model = new Linear(1, 1);
 * const options = { loss: mse, optimizer: new SGD(model.parameters(), { lr: 0.1 }), epochs: 3 };
 * const data = [tensor([[1]]), tensor([[2]])] as const;
 * let epochs = 0;
 * for await (const _ of interruptible((signal) => fit(model, data, { ...options, signal }))) epochs++;
 * epochs; // => 3
 * ```
 */
export function interruptible<T>(make: (signal: AbortSignal) => AsyncIterable<T>): Series<T> {
  return series(interrupted(make));
}

async function* interrupted<T>(make: (signal: AbortSignal) => AsyncIterable<T>): AsyncGenerator<T, void> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once("SIGINT", interrupt);
  try {
    yield* make(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
  }
}
