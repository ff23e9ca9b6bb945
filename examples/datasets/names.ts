import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dataPackage } from "./npm.ts";

/** Some 8,800 first names in English, in lower case: those that are made of the letters from a to z. */
export async function firstNames(): Promise<string[]> {
  const files = ["female", "male"].map(async (kind) => {
    const folder = await dataPackage(`@stdlib/datasets-${kind}-first-names-en`, "0.2.3", "2 MB");
    return readFile(join(folder, "data", "names.txt"), "utf8");
  });
  const lines = (await Promise.all(files)).join("\n").toLowerCase().split(/\r?\n/);
  return [...new Set(lines)].filter((name) => /^[a-z]+$/.test(name)).sort();
}
