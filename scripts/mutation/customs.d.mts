import type * as autograd from "../../packages/autograd/src/index.ts";

type Named = ((...inputs: never[]) => autograd.Tensor) & {
  readonly samples: autograd.Samples;
  readonly standsFor?: (...inputs: autograd.Tensor[]) => autograd.Tensor;
};
export function customs(from: typeof autograd): ReadonlyMap<string, Named>;
export function checkIntended(
  from: typeof autograd,
  f: Named,
  inputs: readonly autograd.Tensor[],
  draw: autograd.Draw,
): void;
