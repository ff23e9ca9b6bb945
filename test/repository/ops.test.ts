import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as autograd from "@cotangent/autograd";
import { formula, registry, Tensor } from "@cotangent/autograd";
import { expect, test } from "vitest";
import { opsDocument, opsSources } from "../../scripts/ops-document.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("docs/ops.md says what the registry holds", () => {
  const committed = readFileSync(join(root, "docs", "ops.md"), "utf8").replaceAll("\r\n", "\n");
  const present = opsDocument({ registry, formula, sources: opsSources(root) });
  expect(committed, "docs/ops.md is out of date: `pnpm run docs` writes it").toBe(present);
});

test("docs/ops.md says which functions are methods", () => {
  const text = readFileSync(join(root, "docs", "ops.md"), "utf8").replaceAll("\r\n", "\n");
  const methods = [...text.matchAll(/^- \*\*(\w+)\*\*.*\n {2}- .*; method$/gm)].map(([, name]) => name!);
  const present = [...registry.keys()].filter((name) => name in Tensor.prototype);
  // These take no tensor first.
  const others = ["cat", "stack", "meshgrid", "einsum"];
  expect(methods.toSorted()).toEqual(present.filter((name) => !others.includes(name)).toSorted());
});

test("every function of the registry is exported under its name", () => {
  const exported = new Map<string, unknown>(Object.entries(autograd));
  expect([...registry.keys()].filter((name) => exported.get(name) !== registry.get(name))).toEqual([]);
});

test("every function with samples that is exported is in the registry under its name", () => {
  const declared = Object.entries(autograd).filter(([, f]) => typeof f === "function" && "samples" in f);
  expect(declared.filter(([name, f]) => registry.get(name) !== f).map(([name]) => name)).toEqual([]);
});
