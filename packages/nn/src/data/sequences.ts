import { DTypeError, pad, ShapeError, stack, Tensor, ValueError } from "@cotangent/autograd/functional";
import { checkNumber, optionsOf } from "../options.ts";

export interface PadSequenceOptions {
  /** The result is [n, longest, ...], not [longest, n, ...]. */
  readonly batchFirst?: boolean | undefined;
  /** What stands behind the end of a sequence; 0 unless given. */
  readonly paddingValue?: number | undefined;
}

/**
 * Sequences [length, ...] as one tensor [longest, n, ...], the shorter ones filled up at their end, as `torch.nn.utils.rnn.pad_sequence`
 * does. Recurrent layers take the lengths as `{ lengths }`, attention a `keyPaddingMask`.
 *
 * Throws ValueError for no sequences and for what is no tensor, ShapeError if they differ in more than their length, DTypeError if their
 * dtypes differ.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { padSequence } from "@cotangent/nn/data";
 * padSequence([tensor([1, 2, 3]), tensor([4])], { batchFirst: true }).toArray(); // => [ [ 1, 2, 3 ], [ 4, 0, 0 ] ]
 * ```
 */
export function padSequence(sequences: readonly Tensor[], options?: PadSequenceOptions): Tensor {
  const { batchFirst = false, paddingValue = 0 } = optionsOf("padSequence", options, {
    batchFirst: "boolean",
    paddingValue: true,
  });
  checkNumber("padSequence: paddingValue", paddingValue);
  if (!Array.isArray(sequences) || sequences.length === 0 || !sequences.every((x) => x instanceof Tensor))
    throw new ValueError("padSequence: takes a list of at least one tensor, as in padSequence([x, y])");
  for (const x of sequences) checkSequence(x, sequences[0]!);
  const longest = Math.max(...sequences.map(({ shape }) => shape[0]!));
  const filled = sequences.map((x) =>
    pad(x, [[0, longest - x.shape[0]!], ...new Array(x.rank - 1).fill([0, 0])], { value: paddingValue }),
  );
  return stack(filled as Tensor[], batchFirst ? 0 : 1);
}

/** Throws unless `x` is a sequence that differs from the `first` one in nothing but its length. */
function checkSequence(x: Tensor, first: Tensor): void {
  if (x.rank === 0 || x.shape.slice(1).join() !== first.shape.slice(1).join() || x.rank !== first.rank)
    throw new ShapeError(
      `padSequence: sequences are [length, ...] and differ in length alone, got shapes [${first.shape.join(", ")}] and ` +
        `[${x.shape.join(", ")}]; reshape one of them`,
    );
  if (x.dtype !== first.dtype)
    throw new DTypeError(`padSequence: sequences are ${first.dtype} and ${x.dtype}; cast one of them`);
}
