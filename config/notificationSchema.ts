/** Who is told of a change, and by what (procedure §2.3, §3.2); and the sign-off of Operations. Read by `change` alone. */
import { z } from "zod";
import { certificate, host, port } from "./fields";
import * as formats from "./formats";
import { hinted } from "./hints";

/** What a channel may be given: the announcement, and what a run tells (report/live/event.ts). */
export const NOTIFIED = ["announcement", "start", "nodeDone", "held", "failed", "done", "rollback"] as const;

/** The teams of procedure §2.3, by their key in the config. */
export const STAKEHOLDERS = ["infrastructure", "changeAdvisoryBoard", "devOps", "operations"] as const;

const events = hinted(
  z.array(hinted(z.enum(NOTIFIED), NOTIFIED.join(", "), "failed")).min(1),
  `what this channel is told, of ${NOTIFIED.join(", ")}; leave it out for all`,
).default([...NOTIFIED]);

/** Over http where it goes to this machine itself, or where that is consented to (rules.ts). */
const url = (allowed: string, example: string) =>
  hinted(
    z.string().refine((text) => formats.isUrl(text, ["https", "http"])),
    `${allowed}: https; no user, query or fragment`,
    example,
  );

const plainHttp = hinted(
  z.boolean(),
  "true or false: whether its url may be http, on a network that is yours alone",
  "true",
).default(false);

const address = (example: string) => hinted(z.string().regex(formats.mailAddress), "a mail address", example);
const addresses = (example: string) =>
  hinted(z.array(address(example)), "a list of mail addresses").default([]);

const webhook = hinted(
  z.strictObject({
    url: url("the receiver's URL", "https://hooks.example.org/rke2"),
    plainHttp,
    caCertificate: certificate.optional(),
    events,
  }),
  "an object: url and, where they are needed, plainHttp, caCertificate and events; its secret goes to webhookSecret",
);

const smtp = hinted(
  z.strictObject({
    host: host("mail.example.org"),
    tls: hinted(
      z.enum(["starttls", "implicit", "none"]),
      '"starttls", "implicit" (TLS from the first byte), or "none" to this machine itself',
      "starttls",
    ).default("starttls"),
    port: port.optional(),
    user: hinted(
      z.string().min(1),
      "the name to log in with; its password goes to smtpPassword",
      "rke2-upgrade",
    ).optional(),
    caCertificate: certificate.optional(),
    from: address("rke2-upgrade@example.org"),
    to: addresses("cluster-news@example.org"),
    events,
  }),
  "an object: host, from and, where they are needed, to, tls, port, user, caCertificate and events",
);

const glpi = hinted(
  z.strictObject({
    url: url(
      "the API's URL, as GLPI shows it under Setup > General > API",
      "https://glpi.example.org/apirest.php",
    ),
    plainHttp,
    ticket: hinted(
      z.union([z.int().min(1), z.literal("create")]),
      'the number of the change\'s ticket, or "create" to have one made',
      "1268",
    ).default("create"),
    inventory: hinted(z.boolean(), "true or false", "false").default(true),
    caCertificate: certificate.optional(),
    events,
  }),
  "an object: url and, where they are needed, plainHttp, ticket, inventory, caCertificate and events; its tokens go to glpiUserToken and glpiAppToken",
);

export const notificationFields = {
  notifications: hinted(
    z.strictObject({
      webhook: webhook.optional(),
      smtp: smtp.optional(),
      glpi: glpi.optional(),
      stakeholders: z
        .strictObject({
          infrastructure: addresses("infrastructure@example.org"),
          changeAdvisoryBoard: addresses("cab@example.org"),
          devOps: addresses("devops@example.org"),
          operations: addresses("operations@example.org"),
        })
        .prefault({}),
    }),
    "an object: webhook, smtp, glpi and stakeholders",
  ).prefault({}),
  signOff: z
    .strictObject({
      required: hinted(z.boolean(), "true or false", "true").default(false),
      changeId: hinted(
        z.string().regex(formats.changeId),
        "the changeId of the change that is signed off",
        "CR-2025-068",
      ).optional(),
      by: hinted(
        z.string().regex(/^[^\s"']+( [^\s"']+)*$/),
        "who signed off for Operations",
        "operations@example.org",
      ).optional(),
      at: hinted(
        z.string().refine(formats.isMoment),
        "when, YYYY-MM-DD or YYYY-MM-DDTHH:MMZ, in quotes",
        "2026-11-29T05:10Z",
      ).optional(),
    })
    .prefault({}),
};
