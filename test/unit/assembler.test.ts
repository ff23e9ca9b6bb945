import { expect, test } from "vitest";
import { Code } from "../../packages/autograd/src/wasm/assembler.ts";

/** The whole number that bytes in LEB128 stand for, and how many bytes these are (WebAssembly Core Specification 2.0, 5.2.2). */
function decoded(bytes: Uint8Array, isSigned: boolean): { value: number; length: number } {
  let value = 0n;
  let i = 0;
  for (; i === 0 || bytes[i - 1]! > 127; i++) value |= BigInt(bytes[i]! & 127) << BigInt(7 * i);
  return { value: Number(isSigned ? BigInt.asIntN(7 * i, value) : value), length: i };
}

test("whole numbers are written in as few bytes as they need", () => {
  for (let bits = 0; bits <= 32; bits++)
    for (const value of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1].filter((x) => x < 2 ** 32)) {
      const unsigned = new Code().unsigned(value).written;
      const fewest = Math.max(1, Math.ceil(value.toString(2).length / 7));
      expect(decoded(unsigned, false), String(value)).toEqual({ value, length: fewest });
      expect(unsigned.length).toBe(fewest);
      for (const x of [value, 0 - value].filter((x) => x === (x | 0))) {
        const signed = new Code().signed(x).written;
        const least = Math.ceil(
          ((x < 0 ? -x - 1 : x).toString(2).length + (x === 0 || x === -1 ? 0 : 1)) / 7,
        );
        expect(decoded(signed, true), String(x)).toEqual({ value: x, length: least });
        expect(signed.length).toBe(least);
      }
    }
});

test("numbers of several bytes are written in the order of memory, also where the array has to grow", () => {
  const code = new Code();
  for (let i = 0; i < 100; i++) code.f32(i + 0.5).f64(-i);
  const view = new DataView(code.written.slice().buffer);
  for (let i = 0; i < 100; i++) {
    expect([view.getUint8(14 * i), view.getFloat32(14 * i + 1, true)]).toEqual([0x43, i + 0.5]);
    expect([view.getUint8(14 * i + 5), view.getFloat64(14 * i + 6, true)]).toEqual([0x44, -i]);
  }
});
