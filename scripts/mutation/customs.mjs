// Functions that the registry does not have because their derivative is their user's: those of transform/custom.ts. One whose
// derivative is that of something else says so by `standsFor`: a function of the same values whose own derivative is the intended one.

/** The functions by name, made of the `autograd` that is given: its rules may be mutants. */
export function customs(autograd) {
  const {
    add,
    cos,
    customGradient,
    div,
    floor,
    gradientReversal,
    mul,
    sin,
    square,
    stopGradient,
    straightThrough,
  } = autograd;
  const { betainc, exp, expand, gammainc, Generator, grad, lgamma, logStandardGamma, sub, sum } = autograd;
  const one = (draw) => [draw.tensor(draw.shape())];
  const two = (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape), draw.tensor(shape)];
  };
  const make = (name, f, samples, standsFor) => [
    name,
    Object.assign((...inputs) => f(...inputs), { samples, standsFor }),
  ];
  return new Map([
    make(
      "ownSine",
      customGradient(sin, (g, _, x) => [mul(g, cos(x))]),
      one,
    ),
    make(
      "ownProduct",
      customGradient(
        (x, y) => mul(square(x), y),
        (g, _, x, y) => [mul(g, mul(2, mul(x, y))), mul(g, square(x))],
      ),
      two,
    ),
    make(
      "ownSum",
      customGradient(
        (x) => sum(square(x)),
        (g, _, x) => [mul(expand(g, x.shape), mul(x, 2))],
      ),
      one,
    ),
    make(
      "ownSecond",
      customGradient(
        (_, y) => sin(y),
        (g, _, __, y) => [null, mul(g, cos(y))],
      ),
      two,
    ),
    make(
      "through",
      (x) => straightThrough(sin(x), floor(mul(x, 3))),
      one,
      (x) => add(sin(x), stopGradient(sub(floor(mul(x, 3)), sin(x)))),
    ),
    make(
      "reversed",
      (x, y) => gradientReversal(mul(x, sin(y)), 0.5),
      two,
      (x, y) => {
        const z = mul(x, sin(y));
        return sub(stopGradient(mul(z, 1.5)), div(z, 2));
      },
    ),
    make(
      "gammaDraw",
      (a) => logStandardGamma(a, { generator: new Generator(3) }),
      (draw) => [draw.tensor(draw.shape(), { low: 0.3, high: 4 })],
      // The place up to which the share of the distribution stays: two steps of Newton's method from there, which have two derivatives.
      (a) => {
        const start = stopGradient(logStandardGamma(a, { generator: new Generator(3) }));
        const kept = stopGradient(gammainc(a, exp(start)));
        const step = (at) => {
          const slope = exp(sub(sub(mul(a, at), exp(at)), lgamma(a)));
          return sub(at, div(sub(gammainc(a, exp(at)), kept), slope));
        };
        return step(step(start));
      },
    ),
    ...[1, 2].map((order) =>
      make(
        `gammaShare${order}`,
        (a, x) => {
          let share = gammainc(a, x);
          for (let i = 0; i < order; i++) share = grad(sum(share), [a])[0];
          return share;
        },
        (draw) => {
          const shape = draw.shape();
          const [low, high] = [0.5, 4];
          return [draw.tensor(shape, { low, high }), draw.tensor(shape, { low, high })];
        },
      ),
    ),
    make(
      "betaDensity",
      (a, b, x) => grad(sum(betainc(a, b, x)), [x])[0],
      (draw) => {
        const shape = draw.shape();
        const concentration = { low: 0.5, high: 4 };
        return [concentration, concentration, { low: 0.1, high: 0.9 }].map((range) =>
          draw.tensor(shape, range),
        );
      },
    ),
  ]); // prettier-ignore
}

/**
 * Has `f` at these inputs the derivatives of what it stands for: in both modes, and to second order? Throws an error that says which
 * it has not.
 */
export function checkIntended(autograd, f, inputs, draw) {
  const { grad, mul, pushforward, sin, sum } = autograd;
  const t = inputs.map((x) => draw.tensor(x.shape));
  const weights = draw.tensor(f(...inputs).shape);
  const derivativesOf = (h) => {
    const y = sum(mul(sin(h(...inputs)), weights));
    const dot = (gradients) => gradients.map((g, i) => sum(mul(g, t[i]))).reduce((total, x) => total.add(x));
    const along = pushforward(y, inputs, t);
    const by = grad(y, inputs);
    return {
      along: [along],
      by,
      "along twice": [pushforward(along, inputs, t)],
      "by twice": grad(dot(by), inputs),
    };
  };
  const [own, intended] = [derivativesOf(f), derivativesOf(f.standsFor)];
  for (const [mode, tensors] of Object.entries(own))
    tensors.forEach((x, i) => {
      const [a, b] = [x.toTypedArray(), intended[mode][i].toTypedArray()];
      const gap = a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k])), 0);
      if (!(gap < 1e-9)) throw new Error(`the derivative ${mode} is ${a}, and ${b} is intended`);
    });
}
