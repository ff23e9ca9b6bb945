import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DType, dtypes, promote, tensor } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

const text = readFileSync(fileURLToPath(new URL("../../docs/semantics.md", import.meta.url)), "utf8");
const cells = (line: string) =>
  line
    .split("|")
    .map((cell) => cell.trim())
    .filter(Boolean);

describe("the promotion table of docs/semantics.md", () => {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => /^\|\s*\| bool/.test(line));
  const columns = cells(lines[head]!) as DType[];
  const rows = lines.slice(head + 2, head + 2 + dtypes.length).map(cells) as DType[][];

  test("names every dtype", () => {
    expect(columns).toEqual(dtypes);
    expect(rows.map(([dtype]) => dtype)).toEqual(dtypes);
  });

  test("says what promote and the ops do", () => {
    for (const [row, ...entries] of rows)
      entries.forEach((entry, i) => {
        const column = columns[i]!;
        expect(promote(row!, column)).toBe(entry);
        if (entry !== "bool")
          expect(tensor([1], { dtype: row! }).add(tensor([1], { dtype: column })).dtype).toBe(entry);
      });
  });
});
