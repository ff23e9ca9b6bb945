/** One setting of a layer as `name=value`, or each entry of an options object so; nothing for what was not given. */
export function settings(name: string | undefined, value: unknown): string[] {
  if (value === undefined) return [];
  if (name !== undefined)
    return [`${name}=${Array.isArray(value) ? `[${value.join(", ")}]` : String(value)}`];
  return Object.entries(Object(value)).flatMap(([key, entry]) => settings(key, entry));
}
