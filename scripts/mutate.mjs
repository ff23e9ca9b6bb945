// node scripts/mutate.mjs [WORD]: breaks every derivative rule in every way that its syntax tree offers, and counts what
// `checkGradient` and the laws catch. With WORD only rules whose file or op contains it. Ends with an error if a mutant survives.
import { register } from "node:module";
import { checkIntended, customs } from "./mutation/customs.mjs";
import { excuses } from "./mutation/excused.mjs";

const word = process.argv[2] ?? "";
const start = performance.now();

let active = 0;
let covered = null;
const isActive = (id) => {
  covered?.add(id);
  return active === id;
};
globalThis.__mutation = {
  mutants: [],
  on: isActive,
  /** The rule `f` with its whole answer negated, scaled or dropped as mutants `id`, `id + 1` and `id + 2`. */
  rule: (id, f) =>
    function (...operands) {
      const [negated, scaled, dropped] = [isActive(id), isActive(id + 1), isActive(id + 2)];
      const answer = f.apply(this, operands);
      return negated ? mul(answer, -1) : scaled ? mul(answer, 1.01) : dropped ? mul(answer, 0) : answer;
    },
};

register("./mutation/hooks.mjs", import.meta.url);
const autograd = await import("../packages/autograd/dist/index.js");
const { laws, sampledCall } = await import("../packages/autograd/dist/testing/index.js");
const { checkGradient, Draw, mul: plainMul, registry } = autograd;
const functions = new Map([...registry, ...customs(autograd)]);
const mul = (x, factor) => (typeof x === "number" ? x * factor : plainMul(x, factor));
const { mutants } = globalThis.__mutation;

const functionsOf = findUsers();
const checks = {
  checkGradient: (call, draw) => check(call, draw, 1) && check(call, draw, 2),
  laws: (call, draw) => {
    if (call.f.standsFor) checkIntended(autograd, call.f, call.inputs, draw);
    else for (const law of laws.slice(1, 5)) law.check(call, draw);
    return true;
  },
};
const wanted = mutants.filter(({ file, rule }) => `${file} ${rule}`.includes(word));
const counts = { checkGradient: 0, laws: 0, either: 0 };
const alive = [];
wanted.forEach((mutant, i) => {
  const caught = Object.keys(checks).filter((name) => isCaught(mutant.id, checks[name]));
  for (const name of caught) counts[name]++;
  if (caught.length > 0) counts.either++;
  else alive.push(mutant);
  if (process.stdout.isTTY) process.stdout.write(`\r${i + 1} of ${wanted.length}`);
});
report();

/** Which functions run through the place of each mutant: by id, the names. */
function findUsers() {
  const users = new Map(mutants.map(({ id }) => [id, []]));
  for (const name of functions.keys()) {
    covered = new Set();
    for (let seed = 0; seed < 24; seed++)
      attempt(name, seed, (call, draw) => check(call, draw, 1) && check(call, draw, 2));
    for (const id of covered) users.get(id).push(name);
  }
  covered = null;
  // A function with few rules shows best what is wrong with one of them.
  const breadth = new Map();
  for (const names of users.values())
    for (const name of names) breadth.set(name, (breadth.get(name) ?? 0) + 1);
  for (const { id, rule } of mutants) {
    const own = (name) => (rule.startsWith(`${name} `) ? 0 : breadth.get(name));
    users.get(id).sort((a, b) => own(a) - own(b));
  }
  return users;
}

/** Does one of the functions that use it show it? An error counts too. */
function isCaught(id, holds) {
  active = id;
  try {
    return functionsOf
      .get(id)
      .slice(0, 12)
      .some((name, i) => {
        const seeds = Array.from({ length: i < 2 ? 16 : 4 }, (_, seed) => seed);
        return seeds.some((seed) => !attempt(name, seed, holds));
      });
  } finally {
    active = 0;
  }
}

/** Does the sampled call of this seed pass? */
function attempt(name, seed, holds) {
  const random = sequence(seed);
  const integer = (low, high) => low + Math.floor(random() * (high - low + 1));
  const draw = new Draw({ integer, real: (low, high) => low + (high - low) * random() }, "float64");
  const f = functions.get(name);
  try {
    return holds(sampledCall(f, f.samples(draw)), draw);
  } catch {
    return false;
  }
}

function check({ inputs, apply }, _, order) {
  if (inputs.length === 0 || !apply(inputs).dtype.startsWith("float")) return true;
  return checkGradient((...others) => apply(others), inputs, { order, directions: 2 }).verdict !== "fail";
}

/** Even numbers from 0 to 1 (Tommy Ettinger's mulberry32). */
function sequence(seed) {
  // Seeds that are neighbours begin alike.
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

function report() {
  const rules = new Map();
  for (const { file, rule } of wanted) rules.set(`${file} ${rule}`, (rules.get(`${file} ${rule}`) ?? 0) + 1);
  const excused = alive.filter((mutant) => excuses.some((excuse) => isExcused(mutant, excuse)));
  const survivors = alive.filter((mutant) => !excused.includes(mutant));
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  for (const { file, rule, kind, text, id } of survivors)
    console.log(
      `survived: ${file}: ${rule}\n  ${kind}: ${text}${functionsOf.get(id).length === 0 ? " (never run)" : ""}`,
    );
  console.log(
    `${wanted.length} mutants of ${rules.size} rules, at least ${Math.min(...rules.values())} each: ${counts.either} caught ` +
      `(${counts.checkGradient} by checkGradient, ${counts.laws} by the laws), ${excused.length} excused, ` +
      `${survivors.length} survived, in ${seconds} s`,
  );
  if (survivors.length > 0 || excused.length > 0.02 * wanted.length) process.exitCode = 1;
}

function isExcused({ file, rule, kind, text }, excuse) {
  return (
    file === excuse.file &&
    rule.startsWith(excuse.rule) &&
    kind === excuse.kind &&
    text.startsWith(excuse.text)
  );
}
