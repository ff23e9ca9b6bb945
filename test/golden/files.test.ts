/** Reads the files that `files.py` wrote with NumPy and PyTorch. */
import { readFileSync } from "node:fs";
import { fromTypedArray, relu, type Shape, type Tensor, tanh } from "@cotangent/autograd";
import { BatchNorm1d, BatchNorm2d, Conv2d, Flatten, Linear, Sequential } from "@cotangent/nn";
import { readNpy, readNpz, readSafetensors, writeSafetensors } from "@cotangent/nn/files";
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

const listedTensor = ({ shape, data }: Listed): Tensor =>
  fromTypedArray(Float32Array.from(data, Number), shape);

function expectClose(x: Tensor, { shape, data }: Listed): void {
  expect(x.shape).toEqual(shape);
  x.toTypedArray().forEach((value: number, i: number) => {
    expect(value).toBeCloseTo(Number(data[i]), 5);
  });
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
    expectClose(model.forward(listedTensor(golden.model.x)), golden.model.y);
  });

  test("give a model with running statistics that computes the same", () => {
    const layers = [
      new Conv2d(1, 2, 3, { padding: 1 }),
      new BatchNorm2d(2),
      relu,
      new Flatten(),
      new Linear(32, 3),
    ];
    const model = new Sequential(...layers).eval();
    model.loadStateDict(readSafetensors(read("convolutional.safetensors")).tensors);
    expectClose(model.forward(listedTensor(golden.convolutional.x)), golden.convolutional.y);
  });
});

describe("safetensors of ours", () => {
  test("are the bytes that PyTorch was given, whose outputs are ours", () => {
    const model = new Sequential(new Linear(2, 3), new BatchNorm1d(3), tanh);
    let next = 0;
    // Any numbers will do; these are exact and differ from each other.
    const counted = (x: Tensor): Tensor =>
      fromTypedArray(
        x.dtype === "int32" ? Int32Array.of(3) : Float32Array.from({ length: x.size }, () => ++next / 8),
        x.shape,
      );
    const state = Object.entries(model.stateDict()).map(([name, x]) => [name, counted(x)] as const);
    model.loadStateDict(Object.fromEntries(state));
    expect(Buffer.from(writeSafetensors(model.stateDict())).equals(read("ours.safetensors"))).toBe(true);
    expectClose(model.eval().forward(listedTensor(golden.ours.x)), golden.ours.y);
  });
});
