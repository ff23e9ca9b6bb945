import { readFileSync } from "node:fs";
import { ones, ShapeError, type Tensor, tanh, tensor, ValueError, zeros } from "@cotangent/autograd";
import {
  Adagrad,
  Adam,
  AdamW,
  Buffer,
  Linear,
  Module,
  ModuleDict,
  type Optimizer,
  Parameter,
  RMSprop,
  Sequential,
  SGD,
  type StateDict,
} from "@cotangent/nn";
import { readSafetensors, writeSafetensors } from "@cotangent/nn/files";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

class Attention extends Module {
  readonly inProjWeight = new Parameter(ones([2, 2]));
  readonly outProj = new Linear(2, 2, { bias: false });
  readonly runningMean = new Buffer(zeros([2]));
  readonly numBatchesTracked = new Buffer(tensor(0, { dtype: "int32" }));
  readonly weightIhL0Reverse = new Parameter(ones([1]));

  forward(x: Tensor): Tensor {
    return this.outProj.forward(x);
  }
}

class Passing extends Module {
  readonly allHeads: Module;
  constructor(heads: Module) {
    super();
    this.allHeads = heads;
  }
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** A module with a parameter at each path. */
class Paths extends Module {
  readonly #fields: [string, unknown][] = [];

  constructor(paths: Iterable<string>) {
    super();
    for (const path of paths) {
      const [first, ...rest] = path.split(".");
      const parameter = new Parameter(ones([1]));
      this.#fields.push([first!, rest.length > 0 ? new Paths([rest.join(".")]) : parameter]);
    }
  }
  protected override fields(): [string, unknown][] {
    return this.#fields;
  }
  forward(): void {}
}

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const nameOf = (path: string): string => Object.keys(new Paths([path]).stateDict())[0]!;
const contents = (state: StateDict): object =>
  Object.fromEntries(Object.entries(state).map(([name, x]) => [name, x.toArray()]));

describe("a state dict", () => {
  test("has parameters and buffers under PyTorch's names", () => {
    expect(Object.keys(new Sequential(tanh, new Attention()).stateDict())).toEqual([
      "1.in_proj_weight",
      "1.out_proj.weight",
      "1.running_mean",
      "1.num_batches_tracked",
      "1.weight_ih_l0_reverse",
    ]);
  });

  test("turns names into PyTorch's and back without loss", () => {
    const letters = [..."aAbBzZ019_"];
    const text = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 });
    const camel = text.filter((name) => !/_[a-z]/.test(name));
    const snake = text.filter((name) => !/[A-Z]|^_|__/.test(name));
    fc.assert(fc.property(camel, (name) => camelCase(nameOf(name)) === name));
    fc.assert(fc.property(snake, (name) => nameOf(camelCase(name)) === name));
    fc.assert(
      fc.property(
        fc.array(camel, { minLength: 1 }),
        (names) => nameOf(names.join(".")) === names.map(nameOf).join("."),
      ),
    );
  });

  test("leaves names that begin with a capital, and capitals behind a line, as they are", () => {
    const names = ["Wa.weight", "W_q.weight", "UNet", "0.I", "linear_Q", "_x", "a__b"];
    expect(Object.keys(new Paths(names).stateDict())).toEqual(names);
  });

  test("reaches every name of PyTorch's modules", () => {
    const golden = JSON.parse(readFileSync(new URL("../golden/files.json", import.meta.url), "utf8"));
    const names: string[] = golden.names;
    expect(names.length).toBe(33);
    expect(Object.keys(new Paths(names.map(camelCase)).stateDict())).toEqual(names);
  });

  test("lists what stands in two places twice, and ends in a circle", () => {
    const layer = new Linear(1, 1, { bias: false });
    expect(Object.keys(new Sequential(layer, layer).stateDict())).toEqual(["0.weight", "1.weight"]);
    const model = new Attention() as Attention & { self?: unknown };
    model.self = model;
    expect(Object.keys(model.stateDict()).length).toBe(5);
  });

  test("leaves the names of a ModuleDict as they are", () => {
    const heads = new ModuleDict({ convA: new Linear(1, 1, { bias: false }) });
    expect(Object.keys(new Sequential(new Passing(heads)).stateDict())).toEqual(["0.all_heads.convA.weight"]);
  });

  test("is a snapshot that training does not change", () => {
    const layer = new Linear(1, 1, { bias: false });
    layer.weight.assign(tensor([[2]]));
    const state = layer.stateDict();
    new SGD(layer.parameters(), { lr: 1 }).step(layer.forward(tensor([[1]])).sum());
    expect([contents(state), layer.weight.item()]).toEqual([{ weight: [[2]] }, 1]);
    layer.loadStateDict(state);
    expect(layer.weight.item()).toBe(2);
  });

  test("refuses two fields of one name", () => {
    expect(() => new Paths(["aB", "a_b"]).stateDict()).toThrow(
      "Paths: two fields are called a_b in a state dict; rename a_b",
    );
  });
});

describe("loading a state dict", () => {
  test("gives a model the values of another", () => {
    const [one, other] = [new Attention(), new Attention()];
    one.runningMean.assign(tensor([3, 4]));
    one.numBatchesTracked.assign(7);
    expect(other.loadStateDict(one.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(contents(other.stateDict())).toEqual(contents(one.stateDict()));
  });

  test("lists all that does not fit, and changes nothing", () => {
    const model = new Attention();
    const before = contents(model.stateDict());
    const state = {
      in_proj_weight: zeros([2, 3]),
      running_mean: zeros([2]),
      runningMean: zeros([2]),
      "a.b": ones([1]),
    };
    const load = () => model.loadStateDict({ ...state, num_batches_tracked: 3 as unknown as Tensor });
    expect(load).toThrow(ValueError);
    expect(load).toThrow(
      [
        "Attention: the state dict does not fit, and nothing was loaded",
        "  in_proj_weight has shape [2, 3] and not [2, 2]",
        "  num_batches_tracked is 3, no tensor",
        "  missing: out_proj.weight, weight_ih_l0_reverse",
        "  unexpected: runningMean, a.b",
      ].join("\n"),
    );
    expect(load).not.toThrow("strict");
    expect(() => model.loadStateDict({})).toThrow("  pass { strict: false } to load what is there");
    expect(contents(model.stateDict())).toEqual(before);
  });

  test("that is not strict tells the names, but refuses shapes and dtypes", () => {
    const model = new Attention();
    const given = { running_mean: tensor([5, 6]), other: ones([1]) };
    expect(model.loadStateDict(given, { strict: false })).toEqual({
      missingKeys: ["in_proj_weight", "out_proj.weight", "num_batches_tracked", "weight_ih_l0_reverse"],
      unexpectedKeys: ["other"],
    });
    expect(model.runningMean.toArray()).toEqual([5, 6]);
    const load = (state: StateDict) => () => model.loadStateDict(state, { strict: false });
    expect(load({ running_mean: ones([1, 2]) })).toThrow(ShapeError);
    expect(load({ running_mean: tensor([1, 2], { dtype: "int32" }) })).toThrow(
      "running_mean is int32 and not float32",
    );
    expect(load({ running_mean: tensor([1, 2], { dtype: "float64" }) })()).toMatchObject({
      unexpectedKeys: [],
    });
    expect(model.runningMean.toArray()).toEqual([1, 2]);
    expect(() => model.loadStateDict(null as unknown as StateDict)).toThrow(ValueError);
  });

  test("takes one of the names of what stands in two places", () => {
    const layer = new Linear(1, 1, { bias: false });
    const model = new Sequential(layer, layer);
    expect(model.loadStateDict({ "1.weight": tensor([[4]]) })).toEqual({
      missingKeys: [],
      unexpectedKeys: [],
    });
    expect(layer.weight.item()).toBe(4);
  });

  test("does not take what objects inherit for a name", () => {
    expect(() => new Paths(["constructor"]).loadStateDict({})).toThrow("missing: constructor");
  });
});

describe("the state dict of an optimizer", () => {
  const makers: [string, (parameters: Parameter[]) => Optimizer & { lr: number }][] = [
    [
      "SGD",
      (parameters) => new SGD(parameters, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
    ],
    ["Adam", (parameters) => new Adam(parameters, { lr: 0.1, amsgrad: true })],
    ["AdamW", (parameters) => new AdamW(parameters, { lr: 0.1 })],
    ["RMSprop", (parameters) => new RMSprop(parameters, { lr: 0.1, centered: true, momentum: 0.5 })],
    ["Adagrad", (parameters) => new Adagrad(parameters, { lr: 0.1, lrDecay: 0.1 })],
  ];
  const steps = (model: Linear, optimizer: Optimizer, count: number): void => {
    for (let i = 0; i < count; i++)
      optimizer.step(
        model
          .forward(tensor([[1, 2]]))
          .square()
          .sum(),
      );
  };
  const through = (state: StateDict): StateDict => readSafetensors(writeSafetensors(state)).tensors;

  test.each(makers)("lets a new %s go on with the same bits", (_, make) => {
    const model = new Linear(2, 2);
    const first = through(model.stateDict());
    const optimizer = make(model.parameters());
    steps(model, optimizer, 3);
    optimizer.lr = 0.03;
    const states = [through(model.stateDict()), through(optimizer.stateDict())] as const;
    steps(model, optimizer, 4);

    const other = new Linear(2, 2);
    other.loadStateDict(first);
    const resumed = make(other.parameters());
    steps(other, resumed, 1);
    other.loadStateDict(states[0]);
    resumed.loadStateDict(states[1]);
    expect(resumed.lr).toBe(0.03);
    steps(other, resumed, 4);
    expect(contents(other.stateDict())).toEqual(contents(model.stateDict()));
    expect(contents(resumed.stateDict())).toEqual(contents(optimizer.stateDict()));
  });

  test("of another kind, or with numbers out of range, is refused and changes nothing", () => {
    const parameters = new Linear(1, 1).parameters();
    const [adam, sgd] = [new Adam(parameters), new SGD(parameters, { lr: 0.1 })];
    expect(() => sgd.loadStateDict(adam.stateDict())).toThrow(
      "SGD: the state dict does not fit, and nothing was loaded",
    );
    expect(() => sgd.loadStateDict(adam.stateDict())).not.toThrow("strict");
    expect(() => sgd.loadStateDict({ step: zeros([], { dtype: "int32" }) })).toThrow("missing: lr");
    const wrong = { ...sgd.stateDict(), lr: tensor(-1, { dtype: "float64" }) };
    expect(() => sgd.loadStateDict(wrong)).toThrow("SGD: lr is a finite number of at least 0, got -1");
    expect(sgd.lr).toBe(0.1);
  });
});
