import type { DType, TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { remembered } from "../memo.ts";
import { stridesOf } from "../shape.ts";
import { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import { joined } from "./copies.ts";
import { loads, stores } from "./words.ts";
import type { Tool, Workspace } from "./workspace.ts";
import { newTool } from "./workspace.ts";

/** Gathering and scattering, for graphs that are interpreted: functions that know no shapes. */

/**
 * The function `(place, element, index, rows, placeRow, columns, placeColumn, size, stride)`. Elements and indices lie side by side; where the
 * elements go to or come from, an index counts steps of `stride` bytes from a place that moves along rows and columns. Returns 1 as soon as
 * an index is not below `size`, else 0.
 */
function eachElement(dtype: DType, isScatter: boolean): Code {
  const code = new Code(new Array<"i32">(9).fill("i32"), ["i32"]);
  const [place, element, index, rows, placeRow, columns, placeColumn, size, stride] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8,
  ] as const;
  const [at, column, left] = [code.take("i32"), code.take("i32"), code.take("i32")];
  code.loop().get(place).set(column).get(columns).set(left).loop();
  code.get(index).memory(loads.int32, 0).tee(at);
  code.get(size).op(i32.lessUnsigned).op(i32.eqz).if(null).i32(1).op(returned).end();
  code.get(at).get(stride).op(i32.mul).get(column).op(i32.add).set(at);
  const load = (from: number) => code.get(from).memory(loads[dtype], 0);
  if (isScatter) {
    code.get(at);
    load(at);
    load(element).op(adds[dtype]);
  } else {
    code.get(element);
    load(at);
  }
  code.memory(stores[dtype], 0);
  code.advance(element, byteSize(dtype)).advance(index, 4).advance(column, { local: placeColumn });
  code.get(left).i32(1).op(i32.sub).tee(left).branchIf(0).end();
  code.advance(place, { local: placeRow });
  code.get(rows).i32(1).op(i32.sub).tee(rows).branchIf(0).end();
  return code.i32(0).titled(isScatter ? "scatter" : "gather");
}

const returned = 0x0f;
const adds: Record<DType, number> = { bool: i32.add, int32: i32.add, float32: 0x92, float64: 0xa0 };

const tools = new Map<string, Tool>();

/** Computes a gather or a scatter; false if there is no room, or an index lies outside. */
export function pickAlong(
  workspace: Workspace,
  node: Tensor,
  inputs: readonly TypedArray[],
  out: TypedArray,
): boolean {
  const { dtype, attributes } = node;
  const isScatter = node.op.kernel.kind === "scatter";
  const [x, index] = inputs as readonly [TypedArray, TypedArray];
  const { shape } = node.inputs[0]!;
  const axis = Number(attributes.axis);
  const [whole, elements] = isScatter ? [node.shape, shape] : [shape, node.shape];
  const bytes = byteSize(dtype);
  const strides = stridesOf(whole);
  const own = stridesOf(elements);
  const [atX, atIndex] = [workspace.addressOf(x), workspace.addressOf(index)];
  if (atX < 0 || atIndex < 0) return false;
  if (isScatter) out.fill(0);
  const joint = joined(
    elements.map((size, i) => ({ size, from: i === axis ? 0 : bytes * strides[i]!, to: bytes * own[i]! })),
  );
  if (joint.some(({ size }) => size === 0)) return true;
  const run = workspace.run(
    remembered(tools, `${dtype} ${isScatter}`, () => newTool([eachElement(dtype, isScatter)])),
  );
  const [places, parts] = isScatter ? [out.byteOffset, atX] : [atX, out.byteOffset];
  const outer = joint.length - 2;
  const single = { size: 1, from: 0, to: 0 };
  const [row, column] = [joint[outer] ?? single, joint[outer + 1] ?? single];
  const visit = (level: number, place: number, element: number): boolean => {
    if (level >= outer) {
      const at = atIndex + ((element - parts) / bytes) * 4;
      const [rows, columns] = [row.size, column.size];
      return (
        run(
          place,
          element,
          at,
          rows,
          row.from,
          columns,
          column.from,
          whole[axis]!,
          bytes * strides[axis]!,
        ) === 0
      );
    }
    const { size, from, to } = joint[level]!;
    for (let i = 0; i < size; i++) if (!visit(level + 1, place + i * from, element + i * to)) return false;
    return true;
  };
  return visit(0, places, parts);
}
