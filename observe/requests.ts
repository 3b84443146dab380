/** What was asked of an API server, by its audit log, counted on its node. Pure. */
import { z } from "zod";
import { countTogether } from "./countTogether";

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
export const mergeRequests = (requests: readonly Request[]): Request[] =>
  countTogether(requests, ({ user, agent, verb, resource }) => JSON.stringify([user, resource, verb, agent]));
