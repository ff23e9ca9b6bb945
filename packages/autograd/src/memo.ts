/** What `known` has for `key`, which is made and kept if there is nothing yet. */
export function remembered<K, V>(
  known: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: (key: K) => V,
): V {
  let found = known.get(key);
  if (found === undefined) {
    found = make(key);
    known.set(key, found);
  }
  return found;
}

/** Moves entry `i` of a list to its front, where what was used last is. */
export function moveToFront<T>(list: T[], i: number): void {
  const found = list[i]!;
  for (let k = i; k > 0; k--) list[k] = list[k - 1]!;
  list[0] = found;
}

/** Drops entries at the end of a list until there are at most `most`, of at most so many bytes in all; the first one stays in any case. */
export function dropLast<T>(list: T[], most: number, mostBytes: number, bytesOf: (x: T) => number): void {
  let bytes = 0;
  let kept = 0;
  while (kept < Math.min(list.length, most)) {
    bytes += bytesOf(list[kept]!);
    if (kept > 0 && bytes > mostBytes) break;
    kept++;
  }
  list.length = kept;
}

/** A number for `x`, in the order in which they were asked for. */
export function numbered<K>(numbers: Map<K, number>, x: K): number {
  const known = numbers.get(x);
  if (known !== undefined) return known;
  numbers.set(x, numbers.size);
  return numbers.size - 1;
}
