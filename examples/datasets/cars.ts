import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dataPackage } from "./npm.ts";

/** A car of 1970 to 1982. */
export interface Car {
  readonly name: string;
  /** Miles per gallon. */
  readonly mileage: number;
  readonly cylinders: number;
  /** Cubic inches. */
  readonly displacement: number;
  readonly horsepower: number;
  /** Pounds. */
  readonly weight: number;
  /** Seconds from 0 to 60 miles per hour. */
  readonly acceleration: number;
  readonly year: number;
  readonly origin: string;
}

/** The cars of the StatLib library of which nothing is unknown (Quinlan 1993). */
export async function cars(): Promise<Car[]> {
  const folder = await dataPackage("vega-datasets", "3.2.1", "42 MB");
  const rows = JSON.parse(await readFile(join(folder, "data", "cars.json"), "utf8")) as Record<
    string,
    unknown
  >[];
  return rows
    .map((row) => ({
      name: String(row.Name),
      mileage: Number(row.Miles_per_Gallon ?? Number.NaN),
      cylinders: Number(row.Cylinders),
      displacement: Number(row.Displacement),
      horsepower: Number(row.Horsepower ?? Number.NaN),
      weight: Number(row.Weight_in_lbs),
      acceleration: Number(row.Acceleration),
      year: Number(String(row.Year).slice(0, 4)),
      origin: String(row.Origin),
    }))
    .filter(({ mileage, horsepower }) => Number.isFinite(mileage) && Number.isFinite(horsepower));
}
