import { evaluate } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import type { Shape } from "../shape.ts";

/** A function of one or two square matrices that gives one of the same shape. */
export interface Step {
  readonly name: string;
  readonly arity: 1 | 2;
  readonly f: (...operands: Tensor[]) => Tensor;
}

/** Which step is taken with which of the values so far; numbers wrap around. */
export interface Choice {
  readonly step: number;
  readonly operands: readonly [number, number];
}

interface Line {
  readonly step: Step;
  readonly operands: readonly number[];
}

/**
 * A random differentiable program: `f` of `inputs`, and as text (`String(program)`) TypeScript that runs and checks it, once the steps
 * that are the user's `own` are imported too. Values are numbered, inputs first; what the result does not need is left out.
 */
export class RandomProgram {
  readonly inputs: readonly Tensor[];
  readonly #lines: readonly Line[];
  readonly #own: readonly Step[];

  constructor(
    inputs: readonly Tensor[],
    steps: readonly Step[],
    choices: readonly Choice[],
    own: readonly Step[] = [],
  ) {
    this.inputs = inputs;
    this.#own = own;
    this.#lines = choices.map(({ step, operands }, i) => {
      const taken = steps[step % steps.length]!;
      // The newest value is number 0, so that choices shrink to a chain.
      const known = inputs.length + i;
      return { step: taken, operands: operands.slice(0, taken.arity).map((k) => known - 1 - (k % known)) };
    });
  }

  /** The function: of the inputs, a matrix of their shape. */
  readonly f = (...inputs: Tensor[]): Tensor => {
    const values = [...inputs];
    for (const { step, operands } of this.#lines) values.push(step.f(...operands.map((k) => values[k]!)));
    return values[values.length - 1]!;
  };

  /** The numbers of the values that the result is made of. */
  #live(): Set<number> {
    const count = this.inputs.length;
    const live = new Set([count + this.#lines.length - 1]);
    for (let i = this.#lines.length - 1; i >= 0; i--)
      if (live.has(count + i)) for (const k of this.#lines[i]!.operands) live.add(k);
    return live;
  }

  toString(): string {
    const live = this.#live();
    const count = this.inputs.length;
    const name = (k: number) => (k < count ? `x${k}` : `v${k - count}`);
    const lines = this.#lines.flatMap(({ step, operands }, i) =>
      live.has(count + i)
        ? [`  const ${name(count + i)} = ${step.name}(${operands.map(name).join(", ")});`]
        : [],
    );
    const names = this.inputs.map((_, k) => name(k));
    const used = new Set(this.#lines.flatMap(({ step }, i) => (live.has(count + i) ? [step] : [])));
    const named = (isOwn: boolean) =>
      [...used].filter((step) => this.#own.includes(step) === isOwn).map((step) => step.name);
    const imports = ["checkGradient", "tensor", "type Tensor", ...named(false)];
    const own = named(true);
    return [
      `import { ${imports.join(", ")} } from "@cotangent/autograd";`,
      ...(own.length > 0 ? [`// Import your own too: ${own.join(", ")}`] : []),
      ...this.inputs.map((x, k) => `const ${name(k)} = ${tensorText(x)};`),
      `const f = (${names.map((x) => `${x}: Tensor`).join(", ")}) => {`,
      ...lines,
      `  return ${name(count + this.#lines.length - 1)};`,
      "};",
      `console.log(String(checkGradient(f, [${names.join(", ")}])));`,
    ].join("\n");
  }
}

/** The tensor as TypeScript: `tensor([[1, 2]], { dtype: "float64" })`. */
function tensorText(x: Tensor): string {
  const options = x.dtype === "float32" ? "" : `, { dtype: "${x.dtype}" }`;
  return `tensor(${nested(evaluate([x])[0]!, x.shape, 0)[0]}${options})`;
}

function nested(data: ArrayLike<number>, shape: Shape, from: number): [text: string, to: number] {
  const [size, ...rest] = shape;
  if (size === undefined) return [Object.is(data[from], -0) ? "-0" : String(data[from]), from + 1];
  const parts: string[] = [];
  let next = from;
  for (let i = 0; i < size; i++) {
    const [text, to] = nested(data, rest, next);
    parts.push(text);
    next = to;
  }
  return [`[${parts.join(", ")}]`, next];
}
