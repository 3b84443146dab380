/** What an API server's answer to `/readyz?verbose` says of it and of its etcd. */
import type { Access, Address } from "./access";
import { ask } from "./access";
import type { Sample } from "./series";

/** From here on a latency is concerning (procedure §4.1): an answer that is not there by then is as good as none. */
export const DEADLINE_MS = 2_000;

/** Asks a target once. Never throws; undefined where it was told to stop. */
export async function sample(
  target: string,
  address: Address,
  access: Access,
  stop: AbortSignal,
): Promise<Sample | undefined> {
  const began = Date.now();
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const seen = { at: new Date(began).toISOString(), target };
  try {
    const answer = await ask(address, "/readyz?verbose", access, AbortSignal.any([deadline, stop]));
    return { ...seen, ...judge(answer.status, answer.body, Date.now() - began) };
  } catch (error) {
    if (stop.aborted) return undefined;
    return { ...seen, error: deadline.aborted ? `no answer within ${DEADLINE_MS} ms` : reasonOf(error) };
  }
}

/**
 * The API server itself lists its checks, `[+]etcd ok` among them, since that asks etcd through its own client. Pure.
 * What a member of etcd says itself is on its own node's loopback alone (RKE2: 127.0.0.1:2381), so it is not asked here.
 */
export function judge(status: number, body: string, ms: number): Omit<Sample, "at" | "target"> {
  const checks = [...body.matchAll(/^\[([+-])\](\S+)/gm)].map(([, mark, name]) => ({
    ok: mark === "+",
    name,
  }));
  const found = checks.find(({ name }) => name === "etcd");
  const etcd = found && { etcd: found.ok };
  if (status === 200) return { ms, ...etcd };
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return { error: `HTTP ${status}${failed.length > 0 ? `: ${failed.join(", ")}` : ""}`, ...etcd };
}

/** Why there was no answer, in a word that stays the same while the reason does. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
