import type { Body } from "../arithmetic.ts";
import type { TypedArray } from "../dtype.ts";
import { CompileError } from "../errors.ts";
import { arityOf, operandOf, Tensor } from "../graph.ts";
import type { Computer } from "../kernels.ts";
import { dtypesOf } from "../kernels.ts";
import { remembered } from "../memo.ts";
import { placeholder } from "../ops/leaf.ts";
import { trace } from "../program.ts";
import { multiplyMatrices } from "./matrices.ts";
import type { Executable } from "./run.ts";
import { build } from "./run.ts";
import { finish } from "./steps.ts";

/**
 * What the interpreter leaves to modules that know no shapes, with the same bits: products of matrices, and elementwise ops, each by a
 * program for a block of elements. Graphs whose shapes differ each time are never seen twice, but their ops are.
 */

/** Elements of a block. */
const block = 1024;

/** An elementwise op for operands of some dtypes. */
interface Piece {
  readonly instructions: number;
  spent: number;
  /** Null if there is none, or none yet. */
  program: Executable | null;
}

/**
 * Computes nodes where it can do so faster than the interpreter. An elementwise op is worth a program once it was interpreted for
 * `patience` instructions, over all elements.
 */
export function piecewise(patience = 3_000_000): Computer {
  const pieces = new WeakMap<Body, Map<number, Piece>>();
  return (node, inputs, out) => {
    const { kernel } = node.op;
    if (kernel.kind === "contract") return multiplyMatrices(node, inputs[0]!, inputs[1]!, out);
    // Less than a quarter of a block would cost more than it gives.
    if (kernel.kind !== "pointwise" || out.length < block / 4) return false;
    const piece = remembered(
      remembered(pieces, kernel.body, () => new Map()),
      dtypesOf(node),
      () => newPiece(node, kernel.body),
    );
    if (piece.spent <= patience) {
      piece.spent += piece.instructions * out.length;
      if (piece.spent > patience) piece.program = programOf(node);
    }
    if (piece.program === null) return false;
    run(piece.program, inputs, out);
    return true;
  };
}

function newPiece({ inputs, dtype }: Tensor, body: Body): Piece {
  const operands = inputs.map((x) => x.dtype);
  return { instructions: trace(body, operands, dtype).instructions.length, spent: 0, program: null };
}

/** Null where WebAssembly, or memory, is refused. */
function programOf(node: Tensor): Executable | null {
  const inputs = Array.from({ length: arityOf(node) }, (_, i) =>
    placeholder([block], operandOf(node, i)!.dtype),
  );
  const output = new Tensor(node.op, inputs, node.attributes, [block], node.dtype);
  try {
    return finish(build({ inputs, states: [], outputs: [output], updates: [] }, { relaxed: false }));
  } catch (error) {
    if (
      error instanceof CompileError ||
      error instanceof WebAssembly.CompileError ||
      error instanceof RangeError
    )
      return null;
    throw error;
  }
}

/** Behind the last element lies what was there before, which no op minds. */
function run(
  { inputs, outputs, run: compute }: Executable,
  operands: readonly TypedArray[],
  out: TypedArray,
): void {
  const result = outputs[0]!;
  for (let start = 0; start < out.length; start += block) {
    const end = Math.min(start + block, out.length);
    for (let i = 0; i < inputs.length; i++) inputs[i]!.set(operands[i]!.subarray(start, end));
    compute();
    out.set(end - start < block ? result.subarray(0, end - start) : result, start);
  }
}
