/** Items as they come; awaited, it goes through all that are left and gives them in the end. */
export interface Series<T> extends AsyncGenerator<T, void>, PromiseLike<readonly T[]> {}

/** Makes `items` a series, which gives `all` when it is awaited, or else what it went through. */
export function series<T>(items: AsyncGenerator<T, void>, all?: readonly T[]): Series<T> {
  let whole: Promise<readonly T[]> | null = null;
  // Else what is awaited, as in other libraries, would never begin.
  const then: Series<T>["then"] = (...whenDone) => {
    whole ??= restOf(items).then((rest) => all ?? rest);
    return whole.then(...whenDone);
  };
  return Object.assign(items, { then });
}

async function restOf<T>(items: AsyncGenerator<T, void>): Promise<T[]> {
  const rest: T[] = [];
  for await (const item of items) rest.push(item);
  return rest;
}
