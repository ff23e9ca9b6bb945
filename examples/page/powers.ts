/** Powers of ten, for logarithmic scales. */

/** The powers of ten from `low` to `high`, or every so many of them, so that there is room for their names. */
export function powersOfTen(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const every = Math.ceil((last - first + 1) / 8);
  const exponents = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return exponents.filter((exponent) => exponent % every === 0).map((exponent) => 10 ** exponent);
}

/** `10⁻³` for 0.001. */
export function power(x: number): string {
  const exponent = Math.round(Math.log10(x));
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!);
  return exponent === 0 ? "1" : `10${exponent < 0 ? "⁻" : ""}${digits}`;
}
