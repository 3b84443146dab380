/** The fields that the schema is made of: one format each, with what a message says about it. */
import { z } from "zod";
import * as formats from "./formats";
import { hinted } from "./hints";
import { HOST_KEY_ALGORITHMS, hostKeyFault } from "./hostKey";
import { NAMESPACE } from "./mistakes";
import { parseVersion } from "./versions";

export const host = (example: string) =>
  hinted(
    z.string().refine(formats.isHost),
    "an IPv4 address or a DNS name in lower case, no port, no scheme",
    example,
  );

export const ipv4 = (example: string) => hinted(z.ipv4(), "an IPv4 address", example);

export const version = hinted(
  z.string().refine((text) => parseVersion(text) !== undefined),
  "one exact RKE2 release, vX.Y.Z+rke2rN",
  "v1.36.3+rke2r1",
  { why: "channels move, have moved backwards and have skipped minors (rancher/rke2#3755, #6657)" },
);

export const vmId = hinted(
  z.int().min(100).max(999_999_999),
  "the VM's ID in Proxmox, 100–999999999, as a number",
  "3001",
);

export const port = hinted(z.int().min(1).max(65535), "a TCP port, 1–65535", "22");
export const user = hinted(
  z.string().regex(formats.linuxUser),
  "a Linux user's name with passwordless sudo",
  "admin",
);

export const certificate = hinted(
  z.string().refine(formats.isCertificateBundle),
  "one or more certificates in PEM form, as text",
  undefined,
  {
    next: () =>
      "leave it out where the system's own authorities vouch for it, else put the PEM text here (YAML: a | block)",
  },
);

/** Where a node fetches something from: a server, or a folder that every node has mounted. */
export const SOURCES = ["https", "http", "file"] as const;

/** A whole number with a unit in its key's name. Zero and less are never meant. */
export const amount = (unit: string, max: number) =>
  hinted(z.int().min(1).max(max), `a whole number of ${unit}, 1–${max}`);
export const seconds = (max = 7200) => amount("seconds", max);

export const hostKey = hinted(
  z.string().superRefine((text, ctx) => {
    const fault = hostKeyFault(text);
    if (fault) ctx.addIssue({ code: "custom", message: fault });
  }),
  `the node's public host key, "<algorithm> <base64>", of ${HOST_KEY_ALGORITHMS.join(", ")}`,
  undefined,
  {
    next: (path, parent) => {
      const given = String((parent as { address?: unknown } | undefined)?.address);
      const address = formats.isHost(given) ? given : "ADDRESS";
      const scan = `$(ssh-keyscan -t ecdsa ${address} 2>/dev/null | cut -d' ' -f2-)`;
      return `pulumi config set --path '${NAMESPACE}:${path}' "${scan}", then compare it at the VM's console in Proxmox: ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub`;
    },
  },
);

export const podGlobs = hinted(
  z.array(
    hinted(
      z.string().regex(formats.podGlob),
      'pods as "namespace/name", * for any letters, or "*" for all pods',
      "monitoring/prometheus-*",
    ),
  ),
  'a list of "namespace/name", * for any letters',
).default([]);
