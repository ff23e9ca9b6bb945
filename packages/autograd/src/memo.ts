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

/** A number for `x`, in the order in which they were asked for. */
export function numbered<K>(numbers: Map<K, number>, x: K): number {
  const known = numbers.get(x);
  if (known !== undefined) return known;
  numbers.set(x, numbers.size);
  return numbers.size - 1;
}
