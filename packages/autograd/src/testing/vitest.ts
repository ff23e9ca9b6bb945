import { expect } from "vitest";
import type { Tensor } from "../graph.ts";
import type { CheckOptions } from "../verify/gradient.ts";
import { tensorEquality } from "./equality.ts";
import type { Closeness } from "./matchers.ts";
import { matchers } from "./matchers.ts";

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: Vitest declares its parameter so, and all declarations must agree.
  interface Matchers<T = any> {
    /** Do the derivatives of this function at `inputs` pass `checkGradient`? */
    toHaveCorrectGradient(inputs: readonly Tensor[], options?: CheckOptions): void;
    /** Are all elements as close as `tolerance` says, and shape and dtype the same? */
    toBeCloseToTensor(expected: Tensor, options?: Closeness): void;
    /** Does `toText` print this graph so? */
    toMatchGraph(text: string): void;
  }
}

expect.extend({ ...matchers });
expect.addEqualityTesters([tensorEquality]);
