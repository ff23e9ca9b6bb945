/** Reads the files that `files.py` wrote with NumPy and PyTorch. */
import { readFileSync } from "node:fs";
import { type Shape, type Tensor, tanh, tensor } from "@cotangent/autograd";
import { Linear, Sequential } from "@cotangent/nn";
import { readNpy, readNpz, readSafetensors } from "@cotangent/nn/files";
import { describe, expect, test } from "vitest";

type Entry = number | boolean | "NaN" | "Infinity" | "-Infinity";
interface Listed {
  readonly shape: Shape;
  readonly data: readonly Entry[];
}

const read = (name: string): Uint8Array => readFileSync(new URL(`files/${name}`, import.meta.url));
const golden = JSON.parse(readFileSync(new URL("files.json", import.meta.url), "utf8"));

function expectSame(x: Tensor | undefined, { shape, data }: Listed): void {
  expect(x?.shape).toEqual(shape);
  // Number("NaN") and Number(true) are what they say.
  expect([...x!.toTypedArray()]).toEqual(data.map(Number));
}

function expectAll(
  tensors: Readonly<Record<string, Tensor>>,
  contents: Readonly<Record<string, Listed>>,
): void {
  expect(Object.keys(tensors)).toEqual(Object.keys(contents));
  for (const [name, listed] of Object.entries(contents)) expectSame(tensors[name], listed);
}

describe("files of NumPy", () => {
  test.each(["stored.npz", "compressed.npz"])("%s has NumPy's arrays", (name) => {
    expectAll(readNpz(read(name)), golden[name]);
  });

  test("dtypes are those that hold all of it", () => {
    const tensors = readNpz(read("stored.npz"));
    const dtypes = ["truths", "big_u1", "little_i8", "little_f2", "big_f4", "little_f8"].map(
      (x) => tensors[x]!.dtype,
    );
    expect(dtypes).toEqual(["bool", "int32", "int32", "float32", "float32", "float64"]);
  });

  test.each(["columns.npy", "version2.npy", "version3.npy"])("%s has NumPy's array", (name) => {
    expectSame(readNpy(read(name)), golden[name]);
  });

  test("what is no array of numbers is refused", () => {
    expect(() => readNpy(read("pickled.npy"))).toThrow(
      "npy: holds pickled Python objects, which are programs",
    );
    expect(() => readNpy(read("complex.npy"))).toThrow('npy: dtype "<c16" is not read');
    expect(() => readNpy(read("structured.npy"))).toThrow("npy: the header describes a structured array");
  });
});

describe("safetensors of PyTorch", () => {
  test("of all kinds are read", () => {
    const { tensors, metadata } = readSafetensors(read("kinds.safetensors"));
    expectAll(tensors, golden["kinds.safetensors"]);
    expect(metadata).toEqual({ format: "pt", note: "line\nbreak" });
    expect(Object.values(tensors).map((x) => x.dtype)).toEqual([
      ...["float32", "float32", "float32", "float64", "bool", "float32"],
      ...["int32", "int32", "int32", "int32", "int32", "int32"],
    ]);
  });

  test("give a model that computes the same", () => {
    const model = new Sequential(new Linear(3, 5), tanh, new Linear(5, 2));
    model.loadStateDict(readSafetensors(read("model.safetensors")).tensors);
    const { x, y } = golden.model;
    const rows = Array.from({ length: 4 }, (_, i) => x.data.slice(3 * i, 3 * i + 3));
    const out = model.forward(tensor(rows));
    expect(out.shape).toEqual(y.shape);
    out.toTypedArray().forEach((value: number, i: number) => {
      expect(value).toBeCloseTo(y.data[i], 6);
    });
  });
});
