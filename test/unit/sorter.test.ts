import fc from "fast-check";
import { expect, test } from "vitest";
import { Sorter } from "../../packages/autograd/src/sorter.ts";

/** The order as the definition says it. */
function sorted(data: ArrayLike<number>, descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  const compare = (a: number, b: number) =>
    Number.isNaN(a) || Number.isNaN(b)
      ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
      : a < b
        ? -1
        : Number(a > b);
  return Array.from(data, (_, i) => i).sort((i, j) => sign * compare(data[i]!, data[j]!) || i - j);
}

const number = fc.oneof(
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, -5e-324, 2 ** -149, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer({ min: -3, max: 300 }),
  fc.double(),
);
const arrays = [Float32Array, Float64Array, Int32Array, Uint8Array];

test("the order of a Sorter is that of a comparison, of equal elements that of their places", () => {
  fc.assert(
    fc.property(
      fc.array(number, { maxLength: 900, size: "max" }),
      fc.constantFrom(...arrays),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 100 }),
      (numbers, Elements, descending, step, percent) => {
        const size = numbers.length;
        const count = Math.round((percent * size) / 100);
        const data = new Elements(2 + 2 * step * size).subarray(1);
        const lists = [numbers, numbers.map((x) => -x)];
        const starts = [1, 1 + step * size];
        for (const [k, list] of lists.entries())
          for (const [i, x] of list.entries()) data[starts[k]! + i * step] = x;
        const all = new Sorter(data, size, descending);
        const first = new Sorter(data, size, descending, count);
        for (const start of starts) {
          const order = sorted(
            numbers.map((_, i) => data[start + i * step]!),
            descending,
          );
          expect([...all.sort(start, step)]).toEqual(order);
          expect([...first.sort(start, step).subarray(0, count)]).toEqual(order.slice(0, count));
          if (count > 0) expect(first.last(start, step)).toBe(order[count - 1]);
        }
      },
    ),
  );
});
