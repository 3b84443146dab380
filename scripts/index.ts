import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Shared files that stand before a step's own, by step. One idea a file; only what the step needs is sent. */
const LIBRARIES = {
  "backup-config": [],
  "fetch-artifacts": ["lib-fetch", "lib-images"],
  "gate-node": [],
  "install-release": ["lib-install"],
  patch: ["lib-os"],
  reboot: ["lib-etcd", "lib-os"],
  scan: ["lib-fetch", "lib-scanner"],
  "verify-node": ["lib-left", "lib-layout"],
  "leader-away": ["lib-etcd", "lib-hold"],
  "restore-point": ["lib-keys"],
  restart: ["lib-etcd", "lib-hold", "lib-service"],
  "release-hold": ["lib-hold"],
  "start-held": ["lib-hold", "lib-service"],
  "wake-node": ["lib-hold", "lib-back", "lib-install", "lib-service"],
  "back-config": ["lib-hold", "lib-back"],
  "back-finish": ["lib-hold", "lib-back"],
  "back-reset": ["lib-hold", "lib-back"],
  "back-start": ["lib-hold", "lib-back", "lib-service"],
  "back-stop": ["lib-etcd", "lib-hold", "lib-back", "lib-service"],
  "back-wipe": ["lib-hold", "lib-back"],
  "member-remove": ["lib-hold", "lib-back"],
  "back-drain": ["lib-hold", "lib-back", "lib-cluster"],
  "verify-back": ["lib-cluster"],
  accept: ["lib-cluster"],
  "canary-soak": ["lib-cluster"],
  "charts-settled": ["lib-cluster"],
  "check-health": ["lib-cluster"],
  cordon: ["lib-cluster"],
  drain: ["lib-cluster", "lib-drained"],
  "gate-cluster": ["lib-cluster"],
  "gpu-after": ["lib-cluster", "lib-gpu", "lib-job"],
  "gpu-before": ["lib-cluster", "lib-gpu"],
  "operator-ready": ["lib-cluster"],
  "rancher-ready": ["lib-cluster", "lib-rancher"],
  "rancher-restore": ["lib-cluster", "lib-rancher"],
  uncordon: ["lib-cluster", "lib-gpu"],
  validate: ["lib-cluster"],
  "verify-cluster": ["lib-cluster"],
} as const satisfies Record<string, readonly string[]>;

/** What a shared file stands on itself. */
const BENEATH: Readonly<Record<string, readonly string[]>> = { "lib-cluster": ["lib-api", "lib-watch"] };

/** A step that a node can be asked to run: the name of its file in scripts/. */
export type StepScript = keyof typeof LIBRARIES;

/** Every step there is. */
export const STEP_SCRIPTS = Object.keys(LIBRARIES) as StepScript[];

/** All, read at once: what comes into this checkout during a run is the next run's, and this one sends what was approved. */
const TEXTS: ReadonlyMap<string, string> = new Map(
  readdirSync(__dirname)
    .filter((name) => name.endsWith(".sh"))
    .map((name) => [name.slice(0, -3), readFileSync(join(__dirname, name), "utf8")]),
);

const file = (name: string): string => {
  const text = TEXTS.get(name);
  if (text === undefined) throw new Error(`there is no scripts/${name}.sh`);
  return text;
};

/** A step in its envelope: bounded, alone, to its end. The same on every node. */
export function stepText(script: StepScript): string {
  const libraries = LIBRARIES[script].flatMap((name) => [...(BENEATH[name] ?? []), name]);
  return [...["envelope", "lib"], ...libraries, script].map(file).join("\n");
}

/** The same for one node, told its name in the stack's config: its hostname may be another. */
export const stepInput = (script: StepScript, node: string): string =>
  `${nodeLine(node)}\n${stepText(script)}`;

/** The line in front of a step that says where it runs. */
export const nodeLine = (node: string): string => `HERE=${shellWord(node)}`;

/** What the restore test's VM is sent through its guest agent. */
export const restoreCheckText = (): string =>
  ["lib", "lib-keys", "lib-hold", "restore-check"].map(file).join("\n");

/** Shared files of the bare scripts, which run without an envelope. */
const BARE_LIBRARIES = {
  "ask-evictions": ["lib-api"],
  "etcd-delete": [],
  "etcd-save": [],
  "hold-cluster": [],
  "hold-node": ["lib-left", "lib-hold"],
  "look-access": [],
  "look-back": ["lib-layout"],
  "look-census": ["lib-objects"],
  "look-cluster": ["lib-api", "lib-etcd-view"],
  "look-etcd": [],
  "look-node": ["lib-api", "lib-etcd-view", "lib-left", "lib-layout"],
  "look-releases": [],
  "look-rancher": ["lib-rancher"],
  "look-os": ["lib-os"],
  "look-volumes": [],
  "look-written": ["lib-objects"],
  "rancher-export": ["lib-rancher"],
  "restore-point-release": [],
} as const satisfies Record<string, readonly string[]>;

/** A script that is sent without an envelope: read-only or instant. */
export type BareScript = keyof typeof BARE_LIBRARIES;

/** Every one of them there is. */
export const BARE_SCRIPTS = Object.keys(BARE_LIBRARIES) as BareScript[];

/** What is sent to a node's stdin for a bare script. */
export function bareText(script: BareScript): string {
  return [...["lib"], ...BARE_LIBRARIES[script], script].map(file).join("\n");
}

/** One word of a POSIX shell, whatever is in it. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
