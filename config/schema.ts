/**
 * The stack's config: every key with its type, default and rule. zod checks the shape; what takes several keys to
 * judge is in rules.ts. Pulumi.yaml declares the same keys and defaults to the engine, docs/config.md explains them
 * to people; test/config holds the three together.
 */
import { z } from "zod";
import { approvalField } from "./approvalSchema";
import {
  amount,
  certificate,
  host,
  hostKey,
  ipv4,
  podGlobs,
  port,
  SOURCES,
  seconds,
  user,
  version,
  vmId,
} from "./fields";
import * as formats from "./formats";
import { gpuTestField } from "./gpuTestSchema";
import { hinted } from "./hints";
import { notificationFields } from "./notificationSchema";
import { operatorsField } from "./operatorsSchema";
import { osPatchField } from "./osPatchSchema";
import { policyFields } from "./policySchema";
import { rancherFields } from "./rancherSchema";
import { scanField } from "./scanSchema";
import { agentsField } from "./wavesSchema";

const node = z.strictObject({
  name: hinted(
    z.string().regex(formats.nodeName),
    "the node's name in Kubernetes, in lower case: letters, digits, - and ., at most 63 in all",
    "proj-k8sm01",
  ),
  role: hinted(z.enum(["server", "agent"]), '"server" or "agent"', "agent"),
  address: host("10.25.20.11"),
  internalIp: ipv4("10.25.20.11").optional(),
  hostKey,
  vmId,
  proxmoxNode: hinted(
    z.string().regex(formats.proxmoxNode),
    "the name of the Proxmox host that holds the VM",
    "node01",
  ),
  gpu: hinted(z.boolean(), "true or false", "true").default(false),
  user: user.optional(),
  port: port.optional(),
});

/** Hosts on which several servers may stay together, whatever fails with them. */
const sharedHost = z
  .array(
    hinted(
      z.string().regex(formats.proxmoxNode),
      "the name of a Proxmox host that may hold several servers",
      "node01",
    ),
  )
  .default([]);

const DEFAULTS = {
  scriptUrl: "https://get.rke2.io",
  artifactUrl: "https://github.com/rancher/rke2/releases/download",
  image: "docker.io/library/busybox:1.37.0",
} as const;

/** The ways back there are; which one is allowed follows from versions and nodes (goBackPolicy.ts). */
export const GO_BACK_STRATEGIES = ["reinstall", "restore", "rollback"] as const;
/** The restore test's VM where the config names none: far from the lab's, which begin at 3001. */
export const RESTORE_TEST_VM_ID = 9900;

/** Every key that may stand in the stack's config, secrets aside. */
export const settingsSchema = z.strictObject({
  rke2Version: version,
  acceptedVersion: version,
  goBack: hinted(
    z.strictObject({
      strategy: hinted(
        z.enum(GO_BACK_STRATEGIES),
        '"reinstall", "restore" or "rollback" (docs/goBack.md)',
        "restore",
      ),
      nodes: hinted(
        z.array(hinted(z.string().regex(formats.nodeName), "a name of nodes[]", "proj-k8sw01")).min(1),
        "a list of names of nodes[]; leave it out to take the whole cluster back",
      ).optional(),
      without: hinted(
        z.array(hinted(z.string().regex(formats.nodeName), "an agent's name", "proj-k8sw01")).min(1),
        "a list of agents' names; leave it out unless agents do not answer",
      ).optional(),
    }),
    "an object: strategy and, to mend single nodes, nodes; to leave dead agents out, without",
  ).optional(),
  changeId: hinted(
    z.string().regex(formats.changeId),
    "the change request's number, 2–19 letters, digits, - and _, first a letter or digit",
    "CR-2025-068",
    { why: "it is part of every snapshot's name, which Proxmox limits to 40 characters" },
  ),
  nodes: hinted(
    z.array(node).min(1),
    "a list of nodes: servers in the order of their upgrade, and agents",
    undefined,
    {
      next: () => "copy the list from Pulumi.lab.yaml and make it yours",
    },
  ),
  ssh: z.strictObject({ user: user.default("admin"), port: port.default(22) }).prefault({}),
  apiAddress: host("10.25.20.10"),
  install: z
    .strictObject({
      scriptUrl: hinted(
        z.string().refine((text) => formats.isUrl(text, SOURCES)),
        "the URL of RKE2's install.sh, or file:///… where every node has it",
        DEFAULTS.scriptUrl,
      ).default(DEFAULTS.scriptUrl),
      artifactUrl: hinted(
        z.string().refine((text) => formats.isUrl(text, SOURCES) && !text.endsWith("/")),
        "the prefix of the releases' URLs, or file:///… of a folder that every node has, without a / at its end",
        DEFAULTS.artifactUrl,
      ).default(DEFAULTS.artifactUrl),
      caCertificate: certificate.optional(),
      images: hinted(
        z.enum(["tar.zst", "tar.gz"]),
        '"tar.zst" or "tar.gz", as the mirror has RKE2\'s images; left out, nodes pull them from their registry',
        "tar.zst",
      ).optional(),
    })
    .prefault({}),
  proxmox: hinted(
    z.strictObject({
      endpoint: hinted(
        z.string().refine((text) => formats.isOrigin(text, ["https"])),
        "the Proxmox API's https:// URL with its port, nothing after it",
        "https://10.25.20.2:8006",
        { why: "the token goes over this connection" },
      ),
      caCertificate: certificate.optional(),
      tokenId: hinted(
        z.string().regex(formats.proxmoxTokenId),
        "the API token's name, user@realm!name; its secret goes to proxmoxTokenSecret",
        "rke2-upgrade@pve!operator",
      ),
    }),
    "an object: endpoint, tokenId and, for a private CA, caCertificate",
  ),
  backup: hinted(
    z.strictObject({
      directory: hinted(z.string().min(1), "a directory on this machine", "backups").default("backups"),
      maxAgeHours: amount("hours", 720).default(36),
      recipients: hinted(
        z
          .array(
            hinted(
              z.string().refine(formats.isAgeRecipient),
              "an age recipient (public key), age1…",
              undefined,
              {
                next: () =>
                  "age-keygen -o key.txt prints one; put the public key here and keep key.txt elsewhere",
              },
            ),
          )
          .min(1),
        "one or more age recipients, age1…",
        undefined,
        {
          why: "an etcd snapshot is the keys of the cluster: it leaves its node encrypted only",
          next: () =>
            "age-keygen -o key.txt; pulumi config set --path 'rke2-upgrade:backup.recipients[0]' age1…",
        },
      ),
      identityFile: hinted(
        z.string().min(1),
        "a file on this machine that holds the age identity (AGE-SECRET-KEY-1…) of a recipient, while going back",
        "/media/usb/key.txt",
      ).optional(),
    }),
    "an object: directory, recipients, maxAgeHours and, while going back, identityFile",
  ),
  drain: z
    .strictObject({
      graceSeconds: seconds().default(120),
      timeoutSeconds: seconds().default(300),
      gpuGraceSeconds: seconds().default(300),
      gpuTimeoutSeconds: seconds().default(600),
    })
    .prefault({}),
  agents: agentsField,
  operators: operatorsField,
  ...rancherFields,
  osPatch: osPatchField,
  limits: z
    .strictObject({
      gateSeconds: seconds().default(120),
      fetchSeconds: seconds().default(1800),
      snapshotSeconds: seconds().default(600),
      snapshotMaxAgeHours: amount("hours", 168).default(24),
      wayBackMaxAgeHours: amount("hours", 168).default(24),
      etcdSnapshotSeconds: seconds().default(300),
      installSeconds: seconds().default(300),
      serviceStartSeconds: seconds().default(600),
      readySeconds: seconds().default(300),
      leaseSeconds: seconds().default(40),
      podsSeconds: seconds().default(300),
      gpuSeconds: seconds().default(1500),
      soakServerSeconds: seconds().default(30),
      soakAgentSeconds: seconds().default(15),
      settleSeconds: seconds().default(900),
      smokeTestSeconds: seconds().default(300),
      restoreTestSeconds: seconds().default(1800),
      sshSeconds: seconds().default(300),
      packageLockSeconds: seconds().default(300),
      patchSeconds: seconds().default(1800),
      rebootSeconds: seconds().default(600),
      minimumWindowHours: amount("hours", 168).default(4),
      latestStableMaxAgeDays: amount("days", 365).default(90),
      apiExpectedMs: amount("milliseconds", 60_000).default(500),
      apiSlowMs: amount("milliseconds", 60_000).default(2000),
      clockSkewMs: amount("milliseconds", 60_000).default(1000),
      etcdWriteMs: amount("milliseconds", 500).default(100),
      certificateDays: amount("days", 365).default(7),
      serverFreePercent: amount("percent", 90).default(30),
    })
    .prefault({}),
  objectives: z
    .strictObject({
      rpoMinutes: amount("minutes", 1440).default(15),
      rtoMinutes: z
        .strictObject({
          controlPlane: amount("minutes", 1440).default(60),
          worker: amount("minutes", 1440).default(30),
          fullCluster: amount("minutes", 1440).default(120),
          partialUpgrade: amount("minutes", 1440).default(90),
        })
        .prefault({}),
    })
    .prefault({}),
  restoreTest: z
    .strictObject({
      enabled: hinted(z.boolean(), "true or false", "true").default(true),
      node: hinted(
        z.string().regex(formats.nodeName),
        "the name of a server in nodes",
        "proj-k8sm01",
      ).optional(),
      vmId: vmId.default(RESTORE_TEST_VM_ID),
      fullClone: hinted(z.boolean(), "true or false", "false").default(false),
    })
    .prefault({}),
  ingressController: hinted(
    z.string().regex(formats.ingressControllers),
    '"traefik", "ingress-nginx" or "none", or the first two by a comma in their order, as the nodes\' own RKE2 config says',
    "none",
  ).optional(),
  validation: z
    .strictObject({
      ingress: hinted(
        z.array(
          z.strictObject({
            url: hinted(
              z.string().refine((text) => formats.isUrl(text, ["https", "http"])),
              "a URL that answers through the ingress when all is well",
              "https://rancher.example.org/ping",
            ),
            address: host("10.25.20.15").optional(),
          }),
        ),
        "a list of {url, address}",
      ).default([]),
      image: hinted(
        z.string().regex(formats.pinnedImage),
        "an image with `true` in it, pinned by a tag other than latest or by digest",
        DEFAULTS.image,
      ).default(DEFAULTS.image),
    })
    .prefault({}),
  consents: z
    .strictObject({
      emptyDir: podGlobs,
      barePods: podGlobs,
      longGrace: podGlobs,
      sickPods: podGlobs,
      rewindVolumes: podGlobs,
      sharedHost,
    })
    .prefault({}),
  monitoring: hinted(
    z.array(
      hinted(
        z.string().refine((text) => formats.isUrl(text, ["https", "http"])),
        "the URL of a dashboard that answers from this machine",
        "https://grafana.example.org/login",
      ),
    ),
    "a list of dashboards' URLs",
  ).default([]),
  gpuTest: gpuTestField,
  scan: scanField,
  approval: approvalField,
  ...notificationFields,
  ...policyFields,
});

/** The stack's config after validation, nodes still without what they inherit from `ssh`. */
export type ParsedSettings = z.output<typeof settingsSchema>;

/** The keys of everything but secrets. */
export const SETTING_KEYS = Object.keys(settingsSchema.shape) as readonly (keyof ParsedSettings)[];

/** The keys of secrets. They never pass through the schema: presence and form are judged in secrets.ts. */
export const SECRET_KEYS = [
  "sshPrivateKey",
  "proxmoxTokenSecret",
  "kubeconfig",
  "webhookSecret",
  "smtpPassword",
  "glpiUserToken",
  "glpiAppToken",
] as const;
export type SecretKey = (typeof SECRET_KEYS)[number];
