// Backpropagation by hand, with this run's numbers, beside the graph's: `pnpm example backpropagation`.
import { grad, sigmoid, type Tensor, tensor, variable } from "@cotangent/autograd";
import { mse } from "@cotangent/nn/loss";
import { type Chapter, runAlone } from "./page/chapter.ts";
import { code, minus, paragraph, power, section, table } from "./page/html.ts";

const f64 = { dtype: "float64" } as const;
const x = tensor([[1, 0]], f64);
const y = 1;
const first = variable(
  [
    [0.5, -0.4],
    [0.3, 0.8],
  ],
  f64,
); // prettier-ignore
const second = variable([[0.7], [-0.6]], f64);

const numbers = (t: Tensor): string =>
  minus(Array.from(t.toTypedArray(), (value) => value.toFixed(4)).join(", "));

export async function backpropagation(): Promise<Chapter> {
  // Forward, one name for each value.
  const z2 = x.matmul(first as Tensor);
  const a2 = sigmoid(z2);
  const z3 = a2.matmul(second as Tensor);
  const out = sigmoid(z3);
  const loss = mse(out, tensor([[y]], f64) as Tensor);
  const [graph2, graph1] = grad(loss, [second, first]);

  // The same by hand: plain numbers, and the chain rule written out.
  const hidden = Array.from(a2.toTypedArray());
  const answer = out.item();
  const delta3 = 2 * (answer - y) * answer * (1 - answer);
  const byHand2 = hidden.map((a) => a * delta3);
  const w2 = Array.from(second.toTypedArray());
  const delta2 = hidden.map((a, i) => delta3 * w2[i]! * a * (1 - a));
  const byHand1 = Array.from(x.toTypedArray()).flatMap((input) => delta2.map((delta) => input * delta));

  const pairs = [
    ...byHand2.map((value, i) => ({ name: `W₂[${i}]`, value, graph: graph2.toTypedArray()[i]! })),
    ...byHand1.map((value, i) => ({
      name: `W₁[${i >> 1},${i & 1}]`,
      value,
      graph: graph1.toTypedArray()[i]!,
    })),
  ];
  const worst = Math.max(...pairs.map(({ value, graph }) => Math.abs(value - graph)));
  for (const { name, value, graph } of pairs)
    console.log(`dJ/d${name.padEnd(8)} by hand ${value.toFixed(8)}, from the graph ${graph.toFixed(8)}`);
  console.log(`largest difference ${worst.toExponential(1)}`);

  const html = section(
    "backpropagation",
    "Backpropagation, by hand once",
    paragraph(
      "A network of the same shape again, with sigmoids and without biases to keep the formulas short. First forward, for the example (1, 0), whose answer is 1:",
    ),
    table(
      "Feed-forward with the numbers of this run.",
      ["Step", "Formula", "Value"],
      [
        ["sums of the hidden layer", "z₂ = x W₁", numbers(z2)],
        ["its outputs", "a₂ = σ(z₂)", numbers(a2)],
        ["sum of the output", "z₃ = a₂ W₂", numbers(z3)],
        ["the answer", "ŷ = σ(z₃)", numbers(out)],
        ["squared error", "J = (ŷ − y)²", numbers(loss)],
      ],
    ),
    paragraph(
      `Now backwards. How does J change with a weight of the last layer? The weight changes z₃, z₃ changes ŷ, ŷ changes J, and the chain rule multiplies: ∂J/∂ŷ = 2(ŷ − y) = ${minus((2 * (answer - y)).toFixed(4))}, ∂ŷ/∂z₃ = ŷ(1 − ŷ) = ${(answer * (1 - answer)).toFixed(4)}. Their product is the error of the output, δ₃ = ${minus(delta3.toFixed(4))}. And z₃ grows with W₂ as fast as a₂ is large, so ∂J/∂W₂ = a₂ᵀ δ₃.`,
    ),
    paragraph(
      `For the first layer the error travels back through W₂: δ₂ = δ₃ W₂ᵀ · a₂(1 − a₂) = ${minus(delta2.map((delta) => delta.toFixed(4)).join(", "))}, and ∂J/∂W₁ = xᵀ δ₂. Nothing is worked out twice: that reuse is what backpropagation means (Rumelhart, Hinton and Williams 1986).`,
    ),
    table(
      `By hand, and as the graph has it. They differ by ${power(worst)} at most.`,
      ["Weight", "By hand", "From the graph"],
      pairs.map(({ name, value, graph }) => [name, minus(value.toFixed(6)), minus(graph.toFixed(6))]),
    ),
    code("const [dW2, dW1] = grad(loss, [W2, W1]);"),
  );
  return { id: "backpropagation", title: "Backpropagation, by hand once", html };
}

await runAlone(import.meta.url, backpropagation);
