import type { TypedArray } from "../dtype.ts";
import { byteSize } from "../dtype.ts";
import type { Kernel, Tensor } from "../graph.ts";
import { stridesOf } from "../shape.ts";
import { Code } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import { loads, stores } from "./words.ts";
import type { Tool, Workspace } from "./workspace.ts";
import { newTool } from "./workspace.ts";

/** Copies between arrays whose axes lie in other ways, for graphs that are interpreted: functions that know no shapes. */

/** An axis to copy along: how many entries, and the bytes from one to the next where they come from and where they go. */
export interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Bytes of one element. */
export type ElementBytes = 1 | 4 | 8;

/** A dtype of so wide elements; loads and stores keep the bits of all. */
const dtypes = { 1: "bool", 4: "int32", 8: "float64" } as const;

/**
 * The function `(to, from, planes, toPlane, fromPlane, rows, toRow, fromRow, columns, fromColumn)`: addresses, counts, and bytes from one to the
 * next. The columns lie side by side where they go.
 */
function copier(bytes: ElementBytes): Code {
  const code = new Code(new Array<"i32">(10).fill("i32"));
  const [to, from, planes, toPlane, fromPlane, rows, toRow, fromRow, columns, fromColumn] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ] as const;
  const [source, target, sourceRow, targetRow, end, row] = Array.from({ length: 6 }, () =>
    code.take("i32"),
  ) as [number, number, number, number, number, number];
  /** Runs `round` while `target` is not `end`; at least once unless it is there. */
  const untilEnd = (round: () => void) => {
    code.block().get(target).get(end).op(i32.eq).branchIf(0).loop();
    round();
    code.get(target).get(end).op(i32.ne).branchIf(0).end().end();
  };
  const element = () =>
    code.get(target).get(source).memory(loads[dtypes[bytes]], 0).memory(stores[dtypes[bytes]], 0);
  const eachRow = (copyRow: () => void) => {
    code.loop();
    code.get(to).set(targetRow).get(from).set(sourceRow).get(rows).set(row).loop();
    code.get(targetRow).set(target).get(sourceRow).set(source);
    copyRow();
    code.advance(targetRow, { local: toRow });
    code.advance(sourceRow, { local: fromRow });
    code.get(row).i32(1).op(i32.sub).tee(row).branchIf(0).end();
    code.advance(to, { local: toPlane });
    code.advance(from, { local: fromPlane });
    code.get(planes).i32(1).op(i32.sub).tee(planes).branchIf(0).end();
  };
  code.get(fromColumn).i32(bytes).op(i32.eq).if(null);
  eachRow(() => {
    // Whole vectors first.
    code.get(target).get(columns).i32(bytes).op(i32.mul).i32(-16).op(i32.and).op(i32.add).set(end);
    untilEnd(() => {
      code.get(target).get(source).vectorMemory(simd.load, 0, 0).vectorMemory(simd.store, 0, 0);
      code.advance(target, 16);
      code.advance(source, 16);
    });
    code.get(targetRow).get(columns).i32(bytes).op(i32.mul).op(i32.add).set(end);
    untilEnd(() => {
      element();
      code.advance(target, bytes);
      code.advance(source, bytes);
    });
  });
  code.else();
  eachRow(() => {
    code.get(target).get(columns).i32(bytes).op(i32.mul).op(i32.add).set(end);
    untilEnd(() => {
      element();
      code.advance(target, bytes);
      code.advance(source, { local: fromColumn });
    });
  });
  return code.end();
}

const tools = new Map<ElementBytes, Tool>();

function toolFor(bytes: ElementBytes): Tool {
  let tool = tools.get(bytes);
  if (!tool) {
    tool = newTool([copier(bytes).titled("copy")]);
    tools.set(bytes, tool);
  }
  return tool;
}

const single: Axis = { size: 1, from: 0, to: 0 };

/** Copies elements of so many bytes from one address to another, along axes of which the last one goes to neighbours. */
export function copyAlong(
  workspace: Workspace,
  bytes: ElementBytes,
  from: number,
  to: number,
  axes: readonly Axis[],
): void {
  const joint = joined(axes);
  if (joint[joint.length - 1]?.to !== bytes) joint.push({ size: 1, from: bytes, to: bytes });
  if (joint.some(({ size }) => size === 0)) return;
  const run = workspace.run(toolFor(bytes));
  const outer = joint.length - 3;
  const [plane = single, row = single, column] = [joint[outer], joint[outer + 1], joint[outer + 2]!];
  const copy = (axis: number, source: number, target: number): void => {
    if (axis < outer) {
      const { size, from: step, to: targetStep } = joint[axis]!;
      for (let i = 0; i < size; i++) copy(axis + 1, source + i * step, target + i * targetStep);
    } else
      run(
        target,
        source,
        plane.size,
        plane.to,
        plane.from,
        row.size,
        row.to,
        row.from,
        column.size,
        column.from,
      );
  };
  copy(0, from, to);
}

/** The same way with as few axes as there can be. */
export function joined(axes: readonly Axis[]): Axis[] {
  const joint: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const last = joint[joint.length - 1];
    if (last && last.from === axis.from * axis.size && last.to === axis.to * axis.size)
      joint[joint.length - 1] = { ...axis, size: last.size * axis.size };
    else joint.push(axis);
  }
  return joint;
}

/** Computes a view; false if there is no room. */
export function copyView(
  workspace: Workspace,
  { dtype, shape, inputs, attributes }: Tensor,
  map: Extract<Kernel, { kind: "view" }>["map"],
  x: TypedArray,
  out: TypedArray,
): boolean {
  const bytes = byteSize(dtype);
  const address = workspace.addressOf(x);
  if (address < 0) return false;
  const { offset, strides, bounds } = map(inputs[0]!.shape, attributes);
  const outStrides = stridesOf(shape);
  let [from, to] = [offset, 0];
  const axes = shape.map((size, axis): Axis => {
    const [begin, end] = bounds?.[axis] ?? [0, size];
    from += begin * strides[axis]!;
    to += begin * outStrides[axis]!;
    return { size: end - begin, from: bytes * strides[axis]!, to: bytes * outStrides[axis]! };
  });
  if (bounds) out.fill(0);
  copyAlong(workspace, bytes, address + bytes * from, out.byteOffset + bytes * to, axes);
  return true;
}

/** Puts the operands of a concatenation side by side; false if there is no room. */
export function copyParts(
  workspace: Workspace,
  { dtype, shape, inputs, attributes }: Tensor,
  parts: readonly TypedArray[],
  out: TypedArray,
): boolean {
  const bytes = byteSize(dtype);
  const axis = Number(attributes.axis);
  const addresses = parts.map((x) => workspace.addressOf(x));
  if (addresses.some((address) => address < 0)) return false;
  const outStrides = stridesOf(shape);
  let to = out.byteOffset;
  inputs.forEach(({ shape: own }, k) => {
    const strides = stridesOf(own);
    const axes = own.map((size, i) => ({ size, from: bytes * strides[i]!, to: bytes * outStrides[i]! }));
    copyAlong(workspace, bytes, addresses[k]!, to, axes);
    to += bytes * own[axis]! * outStrides[axis]!;
  });
  return true;
}
