/** The key `agents`: how many of them go at once, and which first. Default: one at a time, as the procedure has it. */
import { z } from "zod";
import { seconds } from "./fields";
import { hinted } from "./hints";

export const agentsField = z
  .strictObject({
    maxUnavailable: hinted(
      z.union([z.int().min(1).max(1000), z.string().regex(/^([1-9]\d?|100)%$/)]),
      'a whole number of agents from 1 on, or a percentage of them, "1%"–"100%", rounded down but at least one',
      "25%",
      { why: "so many agents may be NotReady or cordoned at once; servers always go one at a time" },
    ).default(1),
    canary: hinted(
      z.int().min(0).max(100),
      "how many agents go first, alone: a whole number, 0–100",
      "1",
    ).optional(),
    canarySoakSeconds: seconds().default(60),
    shareHost: hinted(z.boolean(), "true or false", "true").default(false),
  })
  .prefault({});
