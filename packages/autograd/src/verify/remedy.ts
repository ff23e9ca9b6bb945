/** What usually makes an op give NaN or an infinity, and what is usually written instead. */

export interface Circumstance {
  readonly op: string;
  readonly value: number;
  readonly operands: readonly number[];
  /** Is it the derivative that is not finite? */
  readonly backward: boolean;
  /** Did a rule make NaN of finite numbers by itself? */
  readonly undefinedRule: boolean;
}

interface Remedy {
  /** The ops that it is about; any, unless given. */
  readonly ops?: readonly string[] | undefined;
  applies(circumstance: Circumstance): boolean;
  readonly text: string;
}

const has = (operands: readonly number[], test: (x: number) => boolean): boolean => operands.some(test);
const isZero = (x: number): boolean => x === 0;
const isBad = (x: number): boolean => !Number.isFinite(x);
const isInfinite = (x: number): boolean => Math.abs(x) === Infinity;

const choosing =
  "choose the operand with where before the function, where(ok, f(where(ok, x, 1)), 0), and not its result only";

/** The first that applies is given. */
const remedies: readonly Remedy[] = [
  {
    applies: ({ operands, backward, value }) => backward && Number.isNaN(value) && has(operands, isBad),
    text: `an operand is not finite there, and 0 times it is NaN in the chain rule: ${choosing}`,
  },
  {
    ops: ["log", "log2", "log10", "log1p", "xlogy"],
    applies: ({ operands, backward }) => backward || has(operands, isZero),
    text:
      "log of 0: add a small number or clamp what it is given; for probabilities take logSoftmax, logSigmoid, logsumexp or a loss with " +
      "logits, which never make the 0",
  },
  {
    ops: ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "pow"],
    applies: ({ operands, backward }) => !backward && operands[0]! < 0,
    text: "a negative number outside the domain: clamp it to 0 (or -1), or look at why it is negative",
  },
  {
    ops: ["sqrt", "rsqrt", "pow", "cbrt"],
    applies: ({ operands }) => operands[0] === 0,
    text: "the slope at 0 is infinite: add a small number under the root, or take norm or std, whose derivative at 0 is 0",
  },
  {
    ops: [
      "exp",
      "exp2",
      "expm1",
      "sinh",
      "cosh",
      "pow",
      "square",
      "prod",
      "sum",
      "mul",
      "matmul",
      "einsum",
      "add",
      "sub",
    ],
    applies: ({ operands, value, backward }) => !backward && isInfinite(value) && !has(operands, isBad),
    text:
      "overflow: the result is too large for its dtype; take the largest element out first (softmax, logSoftmax and logsumexp do), or " +
      "scale what it is given; where it grows from step to step, take a smaller learning rate",
  },
  {
    ops: ["div", "reciprocal", "remainder", "fmod", "floorDivide"],
    applies: ({ operands }) => operands[operands.length - 1] === 0,
    text: "division by 0: add a small number to the divisor, or replace it before dividing: x.div(where(y.eq(0), 1, y))",
  },
  {
    applies: ({ operands, backward, value }) =>
      !backward && Number.isNaN(value) && has(operands, isZero) && has(operands, isInfinite),
    text: "0 times infinity: find what became infinite, and replace it with where before it is used",
  },
  {
    ops: ["sub", "add", "sum"],
    applies: ({ operands, value }) => Number.isNaN(value) && has(operands, isInfinite),
    text: "infinity less infinity: find what became infinite, or take logsumexp and softmax, which take the largest element out first",
  },
  {
    applies: ({ operands, backward }) => !backward && operands.length === 0,
    text: "the number was there before anything was computed: look at the data, or at the step that made it",
  },
  {
    applies: ({ undefinedRule }) => undefinedRule,
    text:
      "the rule gives no number here, such as 0 divided by 0: keep the operand away from this value, or say what the derivative is there " +
      "by a rule of your own",
  },
  {
    applies: ({ backward, value }) => backward && Number.isNaN(value),
    text: `0 times infinity in the chain rule, an infinite slope met a 0: ${choosing}`,
  },
  {
    applies: ({ backward }) => backward,
    text: "the slope is infinite or too large here: keep the operand away from this value, or clip the gradient",
  },
];

/** The likely cause and the usual rewrite, in words. */
export function remedyOf(circumstance: Circumstance): string {
  const found = remedies.find(
    ({ ops, applies }) => (ops?.includes(circumstance.op) ?? true) && applies(circumstance),
  );
  return found?.text ?? "the operands lie outside of what the op is defined for, or the result is too large";
}
