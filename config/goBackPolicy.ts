/**
 * Which way back is allowed, from config alone. What would lose a cluster is refused here, before anything is looked at,
 * with the reason and the way that fits.
 */
import { etcdCrossing } from "./etcd";
import type { Mistake } from "./mistakes";
import { isRound } from "./osPatch";
import type { ParsedSettings } from "./schema";
import { judgeMove } from "./versionPolicy";
import { parseVersion, type Version } from "./versions";

/** What is asked for, as far as it is valid. */
interface Asked {
  readonly strategy?: "reinstall" | "restore" | "rollback";
  readonly nodes?: readonly (string | undefined)[];
  readonly without?: readonly (string | undefined)[];
}

/** The rest of the config, as far as it is valid. */
interface Around {
  readonly rke2Version?: string;
  readonly acceptedVersion?: string;
  readonly osPatch?: { readonly round?: string; readonly acceptedRound?: string };
  readonly nodes?: readonly ({ readonly name?: string; readonly role?: string } | undefined)[];
  readonly backup?: Partial<ParsedSettings["backup"]> | { readonly identityFile?: string };
}

/** A refusal before it is placed: what was found, what is allowed and why. */
type Refused = Omit<Mistake, "path"> & { readonly path?: string };

/**
 * Whether going back from one release to another needs the etcd snapshot: an old control plane cannot read what one
 * of another minor has written, nor an old etcd what a newer minor has. What is unknown counts as needing it.
 */
export function backNeedsRestore(accepted: Version, wanted: Version): boolean {
  const move = judgeMove(accepted, wanted);
  return !move.allowed || move.backNeedsRestore;
}

/** The same of a stack's change: whether its whole cluster goes back by the etcd snapshot. Not where nothing is under way. */
export function goingBackTakesEtcd(change: { acceptedVersion: string; rke2Version: string }): boolean {
  const [accepted, wanted] = [parseVersion(change.acceptedVersion), parseVersion(change.rke2Version)];
  if (!accepted || !wanted || change.acceptedVersion === change.rke2Version) return false;
  return backNeedsRestore(accepted, wanted);
}

/**
 * Whose data the etcd snapshot may hold that a way back of the whole cluster goes to. Where only the servers' machines are
 * lost and the accepted release can read what the wanted one wrote, that of either: then the newest loses least. A restore
 * within a minor is for damaged data: the snapshot of before the change is the safe one.
 */
export function versionsToGoTo(
  change: { readonly acceptedVersion: string; readonly rke2Version: string; readonly goBack?: Asked },
  strategy = change.goBack?.strategy,
): readonly string[] {
  const { acceptedVersion, rke2Version } = change;
  const either = strategy === "rollback" && !goingBackTakesEtcd(change);
  return either ? [...new Set([acceptedVersion, rke2Version])] : [acceptedVersion];
}

/** Whether the whole cluster goes back; else single nodes are mended and the change stays forward. */
export const isWholeCluster = (goBack: { readonly nodes?: readonly unknown[] }): boolean =>
  goBack.nodes === undefined;

/** Whether the etcd snapshot is put back, for which its age identity is needed. */
export const restoresEtcd = (goBack: Asked): boolean =>
  isWholeCluster(goBack) && (goBack.strategy === "restore" || goBack.strategy === "rollback");

/** The nodes that the way back works on; all where none is asked for. */
export const nodesGoingBack = <Node extends { readonly name: string }>({
  goBack,
  nodes,
}: {
  readonly goBack?: { readonly nodes?: readonly string[]; readonly without?: readonly string[] };
  readonly nodes: readonly Node[];
}): readonly Node[] =>
  nodes.filter(({ name }) => (goBack?.nodes?.includes(name) ?? true) && !goBack?.without?.includes(name));

/** What is wrong with the way back that the stack asks for. Pure. */
export function judgeGoBack(asked: Asked | undefined, around: Around): Mistake[] {
  // What is misshapen was left out: an object without any valid part says nothing.
  if (!asked?.strategy && !asked?.nodes && !asked?.without) return [];
  const [accepted, wanted] = [
    parseVersion(around.acceptedVersion ?? ""),
    parseVersion(around.rke2Version ?? ""),
  ];
  if (!accepted || !wanted) return [];
  const { rke2Version, acceptedVersion, osPatch = {} } = around;
  const round = isRound({ rke2Version: rke2Version ?? "", acceptedVersion: acceptedVersion ?? "", osPatch });
  if (round && asked.strategy !== "rollback") return placed(ofRound(asked));
  if (around.acceptedVersion === around.rke2Version && !round) {
    return placed({
      path: "goBack",
      found: `${asked.strategy ?? "set"}, with nothing under way: rke2Version and acceptedVersion are both ${around.rke2Version}`,
      allowed: "nothing while settled",
      why: "there is nothing to go back from",
      next: "pulumi config rm 'rke2-upgrade:goBack'",
    });
  }
  const identity = needsIdentity(asked, around);
  const names = [...judgeNames(asked, around), ...judgeWithout(asked, around)];
  if (!asked.strategy || names.length > 0) return [...placed(...names), ...placed(...identity)];
  const refused = isWholeCluster(asked)
    ? judgeCluster(asked.strategy, accepted, wanted)
    : judgeNodes(asked.strategy, chosen(asked, around), around, accepted, wanted);
  return [...placed(...refused), ...placed(...identity)];
}

/** No version moved: only a VM's snapshot has a node's packages as they were. */
const ofRound = ({ strategy }: Asked): Refused => ({
  found: `${strategy ?? "set"}, with OS patches alone under way`,
  allowed:
    '"rollback": with nodes of agents, or of one server; without, where a majority of the servers is lost',
  why: "RKE2's version did not move, and packages go back with a node's VM alone",
  next: "pulumi config set --path 'rke2-upgrade:goBack.strategy' rollback and --path 'rke2-upgrade:goBack.nodes[0]' NODE; a package that is not to come again: hold it there (apt-mark hold, versionlock, addlock) before you go on",
});

const placed = (...refused: Refused[]): Mistake[] =>
  refused.map((one) => ({ ...one, path: one.path ?? "goBack.strategy" }));

const chosen = ({ nodes }: Asked, around: Around) =>
  (nodes ?? []).flatMap((name) => around.nodes?.find((node) => node?.name === name) ?? []);

const serversOf = ({ nodes }: Around) => (nodes ?? []).filter((node) => node?.role === "server");

function judgeNames({ nodes = [] }: Asked, around: Around): Refused[] {
  const known = (around.nodes ?? []).flatMap((node) => node?.name ?? []);
  return nodes.flatMap((name, i): Refused[] => {
    if (name === undefined) return [];
    const path = `goBack.nodes[${i}]`;
    if (!known.includes(name)) return [{ path, found: `"${name}"`, allowed: known.join(", ") }];
    if (nodes.indexOf(name) < i) return [{ path, found: `"${name}" again`, allowed: "each node once" }];
    return [];
  });
}

/** A dead agent must not keep the others from going back; a server's data is of the whole cluster. */
function judgeWithout({ nodes, without = [] }: Asked, around: Around): Refused[] {
  if (without.length === 0) return [];
  if (nodes) {
    return [
      {
        path: "goBack.without",
        found: "set beside goBack.nodes",
        allowed: "one of the two: nodes mends some, without leaves some of all out",
        next: "pulumi config rm --path 'rke2-upgrade:goBack.without'",
      },
    ];
  }
  const agents = (around.nodes ?? []).flatMap((node) => (node?.role === "agent" ? (node.name ?? []) : []));
  return without.flatMap((name, i): Refused[] => {
    if (name === undefined || (agents.includes(name) && without.indexOf(name) === i)) return [];
    return [
      {
        path: `goBack.without[${i}]`,
        found: `"${name}"${agents.includes(name) ? " again" : ""}`,
        allowed: `agents, each once: ${agents.join(", ")}`,
        why: "every server goes back: each holds etcd's data",
        next: "a server whose machine is lost: goBack.strategy rollback, which puts its VM back and needs no answer from it",
      },
    ];
  });
}

/** The snapshot is encrypted, and this machine holds no key of its own. */
function needsIdentity(asked: Asked, { backup }: Around): Refused[] {
  if (!restoresEtcd(asked) || backup?.identityFile) return [];
  return [
    {
      path: "backup.identityFile",
      found: "nothing",
      allowed: "a file on this machine with the age identity of one of backup.recipients",
      why: "the etcd snapshot is encrypted; nobody but the holder of an identity can put it back",
      next: "bring the identity here, root-only or your own (chmod 600), then pulumi config set --path 'rke2-upgrade:backup.identityFile' PATH; remove it after",
    },
  ];
}

function judgeCluster(
  strategy: NonNullable<Asked["strategy"]>,
  accepted: Version,
  wanted: Version,
): Refused[] {
  if (strategy !== "reinstall" || !backNeedsRestore(accepted, wanted)) return [];
  return [
    {
      found: "reinstall, though the Kubernetes or the etcd minor changes",
      allowed: '"restore", or "rollback" where the servers\' disks are lost',
      why: "an older control plane in place is unsupported: it cannot read what the newer one has written into etcd",
      next: "pulumi config set --path 'rke2-upgrade:goBack.strategy' restore",
    },
  ];
}

function judgeNodes(
  strategy: NonNullable<Asked["strategy"]>,
  nodes: readonly { readonly name?: string; readonly role?: string }[],
  around: Around,
  accepted: Version,
  wanted: Version,
): Refused[] {
  const servers = nodes.filter(({ role }) => role === "server");
  if (strategy === "restore") {
    return [
      {
        found: "restore, with nodes",
        allowed: "restore without nodes",
        why: "an etcd snapshot is the data of the whole cluster: it cannot be put back into some of its members",
        next: "pulumi config rm --path 'rke2-upgrade:goBack.nodes' to restore all, or mend the nodes by reinstall or rollback",
      },
    ];
  }
  if (servers.length === 0) return [];
  if (strategy === "reinstall") {
    if (!backNeedsRestore(accepted, wanted)) return [];
    return [
      {
        found: `reinstall of ${servers.map(({ name }) => name).join(", ")}, though the Kubernetes or the etcd minor changes`,
        allowed: "agents; servers only within a minor",
        why: "an older control plane in place on newer data is unsupported",
        next: "one broken server: rollback with its name alone, which wipes its data and has it join anew; else restore without nodes",
      },
    ];
  }
  return judgeServerRollback(servers.length, serversOf(around).length, accepted, wanted);
}

/** One server's VM, put back while the others live: its data is wiped and it joins anew, which takes their quorum. */
function judgeServerRollback(rolledBack: number, all: number, accepted: Version, wanted: Version): Refused[] {
  if (rolledBack > 1) {
    return [
      {
        found: `${rolledBack} servers' VMs`,
        allowed: "one server at a time, or all of them (without nodes)",
        why: "servers' VMs put back hold old etcd data: two of them beside a live member break it (etcd-io/etcd#13509)",
        next: "name one server, let it come back, then the next; where a majority is lost, leave nodes out: all VMs and the etcd snapshot",
      },
    ];
  }
  if (all - rolledBack < 2) {
    return [
      {
        found: `one of ${all} servers' VMs`,
        allowed: "one of three servers or more",
        why: "its member is removed first, which the others must have a quorum for",
        next: "pulumi config rm --path 'rke2-upgrade:goBack.nodes': the VM and the etcd snapshot together",
      },
    ];
  }
  if (etcdCrossing(accepted, wanted) === "same") return [];
  return [
    {
      found: "one server's VM, though etcd's minor changes or may change",
      allowed: "restore or rollback of the whole cluster (without nodes)",
      why: "an older etcd cannot join members that already run a newer minor",
      next: "mend that server forward, or go back with all: pulumi config rm --path 'rke2-upgrade:goBack.nodes'",
    },
  ];
}
