/** Does something for each of many, at most so many at once, so that a large cluster does not look like an attack. In their order. */
export async function atMost<T, R>(
  limit: number,
  all: readonly T[],
  action: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(all.length);
  const waiting = all.entries();
  const worker = async () => {
    for (const [i, one] of waiting) results[i] = await action(one);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
