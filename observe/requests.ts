/** What was asked of an API server, by its audit log, counted on its node. Pure. */
import { z } from "zod";

export const requestSchema = z.strictObject({
  user: z.string(),
  agent: z.string().describe("The client's own name, which is no proof: `kubectl`."),
  verb: z.string(),
  resource: z.string().describe("With its subresource: `pods/exec`."),
  times: z.number().int().positive(),
  first: z.iso.datetime().describe("By the server's clock."),
  last: z.iso.datetime(),
});
export type Request = z.infer<typeof requestSchema>;

/** Reads look-access.sh's `audited` lines. */
export const parseRequests = (lines: readonly string[]): Request[] =>
  mergeRequests(
    lines.map((line) => {
      const [times, user, agent, verb, resource, first, last] = line.split("\t");
      return requestSchema.parse({ user, agent, verb, resource, times: Number(times), first, last });
    }),
  );

/** Counts equal ones together, by user, resource and verb. */
export function mergeRequests(requests: readonly Request[]): Request[] {
  const merged = new Map<string, Request>();
  for (const request of requests) {
    const { user, agent, verb, resource, times, first, last } = request;
    const key = JSON.stringify([user, resource, verb, agent]);
    const known = merged.get(key);
    merged.set(key, {
      ...request,
      times: times + (known?.times ?? 0),
      first: known && known.first < first ? known.first : first,
      last: known && known.last > last ? known.last : last,
    });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, request]) => request);
}
