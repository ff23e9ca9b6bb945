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
      fc.array(number, { maxLength: 300 }),
      fc.constantFrom(...arrays),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      (numbers, Elements, descending, step) => {
        const lists = [numbers, numbers.map((x) => -x)];
        const sorter = new Sorter(numbers.length, descending);
        for (const list of lists) {
          const data = new Elements(1 + step * list.length);
          for (const [i, x] of list.entries()) data[1 + i * step] = x;
          const elements = list.map((_, i) => data[1 + i * step]!);
          expect([...sorter.sort(data, 1, step)]).toEqual(sorted(elements, descending));
        }
      },
    ),
  );
});
