import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Machine } from "../machines/machine";
import { liveDirectory, proxmoxDirectory } from "../machines/paths";
import { run, succeeds } from "../machines/run";
import { Kubectl } from "./kubectl";
import { ssh } from "./operator";
import { readState } from "./state";

/** File whose presence switches a fault of the lab's own services on. */
export const faultFile = (name: string): string => join(liveDirectory, "faults", name);

/** Something that can be made to go wrong. */
interface Fault {
  /** As it is typed, its placeholders in angle brackets. */
  readonly usage: string;
  readonly effect: string;
  /** Makes it go wrong, or right again. Doing so twice is the same as once. */
  set(on: boolean, ...words: string[]): Promise<void>;
  /** Which are on, as they would be typed. */
  active(): Promise<string[]>;
}

async function present(file: string, on: boolean): Promise<void> {
  if (!on) return rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "");
}

const installServer: Fault = {
  usage: "install-500",
  effect: "the release server answers every request with 500",
  set: (on) => present(faultFile("install-500"), on),
  active: async () => (existsSync(faultFile("install-500")) ? ["install-500"] : []),
};

const serviceFails: Fault = {
  usage: "service-fails <node>",
  effect: "rke2 ends with an error whenever it is started on that node",
  async set(on, node) {
    const { record } = await Machine.byName(required(node, this.usage));
    const file = "/etc/rehearsal/faults/service-fails";
    await ssh(record.address, on ? `sudo install -D /dev/null ${file}` : `sudo rm -f ${file}`);
  },
  async active() {
    const machines = await Machine.all();
    const answers = await Promise.all(
      machines.map(({ record }) =>
        ssh(record.address, "test -e /etc/rehearsal/faults/service-fails && echo on || true", 15).catch(
          () => "",
        ),
      ),
    );
    return machines
      .filter((_, index) => answers[index]?.trim() === "on")
      .map((m) => `service-fails ${m.record.name}`);
  },
};

/** Refuses connections to the machine's sshd, those from itself aside, as a wrong firewall rule would. */
const refusal = [
  "INPUT",
  "-p",
  "tcp",
  "--dport",
  "22",
  "-i",
  "eth0",
  "-j",
  "REJECT",
  "--reject-with",
  "tcp-reset",
];

const sshRefused: Fault = {
  usage: "ssh-refused <node>",
  effect: "that node refuses SSH connections",
  async set(on, node) {
    const { card } = await Machine.byName(required(node, this.usage));
    const iptables = (...args: string[]) => ["netns", "exec", card.namespace, "iptables", ...args];
    const isOn = await succeeds("ip", iptables("-C", ...refusal));
    if (isOn !== on) await run("ip", iptables(on ? "-I" : "-D", ...refusal));
  },
  async active() {
    const machines = await Machine.all();
    const on = await Promise.all(
      machines.map(({ card }) =>
        succeeds("ip", ["netns", "exec", card.namespace, "iptables", "-C", ...refusal]),
      ),
    );
    return machines.filter((_, index) => on[index]).map(({ record }) => `ssh-refused ${record.name}`);
  },
};

/** Budget of rehearsal/workloads/30-observations.yaml, and its wanted value there. */
const budget = { args: ["poddisruptionbudget", "observations", "--namespace=research"], minAvailable: 5 };

const budgetBlocks: Fault = {
  usage: "pdb-blocks",
  effect: "the budget of research/observations, on every agent, allows no disruption",
  async set(on) {
    const minAvailable = on ? "100%" : budget.minAvailable;
    const patch = JSON.stringify({ spec: { minAvailable } });
    await new Kubectl(await readState()).run(["patch", ...budget.args, "--type=merge", `--patch=${patch}`]);
  },
  async active() {
    const kubectl = new Kubectl(await readState());
    const value = await kubectl
      .run(["get", ...budget.args, "--output=jsonpath={.spec.minAvailable}"])
      .catch(() => "");
    return value === "100%" ? ["pdb-blocks"] : [];
  },
};

const proxmoxFaults = join(proxmoxDirectory, "faults");

/** A fault of the Proxmox VE stand-in, which looks for files of these names. */
function proxmoxFault(
  prefix: string,
  usage: string,
  effect: string,
  word: (typed: string) => Promise<string>,
): Fault {
  return {
    usage,
    effect,
    async set(on, ...words) {
      const parts = await Promise.all([required(words[0], usage), ...words.slice(1)].map(word));
      await present(join(proxmoxFaults, [prefix, ...parts].join("-")), on);
    },
    async active() {
      const files = await readdir(proxmoxFaults).catch(() => []);
      return files
        .filter((file) => file.startsWith(`${prefix}-`))
        .map((file) => `${prefix} ${file.slice(prefix.length + 1).replaceAll("-", " ")}`);
    },
  };
}

/** A VM ID, given as such or as its machine's name. */
async function vmId(typed: string): Promise<string> {
  return /^\d+$/.test(typed) ? typed : String((await Machine.byName(typed)).record.vmId);
}

const taskKinds = ["qmsnapshot", "qmdelsnapshot", "qmrollback"];

const faults: Readonly<Record<string, Fault>> = {
  "install-500": installServer,
  "service-fails": serviceFails,
  "pdb-blocks": budgetBlocks,
  "ssh-refused": sshRefused,
  "vm-locked": proxmoxFault("vm-locked", "vm-locked <vm>", "Proxmox VE holds a lock on that VM", vmId),
  "task-fails": proxmoxFault(
    "task-fails",
    `task-fails ${taskKinds.join("|")} [<vm>]`,
    "Proxmox VE tasks of that kind fail",
    async (typed) => (taskKinds.includes(typed) ? typed : vmId(typed)),
  ),
  "agent-down": proxmoxFault("agent-down", "agent-down <vm>", "that VM's guest agent does not answer", vmId),
  "snapshots-old": proxmoxFault(
    "snapshots-old",
    "snapshots-old <vm>",
    "the snapshots that VM has now are two days older",
    vmId,
  ),
  "node-offline": proxmoxFault(
    "node-offline",
    "node-offline <host>",
    "that Proxmox VE host is unreachable",
    async (typed) => typed,
  ),
};

function required(word: string | undefined, usage: string): string {
  if (!word) throw new Error(`usage: fault ${usage} [on|off]`);
  return word;
}

/**
 * Switches a fault.
 * @param words its name, what it is about, and `on` (also when left out) or `off`.
 * @throws Error that lists the faults when there is none of that name.
 */
export async function setFault(words: readonly string[]): Promise<void> {
  const last = words.at(-1);
  const stated = last === "on" || last === "off";
  const [name = "", ...rest] = stated ? words.slice(0, -1) : words;
  const fault = faults[name];
  if (!fault) throw new Error(`no fault ${name}: there are ${Object.keys(faults).join(", ")}`);
  await fault.set(last !== "off", ...rest);
}

/** The faults there are: usage, effect, and which are on. */
export async function listFaults(): Promise<string[]> {
  const lines = await Promise.all(
    Object.values(faults).map(async (fault) => {
      const on = await fault.active();
      return `${fault.usage.padEnd(54)} ${fault.effect}${on.length ? `  [on: ${on.join(", ")}]` : ""}`;
    }),
  );
  return lines;
}
