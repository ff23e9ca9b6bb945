import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cartpole } from "../../examples/cartpole.ts";
import { page as document } from "../../examples/page/html.ts";
import { xor } from "../../examples/xor.ts";
import { browser, missing, visitPage } from "../../scripts/chromium.mjs";
import { captureConsole } from "../console.ts";
import { inspectPage } from "./inspection.ts";

const slow = 120_000;

describe.skipIf(browser === undefined)(
  browser === undefined ? `the story in a browser (${missing})` : "the story in a browser",
  () => {
    let page = "";
    beforeAll(async () => {
      captureConsole();
      const folder = await mkdtemp(join(tmpdir(), "cotangent-"));
      try {
        await xor({ folder, steps: 20, seeds: 2, output: { write: () => {} } });
        page = await readFile(join(folder, "index.html"), "utf8");
      } finally {
        await rm(folder, { recursive: true });
      }
    }, slow);

    test.each([1000, 400])(
      "shows all its pictures, asks for nothing and fits into %i pixels",
      (width) => {
        const found = inspectPage(page, width);
        expect(found.faults).toEqual([]);
        expect(found.width).toBe(width);
        const own = page.replace(/<script.*?<\/script>/s, "");
        expect(found.pictures).toBe(own.match(/<(?:svg|canvas)/g)?.length);
      },
      slow,
    );

    test(
      "trains a network in its last chapter",
      async () => {
        const press = `
          const named = (name) => document.querySelector('#playground [name="' + name + '"]');
          const choose = (name, value) => {
            named(name).value = value;
            named(name).dispatchEvent(new Event("change", { bubbles: true }));
          };
          const said = [];
          const say = () => said.push(document.querySelector("#playground output").value);
          say();
          choose("neurons", "6");
          choose("pace", "500");
          named("run").click();
          const look = () => {
            if (!/^[3-9],/.test(document.querySelector("#playground output").value)) return setTimeout(look, 10);
            named("run").click();
            say();
            named("anew").click();
            say();
            named("step").click();
            say();
            fetch("/said", { method: "POST", body: JSON.stringify(said) });
          };
          look();`;
        const said: string[] = JSON.parse(await visitPage(press, { page }));
        expect(said).toHaveLength(4);
        expect(said[0]).toMatch(/^0 steps, loss 0\.[67]\d+, [0-4] of 4 right$/);
        expect(said[1]).toMatch(/^\d,\d{3} steps, loss (?:0\.0|\d(?:\.\d+)?e-)\d+, 4 of 4 right$/);
        expect(said[2]).toMatch(/^0 steps, loss [01]\.\d+, [0-4] of 4 right$/);
        expect(said[3]).toMatch(/^1 steps, loss [01]\.\d+, [0-4] of 4 right$/);
      },
      slow,
    );

    test(
      "is one of several: carts learn in a page of their own",
      async () => {
        captureConsole();
        const { title, html } = await cartpole({ effort: 0.01 });
        const own = document(title, "", html);
        const found = inspectPage(own, 1000);
        expect(found).toMatchObject({ faults: [], pictures: 4 });
        const press = `
          const named = (name) => document.querySelector('#carts [name="' + name + '"]');
          const output = document.querySelector("#carts output");
          const said = [output.value];
          document.querySelector("#carts select").value = "10";
          named("learn").click();
          const look = () => {
            if (!/^[1-9]\\d/.test(output.value)) return setTimeout(look, 10);
            named("watch").click();
            said.push(output.value);
            named("anew").click();
            said.push(output.value);
            fetch("/said", { method: "POST", body: JSON.stringify(said) });
          };
          look();`;
        const said: string[] = JSON.parse(await visitPage(press, { page: own }));
        expect(said[0]).toBe("nothing learned yet");
        expect(said[1]).toMatch(
          /^[\d,]+ updates of \d+\.\d ms; the poles have stood for \d+ moments on average$/,
        );
        expect(said[2]).toBe("nothing learned yet");
      },
      slow,
    );

    test("is below 5 MB", () => {
      expect(Buffer.byteLength(page)).toBeLessThan(5e6);
    });

    test(
      "would not pass with broken pictures",
      () => {
        const picture = (name: string) => new RegExp(`(<svg[^>]*aria-label="${name}"[^>]*>)(.*?)</svg>`, "s");
        const broken = page
          .replace(picture("A perceptron on AND"), "$1</svg>")
          // The axes stay.
          .replace(picture("Loss against step, one line for each optimizer"), (svg) =>
            svg.replace(/<g[^>]*aria-label="line".*?<\/g>/gs, ""),
          )
          .replace(picture("A perceptron on OR"), (svg) => svg.replace("<svg", '<svg style="height: 0"'))
          .replace(picture("A perceptron on XOR"), (svg) => svg.replace(' d="M', ' d="MNaN,'))
          .replace(picture("linear regression on XOR"), (svg) =>
            svg.replace("<svg", '<svg style="width: 3000px; max-width: none"'),
          )
          .replace("</main>", '<img alt="from elsewhere" src="http://localhost/picture.png"></main>');
        expect(inspectPage(broken, 1000).faults).toEqual([
          "asks for http://localhost/picture.png",
          "is empty: A perceptron on AND",
          "has no size: A perceptron on OR",
          "is empty: A perceptron on OR",
          "has NaN: A perceptron on XOR",
          "sticks out: linear regression on XOR",
          "is empty: Loss against step, one line for each optimizer",
          "has no size: from elsewhere",
          "is empty: from elsewhere",
          "the page is wider than its window",
        ]);
      },
      slow,
    );
  },
);
