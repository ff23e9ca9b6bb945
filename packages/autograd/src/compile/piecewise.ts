import type { Body } from "../arithmetic.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import { CompileError } from "../errors.ts";
import { arityOf, isKnown, operandOf, Tensor } from "../graph.ts";
import type { Workplace } from "../interpret.ts";
import { dtypesOf } from "../kernels.ts";
import { remembered } from "../memo.ts";
import { placeholder } from "../ops/leaf.ts";
import { trace } from "../program.ts";
import { copyParts, copyView } from "./copies.ts";
import { emitAlone } from "./emit.ts";
import { resultsOf } from "./kernel.ts";
import { largeProductOf, multiplyMatrices } from "./matrices.ts";
import { pickAlong } from "./places.ts";
import { reduceAlong } from "./reductions.ts";
import { multiplyRow } from "./rows.ts";
import { nestsOf } from "./run.ts";
import { finish } from "./steps.ts";
import type { Tool } from "./workspace.ts";
import {
  fixedLayout,
  newTool,
  placeFixed,
  refuseWorkspaces,
  type Workspace,
  withWorkspace,
} from "./workspace.ts";

/**
 * What the interpreter leaves to modules that know no shapes, with the same bits: elementwise ops, reductions, products of matrices,
 * and whatever moves elements. Graphs whose shapes differ each time are never seen twice, but their ops are.
 */

/** From so many elements on a module is faster than the kernels. */
export const fewestInPieces = 257;

/** How many elements the op has for which code is written: one loop, whose rounds are a parameter. */
const block = 1024;

/** An elementwise op for operands of some dtypes. */
interface Piece {
  readonly instructions: number;
  /** Instructions that were interpreted so far, over all elements. */
  spent: number;
  /** Its module; null if there is none, or none yet. */
  made: Made | null;
}

interface Made {
  readonly tool: Tool;
  /** The operands that it takes, in order, behind the result. */
  readonly operands: readonly number[];
  /** Elements that one round of its loop computes. */
  readonly width: number;
  /** May what lies behind the last element be anything? */
  readonly overruns: boolean;
}

export interface PieceOptions {
  /** How many instructions, over all elements, an elementwise op is interpreted before it is worth a module. */
  readonly patience?: number | undefined;
  /** Elements, one at least, from which on a module is used; `fewestInPieces` unless given. */
  readonly fewest?: number | undefined;
}

/** Runs `f` with a place where the large ones of these nodes are computed, or with none. */
export function withPieces<T>(
  nodes: readonly Tensor[],
  f: (place: Workplace | null) => T,
  { patience = 500_000, fewest = fewestInPieces }: PieceOptions = {},
): T {
  let [computed, given] = [0, 0];
  for (let n = 0; n < nodes.length; n++) {
    const node = nodes[n]!;
    if (node.size < fewest) continue;
    const bytes = node.size * byteSize(node.dtype) + 32;
    if (isKnown(node)) given += bytes;
    else computed += bytes;
  }
  if (computed + given === 0) return f(null);
  return withWorkspace(computed, given, (workspace) =>
    f(workspace && new Pieces(workspace, patience, fewest)),
  );
}

const pieces = new WeakMap<Body, Map<number, Piece>>();

class Pieces implements Workplace {
  readonly #workspace: Workspace;
  readonly #patience: number;
  readonly #fewest: number;

  constructor(workspace: Workspace, patience: number, fewest: number) {
    this.#workspace = workspace;
    this.#patience = patience;
    this.#fewest = fewest;
  }

  take(dtype: DType, size: number): TypedArray | null {
    return size < this.#fewest ? null : this.#workspace.take(dtype, size);
  }
  give(array: TypedArray): boolean {
    const isHere = array.length >= this.#fewest && this.#workspace.has(array);
    if (isHere) this.#workspace.give(array);
    else this.#workspace.forget(array);
    return isHere;
  }
  kept(array: TypedArray): TypedArray {
    return array.length < this.#fewest ? array : this.#workspace.kept(array);
  }

  compute(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): boolean {
    try {
      return this.#compute(node, inputs, out);
    } catch (error) {
      if (error instanceof WebAssembly.CompileError) refuseWorkspaces();
      // Memory can be refused later, too.
      else if (!(error instanceof RangeError)) throw error;
      return false;
    }
  }

  #compute(node: Tensor, inputs: readonly TypedArray[], out: TypedArray): boolean {
    const { kernel } = node.op;
    if (kernel.kind === "contract") {
      const product = largeProductOf(node);
      if (product === null) return false;
      const multiply = product.isOfRow ? multiplyRow : multiplyMatrices;
      return multiply(this.#workspace, product, inputs[0]!, inputs[1]!, out);
    }
    if (kernel.kind === "reduce") return this.#reduce(node, inputs[0]!, out);
    if (out.length < this.#fewest || !this.#workspace.has(out)) return false;
    // Of a table, or of all data, a part is better taken where it lies.
    if (inputs.length > 0 && inputs[0]!.length > 4 * out.length && !this.#workspace.has(inputs[0]!))
      return false;
    switch (kernel.kind) {
      case "pointwise":
        return this.#runPiece(node, kernel.body, inputs, out);
      case "view":
        return copyView(this.#workspace, node, kernel.map, inputs[0]!, out);
      case "concatenate":
        return copyParts(this.#workspace, node, inputs, out);
      case "gather":
      case "scatter":
        return pickAlong(this.#workspace, node, inputs, out);
      default:
        return false;
    }
  }

  #runPiece(node: Tensor, body: Body, inputs: readonly TypedArray[], out: TypedArray): boolean {
    const piece = remembered(
      remembered(pieces, body, () => new Map()),
      dtypesOf(node),
      () => newPiece(node, body),
    );
    if (piece.spent <= this.#patience) {
      piece.spent += piece.instructions * out.length;
      if (piece.spent > this.#patience) piece.made = madeOf(node);
    }
    if (piece.made === null) return false;
    const { tool, operands, width, overruns } = piece.made;
    const numbers = [out.byteOffset];
    for (const i of operands) {
      const address = this.#workspace.addressOf(inputs[i]!);
      if (address < 0) return false;
      if (!overruns) this.#workspace.repeatLast(address, operandOf(node, i)!.dtype, out.length, width);
      numbers.push(address);
    }
    numbers.push(Math.ceil(out.length / width));
    this.#workspace.run(tool)(...numbers);
    return true;
  }

  /** A result of few elements lies elsewhere. */
  #reduce(node: Tensor, x: TypedArray, out: TypedArray): boolean {
    if (x.length < this.#fewest || out.length === 0) return false;
    if (this.#workspace.has(out)) return reduceAlong(this.#workspace, node, x, out);
    const target = this.#workspace.take(node.dtype, out.length);
    if (target === null) return false;
    const isDone = reduceAlong(this.#workspace, node, x, target);
    if (isDone) out.set(target);
    this.#workspace.give(target);
    return isDone;
  }
}

function newPiece({ inputs, dtype }: Tensor, body: Body): Piece {
  const operands = inputs.map((x) => x.dtype);
  return { instructions: trace(body, operands, dtype).instructions.length, spent: 0, made: null };
}

/** Null for what does not become one loop. */
function madeOf(node: Tensor): Made | null {
  const inputs = Array.from({ length: arityOf(node) }, (_, i) =>
    placeholder([block], operandOf(node, i)!.dtype),
  );
  const output = new Tensor(node.op, inputs, node.attributes, [block], node.dtype);
  try {
    const [nest, ...rest] = finish(nestsOf({ inputs, states: [], outputs: [output], updates: [] })).nests;
    if (!nest || rest.length > 0 || nest.form.kind !== "map" || nest.counts.length !== 1) return null;
    const { nodes } = nest.kernel;
    const operands = nodes.slice(1).map((x) => inputs.indexOf(x));
    if (resultsOf(nest.kernel).length !== 1 || operands.includes(-1) || nest.unrolled.results) return null;
    if (!placeFixed([nest])) return null;
    const { width = 1, overruns = true } = nest.vector ?? {};
    return { tool: newTool(emitAlone(nest, fixedLayout)), operands, width, overruns };
  } catch (error) {
    if (error instanceof CompileError) return null;
    throw error;
  }
}
