// The exported declarations of each entry of the packages, sorted: what a user of that entry can name. Behind them stands
// what the entry adds to the declarations of other modules, such as methods.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const read = (path) => readFileSync(path, "utf8").replaceAll("\r\n", "\n");

/** The entries of all packages below the root, each with the name of its report and the report's text, from `dist`. */
export function apiReports(root) {
  return readdirSync(join(root, "packages")).flatMap((folder) => {
    const { name, publishConfig } = JSON.parse(read(join(root, "packages", folder, "package.json")));
    return Object.entries(publishConfig.exports).map(([key, { types }]) => ({
      file: `${folder}${key.slice(1).replaceAll("/", "-")}.api.md`,
      text: report(name + key.slice(1), join(root, "packages", folder, types)),
    }));
  });
}

function report(title, path) {
  const names = [...exportsOf(path)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const texts = [...names.map(([, text]) => text), ...additionsOf(path)];
  return `# ${title}\n\nWritten by \`pnpm run docs\`; do not edit.\n\n\`\`\`ts no-run\n${texts.join("\n")}\n\`\`\`\n`;
}

/** The exported names of a declaration file and the texts of their declarations, re-exports followed. */
function exportsOf(path) {
  const text = read(path).replace(/^\/\/# .*$/gm, "");
  const names = new Map();
  for (const [name, declaration] of declarationsOf(text)) names.set(name, declaration);
  for (const [, space, from] of text.matchAll(/^export (?:type )?\* (?:as (\w+) )?from "([^"]+)";/gm)) {
    const source = exportsOf(fileOf(path, from));
    if (space === undefined) for (const [name, declaration] of source) names.set(name, declaration);
    else names.set(space, `namespace ${space}: ${[...source.keys()].sort().join(", ")}`);
  }
  for (const [, list, from] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gm)) {
    const source = exportsOf(fileOf(path, from));
    for (const item of list
      .split(",")
      .map((each) => each.trim())
      .filter(Boolean)) {
      const [own, alias = own] = item.replace(/^type /, "").split(" as ");
      const declaration = source.get(own);
      if (declaration === undefined)
        throw new Error(`${path} exports ${own}, which ${from} does not declare.`);
      names.set(alias, alias === own ? declaration : `${declaration} // as ${alias}`);
    }
  }
  return names;
}

/** What a declaration file and those that it loads from its own folder on add to other modules. */
function additionsOf(path, seen = new Set()) {
  if (seen.has(path)) return [];
  seen.add(path);
  const bare = bareTextOf(read(path));
  const own = bare.match(/^declare module "[^"]+" \{\n[\s\S]*?^\}/gm) ?? [];
  const loaded = [...bare.matchAll(/^(?:import|export) (?:[^"]* from )?"(\.[^"]+)";/gm)];
  return [...own, ...loaded.flatMap(([, from]) => additionsOf(fileOf(path, from), seen))];
}

function fileOf(path, from) {
  const file = join(dirname(path), from.replace(/\.[jt]s$/, ".d.ts"));
  if (!existsSync(file)) throw new Error(`${path}: no file ${file}`);
  return file;
}

const bareTextOf = (text) => text.replace(/\/\*\*[\s\S]*?\*\/\s*/g, "");

/** The declarations at the top level of a file; overloads and merged interfaces go together. */
function* declarationsOf(text) {
  const bare = bareTextOf(text);
  const found = new Map();
  const start = /^export (?:declare )?(?:abstract )?(?:const|let|function|class|interface|type) (\w+)/gm;
  const starts = [...bare.matchAll(start)];
  for (const match of starts) {
    const rest = bare.slice(match.index);
    const end = rest.slice(1).search(/^(?:export|import|declare|interface|type|class|const|function)\b/m);
    const declaration = rest
      .slice(0, end < 0 ? undefined : end + 1)
      .trim()
      .replace(/\n\s*\n/g, "\n");
    const before = found.get(match[1]);
    found.set(match[1], before === undefined ? declaration : `${before}\n${declaration}`);
  }
  yield* found;
}
