import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registry, Tensor } from "@cotangent/autograd";
import { expect, test } from "vitest";
import { packed } from "../../scripts/pure.mjs";

const path = join(
  fileURLToPath(new URL("../..", import.meta.url)),
  ...["packages", "autograd", "src", "ops", "methods.ts"],
);

test("a packed list of modules has every method by name", () => {
  const text = packed(path, readFileSync(path, "utf8"));
  const methods = [...registry.keys()].filter((name) => name in Tensor.prototype);
  expect(text).not.toContain("import *");
  expect(methods.length).toBeGreaterThan(100);
  const isListed = (name: string) => {
    const own = new RegExp(`\\b${name} as (\\w+)`).exec(text)?.[1];
    return own !== undefined && text.split(new RegExp(`\\b${own}\\b`)).length === 3;
  };
  expect(methods.filter((name) => !isListed(name))).toEqual([]);
});

test("what is packed is packed as it is", () => {
  const once = packed(path, readFileSync(path, "utf8"));
  expect(packed(path, once)).toBe(once);
});

test("a module that is more than listed stays one", () => {
  const code = 'import * as at from "./at.ts";\nexport const all = [at];\nexport const one = at.at;\n';
  expect(packed(path, code)).toBe(code);
});
