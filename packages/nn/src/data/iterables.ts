import { ValueError } from "@cotangent/autograd/functional";

/**
 * What `f` makes of each item of `source`, one at a time: `f(item, index)`. What can be gone through again gives something that can
 * too; an async iterable gives an async one, and then `f` may give promises.
 *
 * @example
 * ```ts
 * import { map } from "@cotangent/nn/data";
 * [...map([1, 2, 3], (x) => x * x)]; // => [ 1, 4, 9 ]
 * ```
 */
export function map<A, B>(
  source: AsyncIterable<A>,
  f: (item: A, index: number) => B | Promise<B>,
): AsyncIterable<B>;
// The usual overload is the last: errors are told of that one.
export function map<A, B>(source: Iterable<A>, f: (item: A, index: number) => B): Iterable<B>;
export function map<A, B>(
  source: Iterable<A> | AsyncIterable<A>,
  f: (item: A, index: number) => B | Promise<B>,
): Iterable<B | Promise<B>> | AsyncIterable<B> {
  if (isAsync(source))
    return {
      async *[Symbol.asyncIterator]() {
        let index = 0;
        for await (const item of source) yield await f(item, index++);
      },
    };
  return {
    *[Symbol.iterator]() {
      let index = 0;
      for (const item of source) yield f(item, index++);
    },
  };
}

function isAsync<A>(source: Iterable<A> | AsyncIterable<A>): source is AsyncIterable<A> {
  return typeof source === "object" && Symbol.asyncIterator in source;
}

/**
 * The items of `source`, of which up to `count` (2 unless given) are asked for ahead of time: while a batch is trained on, the next
 * ones are read. An error comes at its turn; leaving the loop ends the source. Throws ValueError unless `count` is a whole number
 * of at least 1.
 *
 * @example
 * ```ts
 * import { prefetch } from "@cotangent/nn/data";
 * const seen: number[] = [];
 * for await (const item of prefetch([1, 2, 3])) seen.push(item);
 * seen; // => [ 1, 2, 3 ]
 * ```
 */
export function prefetch<A>(source: Iterable<A> | AsyncIterable<A>, count = 2): AsyncIterable<Awaited<A>> {
  if (!Number.isInteger(count) || count < 1)
    throw new ValueError(`prefetch: the count is a whole number of at least 1, got ${count}`);
  return {
    async *[Symbol.asyncIterator]() {
      const items = itemsOf(source)[Symbol.asyncIterator]();
      const asked: Promise<IteratorResult<Awaited<A>>>[] = [];
      try {
        for (;;) {
          while (asked.length < count) {
            const next = items.next();
            // Whoever waits for it gets the error; until then nobody does.
            next.catch(() => {});
            asked.push(next);
          }
          const { done, value } = await asked.shift()!;
          if (done) return;
          yield value;
        }
      } finally {
        await items.return?.();
      }
    },
  };
}

async function* itemsOf<A>(source: Iterable<A> | AsyncIterable<A>): AsyncGenerator<Awaited<A>, void> {
  for await (const item of source) yield item;
}
