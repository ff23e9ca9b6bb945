import { betainc, checkGradient, GradientError, grad, type Tensor, tensor } from "@cotangent/autograd";
import { Beta, NegativeBinomial, StudentT } from "@cotangent/nn/distributions";
import { describe, expect, test } from "vitest";

const wide = { dtype: "float64" } as const;
const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());

/**
 * a, b, x, the share and the density: by a series of positive terms in mpmath with 50 digits, from the side where `x` is left of the mean. Some stand near the
 * borders between one formula and the next.
 */
const numbers = [
  [1e-10, 1e-10, 0.50005, 0.50000000000001, 2.0000000197227414e-10],
  [0.001, 0.001, 0.25, 0.499451507519294, 0.00266221083645686],
  [0.001, 0.1, 0.5707991462621037, 0.9904314874727675, 0.0037121359789127058],
  [0.001, 3, 0.2001599680063987, 0.999510886437555, 0.003195814760569539],
  [0.001, 50, 0.009624814907405627, 0.9994133153702963, 0.0646731035370754],
  [0.001, 10000.0, 0.00010956633124872573, 0.9998124884496525, 3.0534713270579377],
  [0.1, 0.001, 0.7617801047120418, 0.010928457961013983, 0.005302705555220251],
  [0.1, 20.1, 0.04954459459459459, 0.9758222935669368, 0.8016778716645001],
  [0.1, 50, 0.021111132437619962, 0.9779727146766078, 1.758086059849954],
  [0.1, 200, 0.005443394359228105, 0.9790489268981487, 6.571332845890796],
  [0.5, 1e-10, 0.5999399999760023, 2.0632434289793558e-10, 3.227163432862556e-10],
  [0.5, 0.001, 0.7998800479808077, 0.0028809101310535287, 0.005570537749934501],
  [0.5, 0.1, 0.5768653846153846, 0.17058225266102475, 0.2521547870185365],
  [0.5, 1, 0.91, 0.9539392014169457, 0.5241424183609591],
  [0.5, 3, 0.7675989320326662, 0.9956786338480086, 0.0577936780652045],
  [0.5, 20, 0.06666, 0.9012336997681157, 2.6184907521797953],
  [0.9, 0.9, 0.89, 0.8750208296308483, 1.0289558195048318],
  [0.9, 1.5, 0.3444228640964949, 0.509884014979672, 1.1814401713613072],
  [0.9, 10, 0.2270718266117266, 0.9362805330168823, 0.8450474029740501],
  [0.9, 10000.0, 0.00047449726205660986, 0.9931663210472922, 69.59042325256148],
  [1, 1e-10, 0.6666595955766335, 1.0985910755626633e-10, 2.9999363612101106e-10],
  [1, 0.5, 0.5713714285714285, 0.3453026871686646, 0.7637117034094366],
  [1, 3, 0.3333333333333333, 0.7037037037037037, 1.3333333333333335],
  [1, 20, 0.0008695652173913044, 0.017248383857091695, 19.6721385302758],
  [1, 10000.0, 0.0004998800284928019, 0.9932623905748241, 67.40979106003446],
  [1.5, 1e-10, 0.06666666666666676, 1.1957583472844167e-12, 2.7664166760131332e-11],
  [1.5, 3, 0.6923076923076923, 0.9441517450087593, 0.5169543248844591],
  [1.5, 19.9, 0.10682692307692308, 0.7922815195269435, 3.9428269540378262],
  [1.5, 200, 0.00012285012285012285, 0.0028603777923290807, 34.58460920957858],
  [3, 1e-10, 0.399999999992, 3.0825623767329833e-12, 2.666666666788224e-11],
  [3, 0.5, 0.36363636363636365, 0.017678667376839832, 0.1554007860813245],
  [3, 1.5, 0.006153846153846155, 5.086081908815329e-7, 0.00024775485088813533],
  [3, 19.9, 0.001606425702811245, 6.151570113255218e-6, 0.011400879603584813],
  [3, 20, 0.3662354995761987, 0.9960120282798924, 0.10685457578895793],
  [10, 1e-10, 0.009166666666590278, 4.224243370028326e-32, 4.612138532598975e-29],
  [10, 50, 0.1774016129032258, 0.6161819137713199, 7.6379815055717515],
  [19.9, 0.1, 0.975, 0.05949819639132109, 2.424360775788599],
  [19.9, 1, 0.9127550218340611, 0.1625732912000509, 3.544443380196679],
  [19.9, 20, 0.004988066825775656, 9.107643271454387e-36, 3.616962000641896e-32],
  [19.9, 1000.0, 0.01022604951560818, 0.005494998232465738, 5.609355281112154],
  [19.9, 10000.0, 0.0020852243586545467, 0.6154934184620116, 830.5940355062495],
  [20, 1e-10, 0.4772727272705579, 3.4529333066687224e-18, 1.5076154771613643e-16],
  [20, 1, 0.9129521739130434, 0.16179330327486152, 3.544398225843361],
  [20, 1.5, 0.44680851063829785, 3.917200058652439e-7, 1.7208971066567843e-5],
  [20, 19.9, 0.5011933174224343, 0.49959450443476566, 5.008487723732606],
  [20, 1000.0, 0.024887068144426275, 0.8837700669625033, 38.570234323948306],
  [20.1, 1e-10, 0.89, 3.31687461166865e-12, 9.816494821532411e-11],
  [20.1, 0.1, 0.91, 0.006916988187630594, 0.20411388732891986],
  [20.1, 0.9, 0.8742107067671864, 0.05561105592604895, 1.3121616658783162],
  [20.1, 3, 0.008406374501992032, 4.4187223562778085e-40, 1.055686721699894e-36],
  [20.1, 10, 0.6573208722741433, 0.4350288276860413, 4.4994274819725275],
  [20.1, 19.9, 0.3160686777608829, 0.0075676369775412805, 0.29291065982457926],
  [20.1, 20.1, 0.25, 0.0003622482985767549, 0.020654879269751264],
  [20.1, 1000.0, 0.02064377262498777, 0.6120254021857504, 85.27688307197731],
  [50, 0.001, 0.89, 4.707200883144114e-7, 3.0178939516056883e-5],
  [50, 19.9, 0.007093184979137691, 1.2435190626135018e-91, 8.742388351019252e-88],
  [50, 200, 0.20236071428571428, 0.5495697688151557, 15.537012021789167],
  [200, 0.5, 0.9890790267388452, 0.03621534351540991, 8.580360328087567],
  [200, 3, 0.9889360110427043, 0.6130165818488132, 54.305149284696675],
  [1000.0, 0.001, 0.89, 2.225564232421927e-56, 2.5206668702780695e-53],
  [1000.0, 0.9, 0.9971585629740217, 0.047672831176517945, 49.12003337829008],
  [1000.0, 1, 0.9979061814556331, 0.12294555706952959, 123.20352289048903],
  [1000.0, 3, 0.9961195024875622, 0.25436958180133534, 155.3024041183721],
  [1000.0, 20, 0.9897260273972603, 0.9946254346757923, 5.487772781697926],
  [1000.0, 50, 0.9449519869168133, 0.13089588464884336, 29.51292357720505],
  [10000.0, 1, 0.9999000299910027, 0.3679713992300225, 3680.081890119891],
  [10000.0, 10, 0.9994506592089493, 0.9463578028250544, 518.314875021131],
  [10000.0, 19.9, 0.9979145670980553, 0.38433338399820555, 830.4283590561869],
  [1000000.0, 1000000.0, 0.49787868018677023, 9.864372766345144e-10, 1.7182869838980218e-5],
  [1000000.0, 30, 0.9999371390417486, 1.4603814533694078e-6, 0.8048240103343731],
  [30, 1000000.0, 1.904514728552333e-5, 0.012204641338380747, 7872.686599314141],
] as const;
const column = (i: number, dtype: "float32" | "float64" = "float64"): Tensor =>
  tensor(
    numbers.map((row) => row[i]!),
    { dtype },
  );

describe("against numbers of 50 digits", () => {
  test("betainc and its derivative by x have 12 digits", () => {
    const x = column(2);
    const share = betainc(column(0), column(1), x);
    const density = dataOf(grad(share.sum(), [x])[0]);
    dataOf(share).forEach((found, i) => {
      const [a, b, at, expected, slope] = numbers[i]!;
      expect(Math.abs(found / expected - 1), `${a}, ${b}, ${at}`).toBeLessThan(1e-12);
      expect(Math.abs(density[i]! / slope - 1), `the density of ${a}, ${b} at ${at}`).toBeLessThan(2e-12);
    });
  });

  test("float32 has its digits at float32 operands", () => {
    const [a, b, x] = [0, 1, 2].map((i) => column(i, "float32")) as [Tensor, Tensor, Tensor];
    const [single, double] = [
      betainc(a, b, x),
      betainc(a.cast("float64"), b.cast("float64"), x.cast("float64")),
    ];
    expect(single.dtype).toBe("float32");
    expect(dataOf(single)).toEqual(dataOf(double.cast("float32")));
  });

  test("a large sum of concentrations costs the digits of its root", () => {
    const found = dataOf(betainc(tensor([1e6, 1e12, 1e300], wide), tensor([1e6, 1e12, 1e300], wide), 0.5));
    const tolerances = [1e-12, 1e-9, 1e-15];
    expect(found.map((share, i) => Math.abs(share - 0.5) < tolerances[i]!)).toEqual([true, true, true]);
  });
});

test("a share and that from the other end are 1", () => {
  const [a, b] = [tensor([0.2, 3, 40, 1e3, 2e3], wide), tensor([7, 0.4, 30, 1.5, 3e3], wide)];
  const x = tensor([0.015625, 0.875, 0.5, 0.9990234375, 0.390625], wide);
  dataOf(betainc(a, b, x).add(betainc(b, a, x.neg().add(1)))).forEach((sum) => {
    expect(Math.abs(sum - 1)).toBeLessThan(1e-15);
  });
});

test("a share lies from 0 to 1, and the ends are known", () => {
  const inf = Infinity;
  const nan = Number.NaN;
  const table = [
    [1, 2, 0, 0],
    [1, 2, 1, 1],
    [1, 2, -0.1, nan],
    [1, 2, 1.1, nan],
    [-1, 2, 0.5, nan],
    [1, -2, 0.5, nan],
    [0, 2, 0.5, 1],
    [2, 0, 0.5, 0],
    [0, 0, 0.5, nan],
    [0, 2, 0, nan],
    [2, 0, 1, nan],
    [inf, 2, 0.5, 0],
    [2, inf, 0.5, 1],
    [inf, inf, 0.5, nan],
    [inf, 2, 1, 1],
    [2, inf, 0, 0],
    [inf, 0, 0.5, 0],
    [0, inf, 0.5, 1],
    [nan, 1, 0.5, nan],
    [1, nan, 0.5, nan],
    [1, 1, nan, nan],
    [3, 1e-300, 0.99, 0],
    [1e-300, 3, 0.01, 1],
    [1e-320, 1e-320, 0.5, 0.5],
    [1e300, 1e300, 0.4999, 0],
    [1e308, 1e308, 0.6, 1],
    [2, 1e308, 0.5, 1],
  ];
  const [a, b, x] = [0, 1, 2].map((i) =>
    tensor(
      table.map((row) => row[i]!),
      wide,
    ),
  ) as [Tensor, Tensor, Tensor];
  expect(dataOf(betainc(a, b, x))).toEqual(table.map((row) => row[3]));
});

describe("derivatives", () => {
  test("by x at the ends", () => {
    const x = tensor([0, 1], wide);
    const at = (a: number, b: number) => dataOf(grad(betainc(a, b, x).sum(), [x])[0]);
    expect([at(1, 3), at(3, 1), at(0.5, 0.5), at(2, 2)]).toEqual([
      [3, 0],
      [0, 3],
      [Infinity, Infinity],
      [0, 0],
    ]);
  });

  test("of that by x are right, by the concentrations too", () => {
    const [a, b, x] = [tensor([0.4, 2.5], wide), tensor([1.7, 30], wide), tensor([0.2, 0.1], wide)];
    const density = (a: Tensor, b: Tensor, x: Tensor): Tensor => grad(betainc(a, b, x).sum(), [x])[0];
    const report = checkGradient(density, [a, b, x], { order: 2 });
    expect(report.pass, String(report)).toBe(true);
  });

  test("by the concentrations are refused, with what to do", () => {
    const a = tensor([2], wide);
    expect(() => grad(betainc(a, 2, 0.5).sum(), [a])).toThrow(GradientError);
    expect(() => grad(betainc(2, a, 0.5).sum(), [a])).toThrow(
      "betainc: there is no derivative by b; take stopGradient(b)",
    );
  });
});

describe("cdf", () => {
  test("of Beta is 0 below and 1 above its shares", () => {
    const p = new Beta(2, tensor([3], wide));
    expect(dataOf(p.cdf(tensor([-1, 0, 1, 2], wide)))).toEqual([0, 0, 1, 1]);
    expect(p.cdf(0.5).item()).toBeCloseTo(0.6875, 14);
    expect(p.cdf(Number.NaN).item()).toBeNaN();
  });

  test("of StudentT has its digits in the lower tail, and is smooth at its middle", () => {
    // With one degree of freedom Cauchy's, with two (1 + z / sqrt(2 + z^2)) / 2.
    const one = new StudentT(tensor(1, wide), 0, 1);
    expect(one.cdf(-1e10).item() * 1e10 * Math.PI).toBeCloseTo(1, 12);
    expect(dataOf(one.cdf(tensor([-Infinity, 0, 1, Infinity], wide)))).toEqual([0, 0.5, 0.75, 1]);
    const two = new StudentT(tensor(2, wide), 1, 3);
    const x = tensor([1, 4], wide);
    const share = two.cdf(x);
    expect(share.toTypedArray()[1]).toBeCloseTo((1 + 1 / Math.sqrt(3)) / 2, 14);
    const [slope] = grad(share.sum(), [x]);
    dataOf(two.logProb(x).exp()).forEach((density, i) => {
      expect(slope.toTypedArray()[i]).toBeCloseTo(density, 13);
    });
    // That of many degrees of freedom is nearly normal, in float32 too.
    expect(new StudentT(1e6, 0, 1).cdf(-1).item()).toBeCloseTo(0.15865537, 6);
  });

  test("of NegativeBinomial is the running sum, between counts too", () => {
    const x = tensor(
      Array.from({ length: 60 }, (_, i) => i),
      wide,
    );
    for (const given of [{ logits: 0.7 }, { probabilities: 0.4 }]) {
      const p = new NegativeBinomial(tensor(6.5, wide), given);
      const sums = dataOf(p.logProb(x).exp().cumsum(0));
      dataOf(p.cdf(x.add(0.75))).forEach((share, i) => {
        expect(Math.abs(share - sums[i]!)).toBeLessThan(1e-13);
      });
      expect(dataOf(p.cdf(tensor([-0.5, Infinity], wide)))).toEqual([0, 1]);
    }
  });
});
