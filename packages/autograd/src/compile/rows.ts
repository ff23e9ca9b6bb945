import type { TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import { remembered } from "../memo.ts";
import type { LargeProduct } from "./matrices.ts";
import { resultsBeside, termsBeside, vectorBytes } from "./rowkernel.ts";
import type { Tool, Workspace } from "./workspace.ts";
import { newTool } from "./workspace.ts";

/** Products of one row or one column with a matrix of any size, for graphs that are interpreted. */

const tools = new Map<string, Tool>();

/** So many results in a round where terms lie side by side, and so many vectors of results where those do; then one. */
const mostResults = 4;
const mostVectors = 8;

/**
 * Computes a product of a row or a column with a matrix; false if there is no room, or if neither terms nor results lie side by side. The bits
 * are those of `contract`.
 */
export function multiplyRow(
  workspace: Workspace,
  { dtype, count: terms, places }: LargeProduct,
  x: TypedArray,
  y: TypedArray,
  out: TypedArray,
): boolean {
  const [first, second] = places.isSwapped ? [y, x] : [x, y];
  const isRow = places.x[1].list.length === 1;
  const [row, matrix] = isRow ? [first, second] : [second, first];
  const [batchRow, , rowTerms] = isRow ? places.x : places.y;
  const [batchMatrix, results, matrixTerms] = isRow ? places.y : places.x;
  const inOut = isRow ? places.out[2] : places.out[1];
  const count = results.list.length;
  const bytes = byteSize(dtype);
  const inVector = vectorBytes / bytes;
  const termsLie = rowTerms.step === 1 && matrixTerms.step === 1 && results.step !== null;
  const resultsLie =
    results.step === 1 && rowTerms.step !== null && matrixTerms.step !== null && count >= inVector;
  if (!termsLie && !resultsLie) return false;
  const [atRow, atMatrix] = [workspace.addressOf(row), workspace.addressOf(matrix)];
  const direct = workspace.has(out) && inOut.step === 1;
  const block = direct ? null : workspace.take(dtype, count);
  if (atRow < 0 || atMatrix < 0 || !(direct || block)) return false;
  const run = (parts: number) =>
    workspace.run(
      remembered(tools, `${dtype} ${termsLie} ${parts}`, () =>
        newTool([termsLie ? termsBeside(dtype, parts) : resultsBeside(dtype, parts)]),
      ),
    );
  for (let b = 0; b < batchRow.length; b++) {
    const from = atRow + bytes * (batchRow[b]! + rowTerms.list[0]!);
    const at = (i: number) => atMatrix + bytes * (batchMatrix[b]! + matrixTerms.list[0]! + i * results.step!);
    const start = places.out[0][b]! + inOut.list[0]!;
    const target = block ? block.byteOffset : out.byteOffset + bytes * start;
    if (termsLie) {
      const whole = count - (count % mostResults);
      const go = (parts: number, i: number, rounds: number) =>
        run(parts)(from, at(i), target + bytes * i, terms, bytes * results.step!, rounds);
      if (whole > 0) go(mostResults, 0, whole / mostResults);
      if (whole < count) go(1, whole, count - whole);
    } else {
      const go = (parts: number, i: number, rounds: number) =>
        run(parts)(
          from,
          at(i),
          target + bytes * i,
          terms,
          bytes * rowTerms.step!,
          bytes * matrixTerms.step!,
          rounds,
        );
      const whole = count - (count % (mostVectors * inVector));
      const single = count - (count % inVector);
      if (whole > 0) go(mostVectors, 0, whole / (mostVectors * inVector));
      if (whole < single) go(1, whole, (single - whole) / inVector);
      // The last vector overlaps the one before it: its sums are computed twice.
      if (single < count) go(1, count - inVector, 1);
    }
    if (block) for (let i = 0; i < count; i++) out[places.out[0][b]! + inOut.list[i]!] = block[i]!;
  }
  if (block) workspace.give(block);
  return true;
}
