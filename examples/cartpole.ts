// Carts that learn to keep their poles up, the world and the learning in one program: `pnpm example cartpole`.
import { begin, usual } from "./cartpole/agent.ts";
import { type Chapter, type ChapterOptions, runAlone, share } from "./page/chapter.ts";
import { curvesPlot, type Path } from "./page/curves.ts";
import { code, figure, paragraph, section } from "./page/html.ts";
import { script } from "./page/script.ts";

/** The angles of the first pole, in degrees, at so many moments without learning. */
function angles(agent: ReturnType<typeof begin>, moments: number): Path["points"] {
  return Array.from({ length: moments }, (_, i) => {
    agent.watch();
    return [i / 50, (180 / Math.PI) * agent.states()[2]!] as const;
  });
}

const canvas = (width: number, height: number, label: string) =>
  `<canvas width="${width}" height="${height}" role="img" aria-label="${label}"></canvas>`;

export async function cartpole({ effort = 1 }: ChapterOptions = {}): Promise<Chapter> {
  const { carts, moments } = usual;
  const updates = share(2000, effort);
  const agent = begin();
  const before = angles(agent, 300);
  const ages: [number, number][] = [];
  let fallen = 0;
  let began = performance.now();
  for (let i = 1; i <= updates; i++) {
    const report = agent.learn();
    // The first one makes the program.
    if (i === 1) began = performance.now();
    if (i === 1 || i % Math.ceil(updates / 200) === 0) ages.push([i, Math.max(1, report.age)]);
    if (i > updates / 2) fallen += report.fallen;
  }
  const time = (performance.now() - began) / (updates - 1);
  const after = angles(agent, 300);
  const age = ages.at(-1)![1];
  console.log(
    `cartpole: after ${updates} updates of ${time.toFixed(2)} ms the poles have stood for ${age.toFixed(0)} moments on average; ` +
      `${fallen} fell in the second half`,
  );
  const html = section(
    "cartpole",
    "Poles that learn to stand",
    paragraph(
      `A pole stands on a cart and falls unless somebody pushes the cart to and fro, ${carts} carts beside each other. Nobody tells them how. An <em>actor</em>, a network of 32 neurons, says for each how likely it should be pushed to the right, and dice decide. A <em>critic</em>, another one, guesses how long the pole will stand. After ${moments} moments all that went better than the critic thought is made more likely, and the critic learns from its error (Mnih et al. 2016).`,
    ),
    paragraph(
      `The world is made of tensors too. So the ${moments} moments of ${carts} carts with their dice, the gradients and the update of both networks are one WebAssembly program, and a call of it is all there is to do:`,
    ),
    code(`const learn = compile(() => {
  const history = Array.from({ length: ${moments} }, () => {
    const policy = new Bernoulli({ logits: actor.forward(state) });
    const right = policy.sample();
    …
    state = where(lost(next), standing(${carts}), next);
  });
  …
  optimizer.step(loss);
});`),
    `<div id="carts" class="playground">
<div class="controls">
<button type="button" name="learn">Learn</button>
<button type="button" name="watch">Watch</button>
<button type="button" name="anew">Start anew</button>
<label>Pace <select><option value="1" selected>1 update a frame</option><option value="10">10 updates a frame</option><option value="1000">as fast as it can</option></select></label>
</div>
<div class="pictures">
${canvas(720, 720, "The first 18 carts with their poles")}
${canvas(512, 512, "For how many moments the poles stand on average, against the update")}
</div>
<output></output>
</div>
<noscript><p>It needs a script, which is not allowed here.</p></noscript>`,
    figure(
      "In the run that wrote this page: for how many moments of a fiftieth of a second the poles have stood, on average over all carts. Nobody ends a game that goes well, so the curve rises as long as nothing falls.",
      [
        curvesPlot("Age of the poles against the update", [{ name: "age", points: ages }], {
          x: "update",
          y: "moments",
          log: true,
        }),
      ],
    ),
    figure("The angle of one pole in six seconds: it is put up again when it leans by 12 degrees.", [
      curvesPlot(
        "Angle of a pole over time, before and after learning",
        [
          { name: "before", points: before },
          { name: "after", points: after },
        ],
        { x: "seconds", y: "degrees", range: [-14, 14] },
      ),
    ]),
    await script(new URL("cartpole/page", import.meta.url)),
  );
  return { id: "cartpole", title: "Poles that learn to stand", html };
}

await runAlone(
  import.meta.url,
  cartpole,
  "The world, the learner and its optimizer in one program, with Cotangent.",
);
