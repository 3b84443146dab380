/** The key `osPatch`: whether the nodes' OS is patched in their turns, and when they are rebooted (issue 7). Default: not at all. */
import { z } from "zod";
import { hinted } from "./hints";

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
  })
  .prefault({});
