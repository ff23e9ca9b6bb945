// node scripts/page.mjs: the README's training program in a headless Chromium, where one is on PATH.
import { browser, missing, openPage } from "./chromium.mjs";
import { chaining, documentBundle } from "./document-bundle.mjs";

if (browser === undefined) console.log(missing);
else await learn();

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
