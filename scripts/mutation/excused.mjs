// Mutants that cannot be told from the right rule, each with the reason. A text is the beginning of that of the mutant.
export const excuses = [
  {
    file: "ops/elementary.js",
    rule: "asinh",
    kind: "sign",
    text: "1 -> -(1)",
    proof: "the length of (x, -1) is that of (x, 1)",
  },
  {
    file: "ops/rounding.js",
    rule: "copysign",
    kind: "sign",
    text: "1 -> -(1)",
    proof: "copysign(c, y) has the size of c and the sign of y: that of c does not count",
  },
  {
    file: "ops/reduction.js",
    rule: "extreme",
    kind: "fit",
    text: "broadcastTo(reshape(out, kept), x.shape)",
    proof: "eq broadcasts its operands itself, and to the same shape",
  },
  {
    file: "ops/special.js",
    rule: "sinc",
    kind: "sign",
    text: "1 -> -(1)",
    proof:
      "the one in `{ order: order + 1 }` only names the op in keys and prints, its body comes from sincOp; the one in sincOp is caught",
  },
  {
    file: "ops/linalg/spectrum.js",
    rule: "complement",
    kind: "sign",
    text: "the whole rule",
    proof: "the rule throws: what is made of its answer is never computed",
  },
  {
    file: "ops/linalg/spectrum.js",
    rule: "complement",
    kind: "factor",
    text: "the whole rule",
    proof: "as above",
  },
  {
    file: "ops/linalg/spectrum.js",
    rule: "complement",
    kind: "dropped",
    text: "the whole rule",
    proof: "as above",
  },
  {
    file: "ops/beta.js",
    rule: "refused",
    kind: "sign",
    text: "the whole rule",
    proof: "the rule throws: what is made of its answer is never computed",
  },
  {
    file: "ops/beta.js",
    rule: "refused",
    kind: "factor",
    text: "the whole rule",
    proof: "as above",
  },
  {
    file: "ops/beta.js",
    rule: "refused",
    kind: "dropped",
    text: "the whole rule",
    proof: "as above",
  },
];
