// Mutants of derivative rules, derived from the syntax tree. A file is changed once for all of its mutants: each changed
// place asks at run time whether its mutant is the active one.
import { parseSync } from "oxc-parser";

/** What makes a rule of a function, and which member of an object literal is one. */
const makers = ["partial", "singular", "linearRule", "bilinearRule", "pushed"];
const members = ["partial", "transpose", "push", "pull"];

/** Functions whose operands mean different things. */
const ordered = { sub: [0, 1], div: [0, 1], pow: [0, 1], matmul: [0, 1], atan2: [0, 1], where: [1, 2] };
const opposite = { add: "sub", sub: "add" };
/** Functions that fit a shape to another. */
const fitting = ["sum", "sumTo", "broadcastTo"];
const axes = ["axis", "along"];

/**
 * The mutants of a JavaScript source, `{ id, rule, kind, text }` with ids from `first` on, and the source that has them all:
 * it calls `__mutation.on(id)` at each changed place and `__mutation.rule(id, f)` around each rule.
 */
export function mutantsOf(file, source, first) {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const mutants = [];
  const text = new Writer(file, source, first, mutants).write(program);
  return { mutants, text };
}

class Writer {
  constructor(file, source, first, mutants) {
    Object.assign(this, { file, source, first, mutants, rule: null });
  }

  add(kind, text) {
    const id = this.first + this.mutants.length;
    this.mutants.push({ id, file: this.file, rule: this.rule, kind, text });
    return id;
  }

  slice({ start, end }) {
    return this.source.slice(start, end);
  }

  /** The text of a node, its children mutated. */
  write(node) {
    const rules = this.rule === null ? rulesIn(node) : [];
    let out = "";
    let at = node.start;
    for (const child of childrenOf(node)) {
      // `import { x }` names one place twice.
      if (child.start < at) continue;
      out += this.source.slice(at, child.start);
      out += rules.includes(child) ? this.writeRule(child) : this.write(child);
      at = child.end;
    }
    out += this.source.slice(at, node.end);
    return this.rule === null ? out : this.mutate(node, out);
  }

  writeRule(node) {
    this.rule = `${this.nameBefore(node.start)} ${oneLine(this.slice(node)).slice(0, 60)}`;
    const ids = ["sign", "factor", "dropped"].map((kind) => this.add(kind, "the whole rule"));
    const text = this.write(node);
    this.rule = null;
    return `__mutation.rule(${ids[0]}, ${text})`;
  }

  /** The name of the op that a rule belongs to: the last `name: "..."` or declaration before it. */
  nameBefore(start) {
    const before = this.source.slice(0, start);
    const found = [...before.matchAll(/\bname: "(\w+)"|^(?:export )?(?:const|function) (\w+)/gm)].at(-1);
    return found ? (found[1] ?? found[2]) : "?";
  }

  mutate(node, text) {
    const changed = alternatives(node, (other) => this.slice(other));
    return changed.reduce((out, [kind, other]) => {
      const id = this.add(kind, `${oneLine(this.slice(node))} -> ${oneLine(other)}`);
      return `(__mutation.on(${id}) ? ${other} : ${out})`;
    }, text);
  }
}

const oneLine = (text) => text.replace(/\s+/g, " ");

/** The rules that are arguments or members of this node. */
function rulesIn(node) {
  const isFunction = ({ type }) => type === "ArrowFunctionExpression" || type === "FunctionExpression";
  if (node.type === "CallExpression" && makers.includes(node.callee.name))
    return node.arguments.filter(isFunction);
  const isMember =
    node.type === "Property" && !node.method && members.includes(node.key.name) && isFunction(node.value);
  return isMember ? [node.value] : [];
}

/** What may stand in the place of an expression: `[kind, text]`. */
function alternatives(node, text) {
  if (node.type === "Literal" && typeof node.value === "number" && node.value !== 0 && !node.fixed)
    return [["sign", `-(${node.raw})`]];
  if (node.type === "Identifier" && axes.includes(node.name) && node.argument)
    return [["axis", `(-1 - ${node.name})`]];
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier") return [];
  const { name } = node.callee;
  const [a, b, ...rest] = node.arguments.map(text);
  const found = [];
  if (opposite[name] && b !== undefined) found.push(["sign", `${opposite[name]}(${a}, ${b})`]);
  if (name === "neg") found.push(["sign", a]);
  if (["add", "mul", "div", "chain"].includes(name) && b !== undefined) found.push(["dropped", a]);
  if (["add", "mul", "chain"].includes(name) && b !== undefined) found.push(["dropped", b]);
  if (ordered[name] && b !== undefined) {
    const operands = [a, b, ...rest];
    const [i, j] = ordered[name];
    [operands[i], operands[j]] = [operands[j], operands[i]];
    if (operands[j] !== undefined) found.push(["swapped", `${name}(${operands.join(", ")})`]);
  }
  if (fitting.includes(name)) found.push(["fit", a]);
  return found;
}

/** The children of a node in the order of the source, marked where they are no plain expressions. */
function childrenOf(node) {
  const children = [];
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child === null || typeof child !== "object" || typeof child.type !== "string") continue;
      if (key === "property" && !node.computed) continue;
      if (node.type === "Property" && (key === "key" || node.shorthand)) continue;
      if (key === "params" || key === "id") continue;
      if (key === "property" || (node.type === "UnaryExpression" && key === "argument")) child.fixed = true;
      if (node.type === "CallExpression" && key === "arguments") child.argument = true;
      children.push(child);
    }
  }
  return children.sort((x, y) => x.start - y.start);
}
