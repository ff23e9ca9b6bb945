import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../../docs/api/", import.meta.url);

/** Properties that may be missing, in the declarations of an entry: `readonly name?: ...;`, over several lines too. */
function optionalProperties(text: string): string[] {
  const found: string[] = [];
  for (const { index, 0: start } of text.matchAll(/readonly \w+\?: /g)) {
    let depth = 0;
    let end = index + start.length;
    for (; depth > 0 || !/[;}]/.test(text[end]!); end++) {
      if ("{(<[".includes(text[end]!)) depth++;
      if ("})]".includes(text[end]!) || (text[end] === ">" && text[end - 1] !== "=")) depth--;
    }
    found.push(text.slice(index, end));
  }
  return found;
}

// Programs that are checked with exactOptionalPropertyTypes may pass on what they were not given: `{ bias: options.bias }`.
test("options may be undefined", () => {
  const properties = readdirSync(folder).flatMap((name) =>
    optionalProperties(readFileSync(new URL(name, folder), "utf8")),
  );
  expect(properties.length).toBeGreaterThan(500);
  expect(properties.filter((text) => !/[:|] undefined$/.test(text.trim()))).toEqual([]);
});
