/** The rules that take more than one key to judge: pure functions from settings to mistakes. */
import { isIPv4 } from "node:net";
import { isLoopback } from "./formats";
import { judgeGoBack } from "./goBackPolicy";
import { type Mistake, setCommand } from "./mistakes";
import { judgeOperators } from "./operatorRules";
import { judgeRancherKeys } from "./rancherRules";
import { judgeRound } from "./roundRules";
import type { ParsedSettings } from "./schema";
import { judgeMove } from "./versionPolicy";
import { isAtLeastMinor, parseVersion } from "./versions";

type DeepPartial<T> = T extends readonly (infer E)[]
  ? (DeepPartial<E> | undefined)[]
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** Settings as far as they are valid: every misshapen part is left out, and a rule skips what it cannot see. */
export type Draft = DeepPartial<ParsedSettings>;

/** Every broken rule. */
export function judgeSettings(draft: Draft): Mistake[] {
  return [
    judgeVersions,
    judgeIngress,
    judgeServers,
    judgeUniqueness,
    judgeInternalIps,
    judgeGpu,
    judgeScan,
    judgeDrain,
    judgeOperators,
    judgeRancherKeys,
    ({ goBack }: Draft) => judgeGoBack(goBack, draft),
    judgeOverrides,
    judgeRestoreTest,
    judgeOsPatch,
    judgeRound,
    judgeMail,
    judgePlainHttp,
  ].flatMap((rule) => rule(draft));
}

function versionsOf(draft: Draft) {
  return {
    from: parseVersion(draft.acceptedVersion ?? ""),
    to: parseVersion(draft.rke2Version ?? ""),
  };
}

function judgeVersions(draft: Draft): Mistake[] {
  const { from, to } = versionsOf(draft);
  const move = from && to && judgeMove(from, to);
  if (!move || move.allowed) return [];
  return [
    {
      path: "rke2Version",
      found: `${draft.rke2Version}, with ${draft.acceptedVersion} accepted`,
      allowed: "the accepted release, a later one of its minor, or one of the next minor",
      why: move.reason,
      next: move.instead,
    },
  ];
}

/** From 1.36 RKE2 installs Traefik where nothing else is said; 1.37 knows ingress-nginx alone no more. */
function judgeIngress(draft: Draft): Mistake[] {
  const { from, to } = versionsOf(draft);
  if (!from || !to) return [];
  const controller = draft.ingressController;
  if (controller === undefined && !isAtLeastMinor(from, 1, 36) && isAtLeastMinor(to, 1, 36)) {
    return [
      {
        path: "ingressController",
        found: "nothing",
        allowed:
          '"traefik", "ingress-nginx" or "none", or the first two by a comma, as the nodes\' own RKE2 config says',
        example: "none",
        why: "from 1.36 an unset ingress-controller means Traefik: a cluster that disabled ingress-nginx and runs a controller of its own gets a second one",
        next: "write `ingress-controller: …` into /etc/rancher/rke2/config.yaml of every server (the upgrade's own restart reads it), then pulumi config set 'rke2-upgrade:ingressController' to the same; every server's gate compares the two",
      },
    ];
  }
  if (controller === "ingress-nginx" && isAtLeastMinor(to, 1, 37)) {
    return [
      {
        path: "ingressController",
        found: '"ingress-nginx"',
        allowed: '"traefik" or "none" from 1.37 on',
        why: "1.37 dropped ingress-nginx as the only controller (rancher/rke2#11156)",
        next: "migrate the ingresses to Traefik, or to a controller of your own, while on 1.36",
      },
    ];
  }
  return [];
}

/** etcd needs a majority: an even number of servers tolerates no more failures than one server fewer. */
function judgeServers(draft: Draft): Mistake[] {
  const nodes = draft.nodes ?? [];
  const roles = nodes.map((node) => node?.role);
  if (nodes.length === 0 || roles.includes(undefined)) return [];
  const servers = roles.filter((role) => role === "server").length;
  if (servers % 2 === 1) return [];
  const found = servers === 0 ? "no server" : `${servers} servers`;
  return [
    {
      path: "nodes",
      found,
      allowed: "an odd number of servers: 1, 3, 5, …",
      why: "an even number of etcd members bears no more failures than one member fewer",
      next: servers === 0 ? "set role: server on the servers" : "add or remove a server before upgrading",
    },
  ];
}

/** Names, addresses and VM IDs belong to one node each: a copied line must not upgrade one machine twice. */
function judgeUniqueness(draft: Draft): Mistake[] {
  const nodes = draft.nodes ?? [];
  return (["name", "address", "internalIp", "vmId"] as const).flatMap((key) => {
    const first = new Map<unknown, number>();
    return nodes.flatMap((node, i): Mistake[] => {
      const value = node?.[key];
      const earlier = first.get(value);
      if (value === undefined) return [];
      if (earlier === undefined) {
        first.set(value, i);
        return [];
      }
      const found = `${JSON.stringify(value)}, which nodes[${earlier}] has already`;
      return [{ path: `nodes[${i}].${key}`, found, allowed: `a ${key} that no other node has` }];
    });
  });
}

/** Going back, servers are joined at an address of the cluster's own, which a name for SSH need not lead to. */
function judgeInternalIps({ nodes = [] }: Draft): Mistake[] {
  return nodes.flatMap((node, i): Mistake[] =>
    node?.role === "server" && node.address && !isIPv4(node.address) && !node.internalIp
      ? [
          {
            path: `nodes[${i}].internalIp`,
            found: `nothing, and nodes[${i}].address is a name`,
            allowed: "the server's InternalIP in Kubernetes, an IPv4 address",
            example: "10.25.20.11",
            why: "going back and the restore test need the address at which the servers know one another, with the API dead too",
            next: `kubectl get node ${node.name ?? ""} -o wide says it (INTERNAL-IP); then ${setCommand(`nodes[${i}].internalIp`, "10.25.20.11")}`,
          },
        ]
      : [],
  );
}

function judgeGpu({ nodes = [], gpuTest }: Draft): Mistake[] {
  const onServers = nodes.flatMap((node, i): Mistake[] =>
    node?.gpu && node.role === "server"
      ? [
          {
            path: `nodes[${i}].gpu`,
            found: "true on a server",
            allowed: "true on agents only",
            why: "servers are not drained, so GPU workloads there would not be moved away",
            next: "move the GPU to an agent, or leave gpu out and look after its workloads yourself",
          },
        ]
      : [],
  );
  // Left out it is an object without keys here.
  if (!gpuTest?.image || nodes.length === 0 || nodes.some((node) => node === undefined || node.gpu))
    return onServers;
  return [
    ...onServers,
    {
      path: "gpuTest",
      found: "a test, and no node with a GPU",
      allowed: "nothing, or gpu: true on the agents that have one",
      why: "it runs on GPU agents alone: nothing would be proven",
      next: "set nodes[].gpu, or pulumi config rm 'rke2-upgrade:gpuTest'",
    },
  ];
}

function judgeScan({ scan }: Draft): Mistake[] {
  if (scan?.image === undefined) return [];
  return (["url", "sha256"] as const)
    .filter((key) => scan[key] !== undefined)
    .map((key) => ({
      path: `scan.${key}`,
      found: "a value, and scan.image as well",
      allowed: "an archive (url and sha256), or an image",
      next: `pulumi config rm --path 'rke2-upgrade:scan.${key}', or rm scan.image`,
    }));
}

/** A drain that ends before its pods' grace does fails on every pod that uses it. */
function judgeDrain(draft: Draft): Mistake[] {
  const { graceSeconds, timeoutSeconds, gpuGraceSeconds, gpuTimeoutSeconds } = draft.drain ?? {};
  const pairs = [
    ["timeoutSeconds", timeoutSeconds, "graceSeconds", graceSeconds],
    ["gpuTimeoutSeconds", gpuTimeoutSeconds, "gpuGraceSeconds", gpuGraceSeconds],
  ] as const;
  return pairs.flatMap(([name, timeout, graceName, grace]): Mistake[] =>
    timeout !== undefined && grace !== undefined && timeout <= grace
      ? [
          {
            path: `drain.${name}`,
            found: `${timeout}`,
            allowed: `more than drain.${graceName}, which is ${grace}`,
            example: String(grace * 2),
          },
        ]
      : [],
  );
}

/** What an override lets the one change do that it names. */
const OVERRIDES = {
  windowOverride: "leave its maintenance window",
  acceptedServers: "go on with an etcd snapshot that has grown old",
} as const;

/** An override names the one change that it is for: a left-over one must not let the next change do the same. */
function judgeOverrides({ changeId, ...draft }: Draft): Mistake[] {
  return (Object.keys(OVERRIDES) as (keyof typeof OVERRIDES)[]).flatMap((path): Mistake[] => {
    const named = draft[path];
    if (named === undefined || changeId === undefined || named === changeId) return [];
    return [
      {
        path,
        found: `"${named}"`,
        allowed: `nothing, or this change's ID, "${changeId}"`,
        why: `it lets one change, named by its ID, ${OVERRIDES[path]}`,
        next: `pulumi config rm 'rke2-upgrade:${path}'`,
      },
    ];
  });
}

/** The restore test clones a server, to a VM ID that is free to be destroyed. */
function judgeRestoreTest(draft: Draft): Mistake[] {
  const { node: name, vmId } = draft.restoreTest ?? {};
  const nodes = draft.nodes ?? [];
  const owner = vmId === undefined ? undefined : nodes.find((node) => node?.vmId === vmId);
  const taken: Mistake[] = owner
    ? [
        {
          path: "restoreTest.vmId",
          found: `${vmId}, which is ${owner.name ?? "a node"}'s`,
          allowed: "a VM ID that no VM has",
          why: "the test makes a VM of this ID and destroys it",
        },
      ]
    : [];
  const role = nodes.find((node) => node?.name === name)?.role;
  if (name === undefined || nodes.length === 0 || role === "server") return taken;
  const found = `${name}, ${role ? `an ${role}` : "which is not in nodes"}`;
  return [...taken, { path: "restoreTest.node", found, allowed: "a server in nodes: only those hold etcd" }];
}

/** A server that is rebooted is away for long: the others must hold the quorum, and the API. */
function judgeOsPatch({ osPatch, nodes = [] }: Draft): Mistake[] {
  const roles = nodes.map((node) => node?.role);
  const servers = roles.filter((role) => role === "server").length;
  if (!osPatch?.servers || roles.includes(undefined) || servers !== 1) return [];
  return [
    {
      path: "osPatch.servers",
      found: "true, with one server",
      allowed: "false, or three servers and more",
      example: "false",
      why: "while a lone server is drained and rebooted there is no API to go on with",
      next: "patch that server by hand, between two changes",
    },
  ];
}

/** Mail that would go to nobody, or in clear over the network. */
function judgeMail({ notifications }: Draft): Mistake[] {
  const { smtp, stakeholders = {} } = notifications ?? {};
  if (!smtp?.host) return [];
  const told = [smtp.to, ...Object.values(stakeholders)].some((list) => (list?.length ?? 0) > 0);
  const nobody: Mistake[] = told
    ? []
    : [
        {
          path: "notifications.smtp.to",
          found: "nobody, and no stakeholder",
          allowed: "a list of mail addresses, here or in notifications.stakeholders",
          next: "pulumi config set --path 'rke2-upgrade:notifications.stakeholders.operations[0]' 'operations@example.org'",
        },
      ];
  if (smtp.tls !== "none" || isLoopback(`smtp://${smtp.host}`)) return nobody;
  return [
    ...nobody,
    {
      path: "notifications.smtp.tls",
      found: `"none", to ${smtp.host}`,
      allowed: '"starttls" or "implicit", and "none" to this machine itself',
      example: "starttls",
      why: "password and mail would go over the network in clear",
    },
  ];
}

/** Messages that would go over the network in clear with nobody's consent. */
const judgePlainHttp = ({ notifications: { webhook, glpi } = {} }: Draft): Mistake[] =>
  Object.entries({ webhook, glpi }).flatMap(([name, channel]) => {
    if (!channel?.url?.startsWith("http:") || channel.plainHttp || isLoopback(channel.url)) return [];
    return [
      {
        path: `notifications.${name}.url`,
        found: channel.url,
        allowed: `https; http to this machine itself, or with notifications.${name}.plainHttp`,
        example: channel.url.replace(/^http:/, "https:"),
        why:
          name === "glpi"
            ? "GLPI's tokens and all that is told would go over the network in clear: whoever reads them can write tickets"
            : "all that is told would go over the network in clear",
        next: `have it serve https; or, on a network that is yours alone: pulumi config set --path 'rke2-upgrade:notifications.${name}.plainHttp' true`,
      },
    ];
  });
