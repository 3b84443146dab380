const startedAt = Date.now();

/** Prints a line with the seconds since the command began, to standard error: standard output is for results. */
export function say(line: string): void {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  process.stderr.write(`[${String(seconds).padStart(4)} s] ${line}\n`);
}

/** Says what begins, does it, and says how long it took. */
export async function step<T>(what: string, action: () => Promise<T>): Promise<T> {
  say(what);
  const from = Date.now();
  const result = await action();
  const seconds = (Date.now() - from) / 1000;
  if (seconds >= 1) say(`${what}: done in ${seconds.toFixed(1)} s`);
  return result;
}
