import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Shared files that stand before a step's own, by step. One idea a file; only what the step needs is sent. */
const LIBRARIES = {
  "backup-config": [],
  "fetch-artifacts": [],
  "gate-node": [],
  "install-release": ["lib-install"],
  "verify-node": [],
  "leader-away": ["lib-etcd", "lib-hold"],
  restart: ["lib-etcd", "lib-hold", "lib-service"],
  "release-hold": ["lib-hold"],
  "wake-node": ["lib-hold", "lib-back", "lib-install"],
  "back-config": ["lib-hold", "lib-back"],
  "back-finish": ["lib-hold", "lib-back"],
  "back-reset": ["lib-hold", "lib-back"],
  "back-start": ["lib-hold", "lib-back", "lib-service"],
  "back-stop": ["lib-etcd", "lib-hold", "lib-back", "lib-service"],
  "back-wipe": ["lib-hold", "lib-back"],
  "member-remove": ["lib-hold", "lib-back"],
  "back-drain": ["lib-cluster"],
  "verify-back": ["lib-cluster"],
  accept: ["lib-cluster"],
  "charts-settled": ["lib-cluster"],
  "check-health": ["lib-cluster"],
  cordon: ["lib-cluster"],
  drain: ["lib-cluster"],
  "gate-cluster": ["lib-cluster"],
  "gpu-after": ["lib-cluster"],
  "gpu-before": ["lib-cluster"],
  uncordon: ["lib-cluster"],
  validate: ["lib-cluster"],
  "verify-cluster": ["lib-cluster"],
} as const satisfies Record<string, readonly string[]>;

/** A step that a node can be asked to run: the name of its file in scripts/. */
export type StepScript = keyof typeof LIBRARIES;

/** Every step there is. */
export const STEP_SCRIPTS = Object.keys(LIBRARIES) as StepScript[];

const file = (name: string): string => readFileSync(join(__dirname, `${name}.sh`), "utf8");

/** What is sent to a node's stdin to run a step in its envelope: bounded, alone, to its end. */
export function stepText(script: StepScript): string {
  return [...["envelope", "lib"], ...LIBRARIES[script], script].map(file).join("\n");
}

/** What is sent to a node's stdin for a bare, read-only or instant script, without envelope. */
export function bareText(
  script:
    | "look-node"
    | "look-cluster"
    | "look-back"
    | "look-etcd"
    | "look-volumes"
    | "hold-node"
    | "hold-cluster"
    | "etcd-save",
): string {
  return ["lib", script].map(file).join("\n");
}

/** One word of a POSIX shell, whatever is in it. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
