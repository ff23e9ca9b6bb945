// node scripts/page.mjs: the README's training program, and one of several threads, in a headless Chromium, where one is on PATH.
import { browser, missing, openPage, visitPage } from "./chromium.mjs";
import { chaining, documentBundle } from "./document-bundle.mjs";
import { sourceBundle } from "./source-bundle.mjs";

if (browser === undefined) console.log(missing);
else {
  await learn();
  await share();
}

async function learn() {
  const { code } = await documentBundle(
    chaining,
    "document.title = model.forward(x).gt(0.5).cast('int32').toArray();",
  );
  // The program is written into the page: a module may not be fetched from a file.
  const script = code.replaceAll("</script", "<\\/script");
  const { document, stderr } = openPage(
    `<!doctype html><meta charset="utf-8"><script type="module">${script}</script>`,
  );
  const result = /<title>(.*?)<\/title>/.exec(document)?.[1];
  if (result === "0,1,1,0") return console.log("the page learns 0,1,1,0");
  console.error(`the page shows ${result}, not 0,1,1,0\n${stderr}`);
  process.exitCode = 1;
}

/** What two threads compute, once both are there, is what the main thread computes before that. */
async function share() {
  const script = await sourceBundle(`
    import { compile, normal } from "@cotangent/autograd";
    import { runBy } from "../packages/autograd/src/compile/run.ts";
    import { Crew } from "../packages/autograd/src/crew.ts";
    const crew = new Crew(2, { isSteady: true });
    runBy(crew);
    const f = compile((x) => x.matmul(x).tanh());
    const x = normal([256, 256]);
    const first = String(f(x).toArray());
    const look = () => {
      const found = String(f(x).toArray()) === first ? "the same" : "something else";
      if (crew.runs === 0 && found === "the same") setTimeout(look);
      else fetch("/said", { method: "POST", body: found });
    };
    look();`);
  const said = await visitPage(script);
  if (said === "the same") return console.log("two threads of a page compute the same as one");
  console.error(`two threads of a page compute ${said}`);
  process.exitCode = 1;
}
