// Module hooks: the ops, and the functions with derivatives of their own, are loaded with all their mutants in them.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mutantsOf } from "./mutants.mjs";

let next = 1;

export async function load(url, context, nextLoad) {
  if (!/\/packages\/autograd\/dist\/(ops\/.*|transform\/custom)\.js$/.test(url))
    return nextLoad(url, context);
  const file = url.replace(/.*\/dist\//, "");
  const { mutants, text } = mutantsOf(file, readFileSync(fileURLToPath(url), "utf8"), next);
  next += mutants.length;
  // At the end, so that lines stay where they are.
  const source = `${text}\n__mutation.mutants.push(...${JSON.stringify(mutants)});`;
  return { format: "module", source, shortCircuit: true };
}
