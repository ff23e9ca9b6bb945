import { FormatError } from "@cotangent/autograd/functional";

/**
 * The value of a JSON text in UTF-8. Throws FormatError, beginning with `name`, if it is none, and if an object has a name
 * twice, of which JSON.parse silently keeps the last.
 */
export function parseJson(name: string, bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`${name} is not JSON in UTF-8: ${reason}`, { cause });
  }
  const counts = countNames(value);
  for (const key of namesIn(text)) {
    const left = counts.get(key) ?? 0;
    if (left === 0) throw new FormatError(`${name} has ${JSON.stringify(key)} twice`);
    counts.set(key, left - 1);
  }
  return value;
}

/** How often each name stands in the objects of `value`. */
function countNames(value: unknown): Map<string, number> {
  const counts = new Map<string, number>();
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    if (!Array.isArray(next))
      for (const key of Object.keys(next)) counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const inner of Object.values(next)) open.push(inner);
  }
  return counts;
}

/** The names in a valid JSON text, in order: the strings that a colon follows. */
function* namesIn(text: string): Generator<string> {
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    const start = at;
    at = endOfString(text, start);
    let next = at;
    while (/\s/.test(text[next] ?? "")) next++;
    if (text[next] === ":") yield JSON.parse(text.slice(start, at));
  }
}

/** Where the string that begins at `start` is over, behind its quote. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
}
