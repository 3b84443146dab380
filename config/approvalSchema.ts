/** The approval of a change (procedure §3.2): read by `change apply` alone, which enforces it; plain `pulumi up` does not. */
import { z } from "zod";
import * as formats from "./formats";
import { hinted } from "./hints";

export const approvalField = z
  .strictObject({
    changeId: hinted(
      z.string().regex(formats.changeId),
      "the changeId of the change that is approved",
      "CR-2025-068",
    ).optional(),
    approver: hinted(
      z.string().regex(/^[^\s"']+( [^\s"']+)*$/),
      "who approved it; where allowedSigners is set, the name that stands there",
      "cab@example.org",
    ).optional(),
    digest: hinted(
      z.string().regex(/^[0-9a-f]{16,64}$/),
      "the digest of the change request, its first 16 digits at least",
      "0ba87b4f83e411fd",
    ).optional(),
    allowedSigners: hinted(
      z.array(
        hinted(
          z.string().regex(/^\S+ .*(ssh-|ecdsa-|sk-)\S+ \S+/),
          "a line of an allowed signers file (ssh-keygen(1))",
          "cab@example.org ssh-ed25519 AAAAC3Nz…",
        ),
      ),
      "a list of lines of an allowed signers file (ssh-keygen(1))",
    ).default([]),
  })
  .prefault({});
