/** Something that happened so often, from its first time to its last (RFC 3339, UTC, of one length). */
interface Counted {
  readonly times: number;
  readonly first: string;
  readonly last: string;
}

/** Makes one of all that have the same key, ordered by the key. Pure. */
export function countTogether<T extends Counted>(all: readonly T[], keyOf: (one: T) => string): T[] {
  const merged = new Map<string, T>();
  for (const one of all) {
    const key = keyOf(one);
    const known = merged.get(key);
    merged.set(key, {
      ...one,
      times: one.times + (known?.times ?? 0),
      first: known && known.first < one.first ? known.first : one.first,
      last: known && known.last > one.last ? known.last : one.last,
    });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
