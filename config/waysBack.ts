/**
 * Which way back fits what was seen (procedure §4.3), with the exact config to set and what it would cost. Pure: told
 * while a change is under way and where one stops; nothing is decided by it.
 */
import { etcdCrossing } from "./etcd";
import { backNeedsRestore, goingBackTakesEtcd } from "./goBackPolicy";
import { NAMESPACE } from "./mistakes";
import { snapshotName } from "./names";
import { describeRpo } from "./objectives";
import { isChanging, isRound } from "./osPatch";
import { duration } from "./plan";
import type { GoBack, Settings } from "./settings";
import { parseVersion, type Version } from "./versions";

/** A node that could not be looked at, and why. */
export interface Unseen {
  readonly name: string;
  readonly why: string;
}

/** What a way back is chosen by. */
export interface Situation {
  /** Servers and agents that are not what they should be: down, not Ready, or not answering. */
  readonly sick: readonly string[];
  /** Of the sick, those that do not even answer over SSH: their machine may be lost. */
  readonly silent: readonly string[];
  /** Nodes that are there and refuse the login or show another host key: of them nothing is known, so they are none of the sick. */
  readonly refusing?: readonly Unseen[];
  /** Where none of those that were looked at could be seen, each: the way from here may be what fails, and nothing fits. */
  readonly nobody?: readonly Unseen[];
  /** Whether every server's etcd holds the same data and none raises the alarm of corruption; undefined where nobody could tell. */
  readonly etcdWhole?: boolean;
  /** Why it does not, in words. */
  readonly etcdWhy?: string;
  /** Age of the etcd snapshot that each would go to, milliseconds; undefined where there is none. */
  readonly backupAgesMs?: { readonly restore?: number; readonly rollback?: number };
}

/** A way back that fits. */
export interface WayBackChoice extends GoBack {
  /** When it is the right one. */
  readonly why: string;
  /** What is lost by it, in words. */
  readonly loses: string;
}

/**
 * The ways back that fit, the mildest first: mend single nodes where the others live, else the whole cluster, with
 * the data only where versions or the data itself demand it.
 */
export function waysBack(settings: Settings, situation: Situation): WayBackChoice[] {
  const { servers, agents } = settings;
  const [accepted, wanted] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!accepted || !wanted || !isChanging(settings) || situation.nobody?.length) return [];
  const sick = (nodes: Settings["nodes"]) => nodes.filter(({ name }) => situation.sick.includes(name));
  const [sickServers, sickAgents] = [sick(servers), sick(agents)];
  const quorum = sickServers.length * 2 < servers.length && situation.etcdWhole !== false;
  // Packages go back with their VM alone.
  const lost = isRound(settings) ? sickAgents.map(({ name }) => name) : situation.silent;
  const ofServer = quorum
    ? mendServer(
        sickServers.map(({ name }) => name),
        servers.length,
        accepted,
        wanted,
      )
    : [];
  const ofAgents = quorum
    ? mendAgents(
        sickAgents.map(({ name }) => name),
        lost,
        isRound(settings)
          ? "agents whose packages go back with their VM"
          : "agents whose machine does not answer",
      )
    : [];
  const whole = wholeCluster(settings, situation, accepted, wanted, ofServer.length > 0);
  // Dead agents do not keep the others from going back, and are mended after.
  const without = agents.map(({ name }) => name).filter((name) => situation.silent.includes(name));
  // A mend of an agent asks the first server: one that is sick is mended before.
  return [...ofServer, ...ofAgents, ...whole.map((way) => (without.length > 0 ? { ...way, without } : way))];
}

function mendAgents(names: readonly string[], rolledBack: readonly string[], why: string): WayBackChoice[] {
  const lost = names.filter((name) => rolledBack.includes(name));
  const reachable = names.filter((name) => !rolledBack.includes(name));
  return [
    ...(reachable.length > 0
      ? [
          {
            strategy: "reinstall" as const,
            nodes: reachable,
            why: "agents alone are sick",
            loses: "nothing but their pods' emptyDirs",
          },
        ]
      : []),
    ...(lost.length > 0
      ? [
          {
            strategy: "rollback" as const,
            nodes: lost,
            why,
            loses: "what their own disks hold since the snapshot (consents.rewindVolumes)",
          },
        ]
      : []),
  ];
}

function mendServer(
  names: readonly string[],
  servers: number,
  accepted: Version,
  wanted: Version,
): WayBackChoice[] {
  if (names.length !== 1 || servers < 3 || etcdCrossing(accepted, wanted) !== "same") return [];
  return [
    {
      strategy: "rollback",
      nodes: [...names],
      why: "one server alone is sick, and the others are a quorum: it joins them anew",
      loses:
        "nothing in etcd, whose data comes from the others; what its own disk holds besides since the snapshot, local volumes included (consents.rewindVolumes)",
    },
  ];
}

function wholeCluster(
  settings: Settings,
  { silent, etcdWhole, backupAgesMs }: Situation,
  accepted: Version,
  wanted: Version,
  serverIsMended: boolean,
): WayBackChoice[] {
  const { servers, backup } = settings;
  const lost = servers.map(({ name }) => name).filter((name) => silent.includes(name));
  const majority = lost.length * 2 > servers.length;
  // Its nodes go back one by one: all of it only where nobody else is left.
  if (isRound(settings) && !majority) return [];
  // In place and with etcd's snapshot alone every server must answer: one that does not goes back with its VM.
  const dataGone = majority || (lost.length > 0 && !serverIsMended);
  const first = lost.length > 0 ? `once ${lost.join(", ")} is mended: ` : "";
  if (!dataGone && etcdWhole !== false && !backNeedsRestore(accepted, wanted)) {
    return [
      {
        strategy: "reinstall",
        why: `${first}neither the Kubernetes nor the etcd minor changes: the whole cluster goes back in place`,
        loses: "nothing",
      },
    ];
  }
  const strategy = dataGone ? ("rollback" as const) : ("restore" as const);
  const backupAgeMs = backupAgesMs?.[strategy];
  const age =
    backupAgeMs === undefined
      ? `there is none in ${backup.directory}`
      : `${duration(Math.round(backupAgeMs / 1000))} old now`;
  return [
    {
      strategy,
      why: dataGone
        ? `${majority ? "a majority of the servers' machines does not answer" : `${lost.join(", ")} does not answer and cannot be mended alone`}: all servers' VMs go back, and etcd from its snapshot`
        : etcdWhole === false
          ? "etcd is not whole in every server: it goes back to its snapshot"
          : `${first}a minor changes, so an older control plane in place is unsupported: etcd goes back to its snapshot`,
      loses: `every object written since the etcd snapshot (${age}; objective: less than ${describeRpo(settings)})${dataGone ? "; what the servers' own disks hold since their snapshots, local volumes included (consents.rewindVolumes)" : ""}`,
    },
  ];
}

/** The commands that ask for a way back. */
export function goBackCommands({ strategy, nodes, without }: GoBack, { backup }: Settings): string[] {
  const set = (path: string, value: string) => `pulumi config set --path '${NAMESPACE}:${path}' ${value}`;
  const needsIdentity = nodes === undefined && strategy !== "reinstall" && !backup.identityFile;
  return [
    set("goBack.strategy", strategy),
    ...(nodes ?? []).map((name, i) => set(`goBack.nodes[${i}]`, name)),
    ...(without ?? []).map((name, i) => set(`goBack.without[${i}]`, name)),
    ...(needsIdentity ? [set("backup.identityFile", "PATH-OF-YOUR-AGE-IDENTITY")] : []),
  ];
}

/** What a step that failed on a node tells of the way back: from config alone, so it is the same on every run. */
export function wayBackHint(settings: Settings, { name, role }: Settings["nodes"][number]): string {
  const unknown = { sick: [name], silent: [], etcdWhole: true };
  const ways = waysBack(settings, unknown).map(
    (way) =>
      `${goBackCommands(way, settings).join("; ")} (${role === "agent" && way.nodes ? "lost: nothing in etcd" : LOSES[way.strategy]})`,
  );
  if (ways.length === 0) return "no way back fits it alone: docs/goBack.md";
  return `if it must go back: ${ways.join(", or ")}; then pulumi preview tells all, and whether procedure §4.3's criteria are met: docs/goBack.md`;
}

const LOSES: Record<GoBack["strategy"], string> = {
  reinstall: "lost: nothing in etcd",
  restore: "lost: every object written since the etcd snapshot",
  rollback: "lost: what its disk holds since its snapshot",
};

/** The ways back in lines, for the operator. */
export function describeWaysBack(settings: Settings, situation: Situation): string[] {
  const { nobody = [], refusing = [] } = situation;
  const whys = (unseen: readonly Unseen[]) => unseen.map(({ name, why }) => `  ${name}: ${why}`);
  if (nobody.length > 0)
    return [
      "No node can be looked at from here, so nothing says that a machine is lost, and no way back is proposed:",
      ...whys(nobody),
      "  next: mend the way from this machine: network, VPN, SSH key, pinned host keys (ssh to a node by hand); see in Proxmox VE whether the VMs run. Where they are lost indeed: goBack.strategy rollback (docs/goBack.md)",
    ];
  const ways = waysBack(settings, situation).flatMap((way) => [
    `If it must go back (${way.why}):`,
    ...goBackCommands(way, settings).map((command) => `  ${command}`),
    "  pulumi preview, then pulumi up",
    `  lost: ${way.loses}`,
  ]);
  if (refusing.length === 0) return ways;
  return [
    "These answer and let nobody in, so nobody knows what they are; no way back works on them before that is mended (SSH key, sudo, nodes[].hostKey):",
    ...whys(refusing),
    ...ways,
  ];
}

/**
 * What an etcd snapshot that is gone back to loses, said while nobody asks for one.
 * @param backupAgeMs of the newest with the accepted version's data
 */
export function describeBackupToGoTo(settings: Settings, backupAgeMs: number | undefined): string {
  const taken =
    backupAgeMs === undefined
      ? "it is taken just before the first server"
      : `the last one was taken ${duration(Math.round(backupAgeMs / 1000))} ago`;
  const accepted = `one with the data of ${settings.acceptedVersion}: ${taken}, and once a server is upgraded there is no newer one`;
  const said = "where it takes an etcd snapshot: all that was written to the cluster after that one. ";
  if (goingBackTakesEtcd(settings)) return `${said}That is ${accepted}`;
  const newest = "Where the servers' machines are lost that is the newest";
  return said + (isRound(settings) ? newest : `${newest}; where etcd's data is damaged, ${accepted}`);
}

/** What going back as asked loses and what it cannot undo, said before it happens. */
export function describeLoss(settings: Settings, backupAgeMs: number | undefined): string[] {
  const { goBack, acceptedVersion, changeId } = settings;
  if (!goBack) return [];
  const whole = goBack.nodes === undefined;
  const age =
    backupAgeMs === undefined ? "of unknown age" : `${duration(Math.round(backupAgeMs / 1000))} old`;
  const lines: Record<GoBack["strategy"], string[]> = {
    reinstall: ["nothing in etcd is lost; pods on a node that goes back are started anew"],
    restore: [
      `every object written since the etcd snapshot (${age}) is gone, and every pod is started anew`,
      "the API is away from the first stop until the first server is back",
      "cannot be undone: from the moment etcd is reset, the present data is no longer served (RKE2 keeps it on the first server, server/db/etcd-old-*; on the others it is moved to server/db/rke2-upgrade-* until the change is settled)",
    ],
    rollback: [
      `what these VMs' disks hold since ${snapshotName(acceptedVersion, changeId)} is gone, logs and local volumes included`,
      ...(whole
        ? [`every object written since the etcd snapshot (${age}) is gone, and every pod is started anew`]
        : []),
      "cannot be undone: a VM's present disk is not kept",
    ],
  };
  return ["What is lost", ...lines[goBack.strategy].map((line) => `  ${line}`)];
}
