import type { DType, Shape } from "@cotangent/autograd/functional";
import { scalar, Tensor, topology, ValueError, type Variable, zeros } from "@cotangent/autograd/functional";
import { Module } from "./module.ts";
import { optionsOf } from "./options.ts";

/** What is told of a module. */
export interface SummaryRow {
  /** Where it stands: `layers.0`; the model itself has the empty path. */
  readonly path: string;
  /** Its class. */
  readonly name: string;
  /** The shapes of what its `forward` gave at the first call; none if it was not called. */
  readonly outputs: readonly Shape[];
  /** How many numbers its parameters have, those of the modules below it among them. */
  readonly parameters: number;
  /** Operations of all its calls, those of the modules below it among them. */
  readonly flops: number;
}

/** The modules of a model, with what they make and cost. Prints as a table. */
export class Summary {
  /** The model first, then its modules in the order of its fields. */
  readonly rows: readonly SummaryRow[];
  /** How many numbers the parameters have. */
  readonly parameters: number;
  /** How many numbers the buffers have. */
  readonly buffers: number;
  /** What parameters and buffers take in memory. */
  readonly bytes: number;
  /** Operations of one pass forward. */
  readonly flops: number;

  /** @internal */
  constructor(model: Module, rows: readonly SummaryRow[]) {
    const [parameters, buffers] = [model.parameters(), [...model.namedBuffers().values()]];
    this.rows = rows;
    this.parameters = sizeOf(parameters);
    this.buffers = sizeOf(buffers);
    this.bytes = [...parameters, ...buffers].reduce((sum, { size, dtype }) => sum + size * bytesOf[dtype], 0);
    this.flops = rows[0]!.flops;
  }

  /** A line for each module, and one for all of it. */
  toString(): string {
    const cells = this.rows.map(({ path, name, outputs, parameters, flops }) => {
      const depth = path === "" ? 0 : path.split(".").length;
      return [
        `${"  ".repeat(depth)}${path === "" ? "" : `${path.slice(path.lastIndexOf(".") + 1)}: `}${name}`,
        outputs.map((shape) => `[${shape.join(", ")}]`).join(" ") || "-",
        grouped(parameters),
        grouped(flops),
      ] as const;
    });
    const table = [["module", "output", "parameters", "FLOPs"] as const, ...cells];
    const width = (column: 0 | 1 | 2 | 3): number => Math.max(...table.map((row) => row[column].length));
    const widths = [width(0), width(1), width(2), width(3)] as const;
    const lines = table.map(
      ([module, output, parameters, flops]) =>
        `${module.padEnd(widths[0])}  ${output.padEnd(widths[1])}  ${parameters.padStart(widths[2])}  ${flops.padStart(widths[3])}`,
    );
    const totals = `${grouped(this.parameters)} parameters, ${grouped(this.buffers)} numbers in buffers, ${grouped(this.bytes)} bytes, ${grouped(this.flops)} FLOPs`;
    return `${lines.join("\n")}\n${totals}`;
  }
}

// What console.log calls in Node, Deno and Bun.
for (const key of ["nodejs.util.inspect.custom", "Deno.customInspect"])
  Object.defineProperty(Summary.prototype, Symbol.for(key), {
    value(this: Summary): string {
      return this.toString();
    },
  });

const bytesOf: { readonly [D in DType]: number } = { bool: 1, int32: 4, float32: 4, float64: 8 };
const sizeOf = (variables: readonly Variable[]): number => variables.reduce((sum, { size }) => sum + size, 0);
const grouped = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");

export interface SummaryOptions {
  /** The dtype of an input that is given by its shape; float32 unless given. */
  readonly dtype?: DType | undefined;
}

/**
 * What the modules of `model` make of an input of a shape (or of one or several tensors), how many parameters they have and how many
 * operations they take. Nothing is computed, and the model is as it was afterwards; it is looked at in evaluation mode.
 *
 * A product of matrices or a convolution counts one multiplication and one addition for each product, other ops one operation for
 * each element of the result (of the operand, where they add up); moving numbers, and factorizations, count nothing.
 *
 * Throws ValueError unless `model` is a module, and what its `forward` throws.
 *
 * @example
 * ```ts
 * import { tanh } from "@cotangent/autograd";
 * import { Linear, Sequential, summary } from "@cotangent/nn";
 * const model = new Sequential(new Linear(2, 3), tanh, new Linear(3, 1));
 * const { parameters, flops, rows } = summary(model, [4, 2]);
 * [parameters, flops]; // => [ 13, 100 ]
 * rows[1]; // => { path: '0', name: 'Linear', outputs: [ [ 4, 3 ] ], parameters: 9, flops: 60 }
 * ```
 */
export function summary(
  model: Module,
  input: Shape | Tensor | readonly Tensor[],
  options?: SummaryOptions,
): Summary {
  const { dtype = "float32" } = optionsOf("summary", options, { dtype: true });
  if (!(model instanceof Module))
    throw new ValueError("summary: takes a module; wrap functions in a Sequential");
  const modules = [...model.namedModules()];
  const modes = modules.map(([, module]) => module.training);
  const own = modules.map(([, module]) => Object.getOwnPropertyDescriptor(module, "forward"));
  const calls = new Map(modules.map(([, module]) => [module, { outputs: [] as Shape[], flops: 0 }]));
  try {
    for (const [, module] of modules) {
      module.training = false;
      watch(module, calls.get(module)!);
    }
    (model.forward as (...inputs: Tensor[]) => unknown)(...inputsOf(input, dtype));
  } finally {
    modules.forEach(([, module], i) => {
      module.training = modes[i]!;
      if (own[i]) Object.defineProperty(module, "forward", own[i]);
      else Reflect.deleteProperty(module, "forward");
    });
  }
  const rows = modules.map(([path, module]) => ({
    path,
    name: module.constructor.name,
    outputs: calls.get(module)!.outputs,
    parameters: sizeOf(module.parameters()),
    flops: calls.get(module)!.flops,
  }));
  return new Summary(model, rows);
}

function inputsOf(input: Shape | Tensor | readonly Tensor[], dtype: DType): readonly Tensor[] {
  if (input instanceof Tensor) return [input];
  return isTensors(input) ? input : [zeros(input as Shape, { dtype })];
}

const isTensors = (input: Shape | readonly Tensor[]): input is readonly Tensor[] =>
  input[0] instanceof Tensor;

/** Notes what `forward` of this module gives and costs. */
function watch(module: Module, call: { outputs: Shape[]; flops: number }): void {
  const plain = module.forward as (...inputs: unknown[]) => unknown;
  Object.defineProperty(module, "forward", {
    configurable: true,
    value: (...inputs: unknown[]): unknown => {
      // Nodes are numbered in the order in which they are made.
      const before = scalar(0).id;
      const result = plain.apply(module, inputs);
      const outputs = tensorsIn(result);
      if (call.outputs.length === 0) call.outputs = outputs.map(({ shape }) => shape);
      call.flops += costOf(outputs, before);
      return result;
    },
  });
}

function tensorsIn(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === "object" && result !== null ? Object.values(result).flatMap(tensorsIn) : [];
}

/** The operations of all that `outputs` are made of and that is younger than the node numbered `before`. */
function costOf(outputs: readonly Tensor[], before: number): number {
  const young = outputs.map((x) => x.node).filter(({ id }) => id > before);
  const { nodes } = topology(young, ({ id }) => id <= before);
  return nodes.reduce((sum, node) => sum + (node.id > before ? operations(node) : 0), 0);
}

function operations({ op, inputs, attributes, size }: Tensor): number {
  switch (op.kernel.kind) {
    case "pointwise":
      return size;
    case "reduce":
    case "scan":
      return inputs[0]!.size;
    case "scatter":
      return inputs[0]!.size;
    case "contract":
      return 2 * products(String(attributes.spec), inputs);
    default:
      return 0;
  }
}

/** How many products a contraction adds up: the sizes of all its indices multiplied. */
function products(spec: string, inputs: readonly Tensor[]): number {
  const sizes = new Map<string, number>();
  const operands = spec.slice(0, spec.indexOf("->")).split(",");
  operands.forEach((indices, i) => {
    [...indices].forEach((index, axis) => {
      sizes.set(index, inputs[i]!.shape[axis]!);
    });
  });
  return [...sizes.values()].reduce((product, size) => product * size, 1);
}
