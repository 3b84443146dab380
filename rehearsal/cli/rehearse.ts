import { type ChildProcess, spawn } from "node:child_process";
import { operatorEnvironment } from "../lab/environment";
import { readState } from "../lab/state";
import { projectDirectory } from "../machines/paths";
import { run } from "../machines/run";
import { atTheWorkstation } from "./exec";
import { say, step } from "./progress";
import { describeSpent, type NodeVersions, stepResults, table, timed, type Upgrade } from "./results";

/** What `rehearse` is told. */
export interface RehearseOptions {
  /** The stack's file: topology, versions, knobs. */
  readonly stackFile: string;
  /** RKE2 version to upgrade to. */
  readonly to: string;
  /** Leave the rehearsal up at the end. */
  readonly keep?: boolean;
}

/** What runs right now, to be ended with us. */
let current: ChildProcess | undefined;

/** Runs a command in front of the user; an error code is an error. */
async function show(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const [program = "", ...args] = command;
  // In a process group of its own: Ctrl-C reaches it once, through us. A second one would end pulumi at once.
  const stdio = ["ignore", "inherit", "inherit"] as const;
  const child = spawn(program, args, { cwd: projectDirectory, env, stdio: [...stdio], detached: true });
  current = child;
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  current = undefined;
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code ?? "a signal"}`);
}

/** Another command of this program, as a process of its own, so that it can be interrupted half-way. */
const cli = (...args: string[]): Promise<void> =>
  show([process.execPath, ...process.execArgv, mainFile(), ...args]);

function mainFile(): string {
  const file = process.argv[1];
  if (!file) throw new Error("not started as a program");
  return file;
}

/** pulumi as the lab's operator types it, its output shown. */
const pulumi = (...args: string[]): Promise<void> => pulumiWith({}, ...args);

/** The same, with more in its environment. */
async function pulumiWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<void> {
  const whole = { ...(await operatorEnvironment()), ...env };
  await show(atTheWorkstation(["pulumi", ...args, "--non-interactive"]), whole);
}

/** What pulumi prints. */
async function ask(...args: string[]): Promise<string> {
  const [program = "", ...rest] = atTheWorkstation(["pulumi", ...args]);
  return run(program, rest, { cwd: projectDirectory, env: await operatorEnvironment() });
}

/**
 * The main job: a cluster on its baseline is adopted, upgraded and validated by
 * the program as it is, and a table says how long each step took. A lab that is
 * up (kept by an earlier one, and upgraded) gives way. Everything is cleaned up
 * after, also on an interrupt or a failure, unless told to keep it.
 */
export async function rehearse(options: RehearseOptions): Promise<void> {
  let interrupted = false;
  const interrupt = (signal: NodeJS.Signals) => {
    interrupted = true;
    if (current?.pid) process.kill(-current.pid, signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  const going = (): void => {
    if (interrupted) throw new Error("interrupted");
  };
  try {
    await cli("up", "--fresh", "--stack-file", options.stackFile);
    for (const part of [adopt, () => bump(options.to)]) {
      going();
      await part();
    }
    going();
    console.log(await summary(await upgrade()));
  } finally {
    if (options.keep && !interrupted) console.log(lookAround);
    else await cli("down");
  }
}

async function adopt(): Promise<void> {
  const { baseline } = await readState();
  await step(`adopt the cluster on ${baseline}: no node is touched`, () =>
    pulumi("up", "--yes", "--skip-preview"),
  );
}

async function bump(to: string): Promise<void> {
  await step(`bump to ${to} and preview`, async () => {
    await pulumi("config", "set", "rke2-upgrade:rke2Version", to);
    await pulumi("preview");
  });
}

async function upgrade(): Promise<Upgrade> {
  const { upgrade } = await step("upgrade", () =>
    timed((env) => pulumiWith(env, "up", "--yes", "--skip-preview")),
  );
  return upgrade;
}

async function summary(upgrade: Upgrade): Promise<string> {
  const manifest = JSON.parse(await ask("stack", "output", "manifest", "--json")) as Record<
    string,
    NodeVersions
  >;
  const exported = await ask("stack", "export");
  const steps = stepResults(exported);
  say("upgraded and validated");
  return [
    "",
    table(manifest, steps),
    describeSpent(exported, upgrade),
    "",
    "Simulated: Proxmox VE, the RKE2 wrapper, the containers of pods. Real: systemd, SSH, etcd, Kubernetes, Pulumi.",
    "These durations are no forecast for the real cluster.",
  ].join("\n");
}

const lookAround = [
  "",
  "The rehearsal is still up. To look around:",
  "  npm run --silent rehearsal -- exec -- kubectl get nodes -o wide",
  "  npm run --silent rehearsal -- exec -- ssh proj-k8sm01",
  "  npm run --silent rehearsal -- exec -- pulumi preview",
  "  npm run --silent rehearsal -- status",
  "To end it: npm run rehearsal -- down",
].join("\n");
