/** The key `osPatch`: whether the nodes' OS is patched in their turns, and when they are rebooted. Default: not at all. */
import { z } from "zod";
import * as formats from "./formats";
import { hinted } from "./hints";

/** A change ID: the one change in which patches are the work, named so that a left-over key begins no other. */
const round = hinted(
  z.string().regex(formats.changeId),
  "the changeId of the change that patches without a version bump",
  "CR-2025-068",
);

export const osPatchField = z
  .strictObject({
    packages: hinted(
      z.enum(["none", "security", "full"]),
      '"none", "security" or "full"',
      "security",
    ).default("none"),
    reboot: hinted(
      z.enum(["whenNeeded", "always", "never"]),
      '"whenNeeded", "always" or "never"',
      "whenNeeded",
    ).default("whenNeeded"),
    servers: hinted(z.boolean(), "true or false", "true", {
      why: "servers are drained only where they are patched",
    }).default(false),
    round: round.optional(),
    acceptedRound: round.optional(),
  })
  .prefault({});
