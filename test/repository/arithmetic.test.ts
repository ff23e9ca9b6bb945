import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../../packages", import.meta.url));

/** What the language defines to the last bit. Logarithms, powers, sines are "implementation-approximated" (ECMAScript 2023, 21.3). */
const exact = new Set(
  "PI SQRT2 SQRT1_2 LN2 LN10 LOG2E LOG10E E abs ceil clz32 floor fround imul max min round sign sqrt trunc".split(
    " ",
  ),
);

/** The lines of a file that compute with more. `2 ** n` is exact for whole `n` in every engine. */
function approximate(code: string): string[] {
  const bare = code
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/\/\/.*|"(?:[^"\\\n]|\\.)*"/g, "");
  return bare.split("\n").filter((line) => {
    const names = [...line.matchAll(/\bMath\s*\.\s*(\w+)/g)].map((match) => match[1]!);
    return names.some((name) => !exact.has(name)) || /(?<!\b2\s?)\*\*/.test(line);
  });
}

describe("engines differ in the last bit of what the language leaves to them", () => {
  for (const name of ["autograd", "nn"])
    test(`so ${name} does not use it`, () => {
      const folder = join(packages, name, "src");
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
        file.endsWith(".ts"),
      );
      expect(files.length).toBeGreaterThan(80);
      const found = files.flatMap((file) =>
        approximate(readFileSync(join(folder, file), "utf8")).map((line) => `${file}: ${line.trim()}`),
      );
      expect(found).toEqual([]);
    });

  test("and it would be found", () => {
    expect(approximate("const a = Math.log(2);\nconst b = 2 ** n + x ** 2;\nc **= 2;")).toHaveLength(3);
    expect(approximate("angles.map(Math.sin)")).toHaveLength(1);
    expect(approximate("/** Math.log(x) ** 2 */ 2 ** 5 * Math.sqrt(x) // x ** 2")).toEqual([]);
    expect(approximate('const a = "x ** 2";')).toEqual([]);
  });
});
