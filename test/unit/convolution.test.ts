import {
  arange,
  avgPool2d,
  compile,
  conv1d,
  conv2d,
  convTranspose2d,
  DTypeError,
  folded,
  Generator,
  grad,
  maxPool1d,
  maxPool2d,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  topology,
  ValueError,
} from "@cotangent/autograd";
import { Conv2d, ConvTranspose2d, Flatten, MaxPool2d, Sequential, Unflatten } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const kinds = (y: Tensor) => topology([y]).nodes.map(({ op }) => op.kernel.kind);

describe("derivatives of a convolution", () => {
  const [x, w] = [ones([2, 3, 6, 6]), ones([4, 3, 3, 3])];

  test.each([
    { stride: 1, padding: 1 },
    { stride: 1, dilation: 2 },
    { stride: 2, padding: 1 },
    { stride: [1, 2], dilation: [2, 1] },
  ])("are products with windows again, with %o", (options) => {
    const x = ones([2, 3, 9, 9]);
    const y = conv2d(x, w, null, options);
    const [dx, dw] = grad(y, [x, w], { cotangent: ones(y.shape) });
    const [ddx] = grad(dw!, [x], { cotangent: ones(dw!.shape) });
    for (const d of [dx!, dw!, ddx!]) {
      const products = kinds(d).filter((kind) => kind === "contract").length;
      // Places that windows come to in turn may have products of their own.
      expect(d === dw ? [1] : [1, 2, 4]).toContain(products);
      expect(kinds(d)).not.toContain("reduce");
      expect(kinds(d)).not.toContain("scatter");
    }
  });

  test("of which few places come to many entries do not multiply a border", () => {
    const arithmetic = (f: () => Tensor): number => {
      const program = compile(f);
      program();
      return Number(/arithmetic +([\d,]+)/.exec(program.explain())![1]!.replaceAll(",", ""));
    };
    const [point, kernel] = [ones([2, 8, 1, 1]), ones([8, 6, 4, 4])];
    const products = 2 * (2 * 8 * 6 * 4 * 4);
    expect(arithmetic(() => convTranspose2d(point, kernel))).toBeLessThan(2 * products);
    const [field, weight] = [ones([2, 6, 4, 4]), ones([8, 6, 4, 4])];
    const backward = () => {
      const y = conv2d(field, weight);
      return grad(y, [field], { cotangent: ones(y.shape) })[0];
    };
    expect(arithmetic(backward)).toBeLessThan(2 * products);
  });

  const settings = [1, 2, 3, 4].flatMap((stride) =>
    [1, 2, 3, 6].flatMap((dilation) =>
      [1, 2, 3, 4].map((size) => ({ size, stride, dilation, padding: (stride + size) % 3 })),
    ),
  );

  test.each(settings)(
    "by its operand is the transposed convolution, with %o",
    ({ size, stride, dilation, padding }) => {
      const x = arange(2 * 2 * 13 * 22)
        .reshape([2, 2, 13, 22])
        .cast("float32");
      const w = arange(12 * size)
        .fmod(5)
        .sub(2)
        .reshape([3, 2, 2, size])
        .cast("float32");
      const options = { stride: [1, stride], dilation: [2, dilation] };
      const y = conv2d(x, w, null, { ...options, padding: [1, padding] });
      const g = arange(y.size).fmod(7).sub(3).reshape(y.shape).cast("float32");
      const found = grad(y, [x], { cotangent: g })[0]!;
      const whole = convTranspose2d(g, w, null, options);
      const lengths = [2, 2, 15, 22 + 2 * padding];
      const expected = whole
        .pad(lengths.map((length, i): [number, number] => [0, length - whole.shape[i]!]))
        .slice(1, 14, { axis: 2 })
        .slice(padding, 22 + padding, { axis: 3 });
      expect(found.toArray()).toEqual(expected.toArray());
    },
  );

  test("by its operand is not computed for the border", () => {
    const [x, w] = [ones([2, 3, 8, 8]), ones([5, 3, 4, 4])];
    const y = conv2d(x, w, null, { stride: 2, padding: 1 });
    const [dx] = grad(y, [x], { cotangent: ones(y.shape) });
    const products = topology([dx!]).nodes.filter(({ op }) => op.kernel.kind === "contract");
    expect(products.map(({ shape }) => shape.join())).toEqual(["2,3,4,4", "2,3,4,4", "2,3,4,4", "2,3,4,4"]);
  });

  test("by what was padded on other axes as well is a part of the whole", () => {
    const w = arange(5 * 3 * 4 * 4)
      .fmod(5)
      .reshape([5, 3, 4, 4])
      .cast("float32");
    const convolved = (x: Tensor) => conv2d(x, w, null, { stride: 2, padding: 1 });
    const [x, wide] = [ones([2, 2, 8, 8]), ones([2, 3, 8, 8])];
    const y = convolved(
      x.pad([
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
      ]),
    );
    const cotangent = arange(y.size).reshape(y.shape).cast("float32");
    const [found] = grad(y, [x], { cotangent });
    const [expected] = grad(convolved(wide), [wide], { cotangent });
    expect(found!.toArray()).toEqual(expected!.slice(1, 3, { axis: 1 }).toArray());
  });

  test("convTranspose2d is the gradient of conv2d", () => {
    const options = { stride: 2, padding: 1, dilation: 2 };
    const g = ones([2, 4, 2, 2]);
    const y = conv2d(x, w, null, options);
    expect(y.shape).toEqual(g.shape);
    const [gradient] = grad(y, [x], { cotangent: g });
    const transposed = convTranspose2d(g, w, null, { ...options, outputPadding: 1 });
    expect(transposed.toArray()).toEqual(gradient!.toArray());
  });
});

describe("a compiled convolution", () => {
  const simplified = (f: { explain(): string }) => f.explain().split(/^simplified:.*|^kernels:.*/m)[1]!;

  test("and its gradients read windows where they lie", () => {
    const step = compile((x: Tensor, w: Tensor) => {
      const y = conv2d(x, w, null, { padding: 1 });
      return [y, ...grad(y.square().sum(), [x, w])];
    });
    step(ones([2, 4, 9, 16]), ones([8, 4, 3, 3]));
    const graph = simplified(step);
    // For the gradient by the weight the windows are rows, and lie in the order of its terms.
    expect(graph.match(/ = strided/g)).toHaveLength(2);
    expect(graph).not.toMatch(/unfold|slice/);
    expect(graph.match(/ = matmul/g)).toHaveLength(3);
  });

  test("of each channel by itself puts the border into memory, and computes no gradient for it", () => {
    const step = compile((x: Tensor, w: Tensor) => {
      const y = conv2d(x, w, null, { padding: 1, groups: 4 });
      return grad(y.square().sum(), [x, w]);
    });
    step(ones([2, 4, 9, 16]), ones([4, 1, 3, 3]));
    const graph = simplified(step);
    expect(graph.match(/ = strided/g)).toHaveLength(2);
    expect(graph).not.toMatch(/slice/);
    expect(step.explain()).not.toMatch(/inside/);
  });

  test("computes no more of a product than a slice needs, unless others read it", () => {
    const part = (y: Tensor) => y.slice(2, 15, { axis: 1 });
    const one = compile((x: Tensor, y: Tensor) => part(x.matmul(y)));
    one(ones([14, 20]), ones([20, 17]));
    expect(simplified(one)).toMatch(/float32\[14, 13\] += matmul/);
    const both = compile((x: Tensor, y: Tensor) => {
      const product = x.matmul(y);
      return [product, part(product)];
    });
    both(ones([14, 20]), ones([20, 17]));
    expect(simplified(both)).not.toMatch(/float32\[14, 13\] += matmul/);
  });
});

describe("the gradient of a pool whose windows overlap", () => {
  const settings = [1, 2, 3].flatMap((stride) =>
    [1, 2, 3].flatMap((dilation) => [2, 3, 4, 5].map((size) => ({ size, stride, dilation }))),
  );

  test.each(settings)("goes to the first of the largest entries, with %o", ({ size, stride, dilation }) => {
    const length = 17;
    const values = Array.from({ length }, (_, i) => (i * 7) % 5);
    const x = tensor([values]);
    const y = maxPool1d(x, size, { stride, dilation });
    const g = arange(1, y.size + 1).cast("float32");
    const expected = new Array<number>(length).fill(0);
    for (let n = 0; n < y.size; n++) {
      const places = Array.from({ length: size }, (_, u) => n * stride + u * dilation);
      const most = Math.max(...places.map((p) => values[p]!));
      expected[places.find((p) => values[p] === most)!]! += n + 1;
    }
    expect(grad(y, [x], { cotangent: g.reshape(y.shape) })[0]!.toArray()).toEqual([expected]);
  });

  test("makes no tensor of all entries of all windows", () => {
    const step = compile(
      (x: Tensor) => grad(maxPool2d(x, 3, { stride: 2, padding: 1 }).square().sum(), [x])[0]!,
    );
    step(ones([2, 3, 16, 16]));
    const [, plan = ""] = step.explain().split(/^(?:plan|code).*/m);
    const sizes = [...plan.matchAll(/^ +[\d,]+ +([\d,]+) /gm)].map(([, bytes]) =>
      Number(bytes!.replace(",", "")),
    );
    expect(sizes.length).toBeGreaterThan(5);
    // x has 6144 bytes, its windows have 13824.
    expect(Math.max(...sizes)).toBeLessThan(8000);
  });
});

test("a compiled column that is turned into a row stays whole", () => {
  const turned = compile((x: Tensor, y: Tensor) => x.matmul(y).transpose());
  const row = turned(arange(6).reshape([3, 2]).cast("float32"), ones([2, 1]));
  expect(row.toArray()).toEqual([[1, 5, 9]]);
});

describe("windows whose entries are further apart than they are", () => {
  const settings = [2, 3, 4].flatMap((step) =>
    [3, 4, 5, 9].flatMap((dilation) => [1, 2, 3].map((size) => ({ step, dilation, size }))),
  );

  test.each(settings)("are added up where they came from, with %o", ({ step, dilation, size }) => {
    const [count, length] = [4, 3 * step + (size - 1) * dilation + 2];
    const x = arange(2 * count * size)
      .reshape([2, count, size])
      .cast("float32");
    const windows = { axes: [1], sizes: [size], steps: [step], dilations: [dilation] };
    const expected = Array.from({ length: 2 }, () => new Array<number>(length).fill(0));
    for (let row = 0; row < 2; row++)
      for (let place = 0; place < count; place++)
        for (let i = 0; i < size; i++)
          expected[row]![place * step + i * dilation]! += (row * count + place) * size + i;
    expect(folded(x, [length], windows).toArray()).toEqual(expected);
  });

  test("are not spread over blocks of zeros", () => {
    const [x, w] = [ones([1, 1, 4, 5]), ones([1, 1, 2, 3])];
    const y = convTranspose2d(x, w, null, { stride: 3, dilation: 101 });
    expect(Math.max(...topology([y]).nodes.map(({ size }) => size))).toBeLessThan(3 * y.size);
    expect(y.sum().item()).toBe(20 * 6);
    const far = folded(ones([4, 3]), [300], { axes: [0], sizes: [3], steps: [3], dilations: [101] });
    expect(Math.max(...topology([far]).nodes.map(({ size }) => size))).toBeLessThan(400);
    expect(far.sum().item()).toBe(12);
  });
});

test("borders around borders are one", () => {
  const x = ones([2])
    .pad([[1, 2]])
    .pad([[0, 3]]);
  expect(topology([x]).nodes).toHaveLength(2);
  expect(x.toArray()).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
});

describe("a convolution or pool refuses", () => {
  const x = ones([1, 2, 5, 5]);

  test.each<[string, () => Tensor, new (...args: never[]) => Error, string]>([
    [
      "too few axes",
      () => conv2d(ones([5, 5]), ones([1, 1, 3, 3])),
      ShapeError,
      "conv2d: takes [batch, channels, height, width] or [channels, height, width], got shape [5, 5]",
    ],
    [
      "other channels",
      () => conv2d(x, ones([1, 3, 3, 3])),
      ShapeError,
      "conv2d: weight [1, 3, 3, 3] is for 3 channels in 1 groups, x has 2: shape [1, 2, 5, 5]",
    ],
    [
      "windows that do not fit",
      () => conv2d(x, ones([1, 2, 3, 3]), null, { dilation: 3 }),
      ShapeError,
      "conv2d: a window spans 7 entries of spatial axis 0, which has 5 with its padding: shape [5, 5]; pad more, or take a smaller window",
    ],
    [
      "groups that divide nothing",
      () => conv2d(x, ones([3, 1, 1, 1]), null, { groups: 2 }),
      ValueError,
      "conv2d: groups is 2; it takes a whole number that divides the channels, 2 and 3",
    ],
    [
      "a stride of 0",
      () => conv2d(x, ones([1, 2, 1, 1]), null, { stride: [1, 0] }),
      ValueError,
      "conv2d: stride is 1,0; it takes whole numbers of at least 1",
    ],
    [
      "a stride for other axes",
      () => conv1d(ones([1, 3]), ones([1, 1, 1]), null, { stride: [1, 2] }),
      ValueError,
      "conv1d: stride is 1,2; give one number, or one for each of the 1 spatial axes",
    ],
    [
      "same with a stride",
      () => conv2d(x, ones([1, 2, 3, 3]), null, { padding: "same", stride: 2 }),
      ValueError,
      'conv2d: padding "same" takes a stride of 1, got [2, 2]',
    ],
    [
      "a bias of another length",
      () => conv2d(x, ones([3, 2, 1, 1]), ones([2])),
      ShapeError,
      "conv2d: bias [2] for 3 channels of results; it needs shape [3]",
    ],
    [
      "too much outputPadding",
      () => convTranspose2d(x, ones([2, 1, 3, 3]), null, { outputPadding: 1 }),
      ValueError,
      "convTranspose2d: outputPadding is [1, 1]; it is less than stride [1, 1] or dilation [1, 1]",
    ],
    [
      "padding that leaves nothing",
      () => convTranspose2d(x, ones([2, 1, 1, 1]), null, { padding: 3 }),
      ShapeError,
      "convTranspose2d: nothing is left of spatial axis 0 of [1, 2, 5, 5] with padding [3, 3]",
    ],
    [
      "more padding than half a window",
      () => maxPool2d(x, 3, { padding: 2 }),
      ValueError,
      "maxPool2d: padding [2, 2] is more than half of the windows [3, 3]",
    ],
    [
      "bools",
      () => avgPool2d(x.cast("bool"), 2),
      DTypeError,
      "avgPool2d: takes no bool; cast to float32 first",
    ],
    [
      "a divisor of 0",
      () => avgPool2d(x, 2, { divisorOverride: 0 }),
      ValueError,
      "avgPool2d: divisorOverride is 0; give a number other than 0",
    ],
  ])("%s", (_, call, kind, message) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  });
});

describe("convolutional layers", () => {
  test("name themselves and their path where the channels differ", () => {
    const model = new Sequential(new Conv2d(1, 4, 3), new Conv2d(3, 4, 3));
    expect(() => model.forward(ones([2, 1, 8, 8]))).toThrow(
      "Conv2d(3, 4) at 1: takes [batch, 3, height, width], with or without the batch, got shape [2, 4, 6, 6]; reshape the input, " +
        "or make the layer with other channels",
    );
  });

  test("refuse sizes, groups and modes that are none", () => {
    expect(() => new Conv2d(1, 4, [3, 0])).toThrow(ValueError);
    expect(() => new Conv2d(1, 4, [3])).toThrow("a window has a size for each of 2 axes");
    expect(() => new Conv2d(3, 4, 3, { groups: 2 })).toThrow(
      "Conv2d: 2 groups do not divide 3 and 4 channels",
    );
    expect(() => new Conv2d(1, 4, 3, { paddingMode: "same" as "zeros" })).toThrow(
      'Conv2d: unknown paddingMode "same"; there are zeros, reflect, replicate, circular',
    );
  });

  test.each([
    [new Conv2d(8, 4, [3, 5], { groups: 2, generator: new Generator(1) }), [4, 4, 3, 5], 4 * 3 * 5],
    [new ConvTranspose2d(8, 4, [3, 5], { groups: 2, generator: new Generator(1) }), [8, 2, 3, 5], 2 * 3 * 5],
  ])("start evenly between bounds that follow from the inputs of one result", (layer, shape, fan) => {
    expect(layer.weight.shape).toEqual(shape);
    const largest = Math.max(...layer.weight.toTypedArray().map(Math.abs));
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(fan));
    expect(largest).toBeGreaterThan(0.95 / Math.sqrt(fan));
    expect(Math.max(...layer.bias!.toTypedArray().map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(fan));
  });

  test("make up models that print as PyTorch's do", () => {
    const model = new Sequential(new Conv2d(1, 4, 3, { padding: 1 }), new MaxPool2d(2), new Flatten());
    expect(String(model)).toBe(
      [
        "Sequential(",
        "  (0): Conv2d(inChannels=1, outChannels=4, kernelSize=[3, 3], padding=1, bias=true)",
        "  (1): MaxPool2d(kernelSize=2)",
        "  (2): Flatten()",
        ")",
      ].join("\n"),
    );
    expect(model.forward(ones([2, 1, 4, 4])).shape).toEqual([2, 16]);
    expect(new Unflatten(1, [4, -1, 2]).forward(ones([2, 16])).shape).toEqual([2, 4, 2, 2]);
  });
});
