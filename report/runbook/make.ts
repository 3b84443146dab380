/**
 * The remaining steps as a plain bash runbook, from the same plan and scripts, for an operator who has nothing but a
 * shell, SSH and this file. Pure, but for the helpers' text.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PlanLine, planOf } from "../../components/plan";
import type { Settings } from "../../config";
import { bareText, nodeLine, shellWord, stepText } from "../../scripts";
import { numbered } from "../plan";
import { stepOf } from "../stepName";
import { bareStep } from "./bareSteps";

/** What a runbook is made for. */
export interface RunbookInputs {
  readonly settings: Settings;
  /** UUID of the change's state: who holds the locks. */
  readonly owner: string;
  /** The change's attempt. A way back that has not begun is the next one. */
  readonly attempt: number;
  /** What the snapshots bear: the version that the change began from, and the ID that it began under. */
  readonly moved: { readonly from: string; readonly under: string };
  /** IDs of steps that were done in this attempt. */
  readonly done: ReadonlySet<string>;
}

/** Whole turns that are over are left out; a turn that has begun is in it from its first step, which asks anew. */
export function remaining(plan: readonly PlanLine[], names: ReadonlySet<string>): PlanLine[] {
  const ids = new Set(plan.map(({ id }) => id));
  const done = new Set([...names].flatMap((name) => stepOf(name, ids) ?? []));
  const isTurn = ({ phase }: PlanLine) => phase === "servers" || phase === "agents";
  const open = new Set(plan.filter((step) => isTurn(step) && !done.has(step.id)).map(({ node }) => node));
  return plan.filter((step) =>
    isTurn(step) ? open.has(step.node) : !done.has(step.id) || step.id === "preflight",
  );
}

/** The runbook's text. */
export function runbook(inputs: RunbookInputs): string {
  const { settings, done } = inputs;
  const { goBack, acceptedVersion, rke2Version, changeId } = settings;
  const plan = planOf(settings);
  const left = new Set(remaining(plan, done));
  const steps = numbered(plan).filter(([, step]) => left.has(step));
  const move = goBack
    ? `going back by ${goBack.strategy}, ${rke2Version} → ${acceptedVersion}`
    : `${acceptedVersion} → ${rke2Version}`;
  const body = steps.flatMap(([number, step]) => stepLines(number, step, inputs));
  const lines = [
    "#!/usr/bin/env bash",
    `# ${changeId}: ${move}, by hand.`,
    `# ${steps.length} of ${plan.length} steps: what was done is left out. Not in here, since it takes the program: its checks of`,
    "# windows, budgets and capacity, the restore test, and the timer that takes further etcd snapshots.",
    "# shellcheck disable=SC1003,SC2317,SC2329 # quoted quotes; not every runbook needs every helper",
    "#",
    ...helpers(),
    "",
    ...environment(inputs),
    "",
    ...scripts(steps.map(([, step]) => step)),
    "",
    ...body,
    "",
    `printf '\\n%s\\n' ${shellWord(`Done: ${changeId}, ${move}. pulumi up takes over from here: its steps find their work done.`)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Without the first line, which the runbook has of its own. */
const helpers = (): string[] =>
  readFileSync(join(__dirname, "helpers.sh"), "utf8").trimEnd().split("\n").slice(1);

function environment({ settings, owner, attempt }: RunbookInputs): string[] {
  const { nodes, proxmox } = settings;
  const known = nodes.map(
    ({ address, port, hostKey }) => `${port === 22 ? address : `[${address}]:${port}`} ${hostKey}`,
  );
  return [
    `ATTEMPT=${owner}/${attempt}`,
    `PROXMOX_ENDPOINT=${shellWord(proxmox.endpoint.replace(/\/$/, ""))}`,
    `cat >"$work/known_hosts" <<'END-OF-HOST-KEYS'`,
    ...known,
    "END-OF-HOST-KEYS",
    ...(proxmox.caCertificate
      ? [
          `cat >"$work/proxmox.pem" <<'END-OF-CERTIFICATE'`,
          proxmox.caCertificate.trim(),
          "END-OF-CERTIFICATE",
        ]
      : []),
  ];
}

/** Each script once, as a function that prints it. */
function scripts(steps: readonly PlanLine[]): string[] {
  const texts = new Map<string, string>();
  for (const { planned } of steps) if (planned) texts.set(planned.script, stepText(planned.script));
  for (const name of ["hold-cluster", "hold-node", "etcd-delete", "etcd-save"] as const)
    texts.set(name, bareText(name));
  if (steps.some(({ id }) => id === "rancher-backup"))
    texts.set("rancher-export", bareText("rancher-export"));
  return [...texts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, text]) => [
      `${scriptFunction(name)}() {`,
      `  cat <<'END-OF-${name}'`,
      text.replace(/\n$/, ""),
      `END-OF-${name}`,
      "}",
    ]);
}

const scriptFunction = (name: string): string => `script_${name.replaceAll("-", "_")}`;

function stepLines(number: number, step: PlanLine, inputs: RunbookInputs): string[] {
  const title = step.node ? `${step.node}: ${step.title}` : step.title;
  const action = step.planned ? planned(number, step.planned, inputs) : bareStep(number, step, inputs);
  return ["", `if step ${number} ${shellWord(title)}; then`, ...action.map((line) => `  ${line}`), "fi"];
}

/** As a Command of the chain would run it: the same words, the same text. */
function planned(
  number: number,
  { on, script, args, limitSeconds, ofAttempt, reboots }: NonNullable<PlanLine["planned"]>,
  { owner, attempt }: RunbookInputs,
): string[] {
  const words = [script, owner, limitSeconds, ...(ofAttempt ? [attempt] : []), ...args].map((word) =>
    shellWord(String(word)),
  );
  const command = `sudo -n bash -s -- ${words.join(" ")}`;
  return [
    `{ echo ${shellWord(nodeLine(on.name))}; ${scriptFunction(script)}; } | ${reboots ? "reboots" : "run"} ${number} ${shellWord(`${on.user}@${on.address}`)} ${on.port} ${limitSeconds + 30} ${shellWord(command)}`,
  ];
}
