import { Machine } from "../machines/machine";
import { run, succeeds } from "../machines/run";
import { upgradedByHand } from "./byHandFault";
import { etcdFaults } from "./etcdFaults";
import { type Fault, required, serviceFault } from "./fault";
import { hostFaults } from "./hostFaults";
import { Kubectl } from "./kubectl";
import { nodeFaults } from "./nodeFaults";
import { objectFaults } from "./objectFaults";
import { osFaults } from "./osFaults";
import { rke2Faults } from "./rke2Faults";
import { slowFaults } from "./slowFaults";
import { readState } from "./state";

/** A machine's firewall refuses what a rule of its INPUT chain names; `succeeds` with -C tells whether it does. */
const iptables = ({ card }: Machine, action: "-C" | "-I" | "-D", rule: readonly string[]) => [
  ...["netns", "exec", card.namespace, "iptables", action, "INPUT", "-p", "tcp", ...rule],
  ...["-j", "REJECT", "--reject-with", "tcp-reset"],
];

const refuses = (machine: Machine, rule: readonly string[]) => succeeds("ip", iptables(machine, "-C", rule));

async function refuse(machine: Machine, rule: readonly string[], on: boolean): Promise<void> {
  if ((await refuses(machine, rule)) !== on) await run("ip", iptables(machine, on ? "-I" : "-D", rule));
}

/** A wrong firewall rule on one machine, for what comes over its network card. */
const refused = (name: string, effect: string, rule: readonly string[]): Fault => ({
  usage: `${name} <node>`,
  effect,
  async set(on, node) {
    await refuse(await Machine.byName(required(node, this.usage)), rule, on);
  },
  async active() {
    const machines = await Machine.all();
    const on = await Promise.all(machines.map((machine) => refuses(machine, rule)));
    return machines.filter((_, index) => on[index]).map(({ record }) => `${name} ${record.name}`);
  },
});

/** Where the API servers listen, their own machine's clients included. */
const API = ["--dport", "6443", "--syn"];

const apiDown: Fault = {
  usage: "api-down",
  effect: "no API server takes a new connection",
  async set(on) {
    for (const machine of await servers()) await refuse(machine, API, on);
  },
  async active() {
    const [first] = await servers();
    return first && (await refuses(first, API)) ? ["api-down"] : [];
  },
};

async function servers(): Promise<Machine[]> {
  const { nodes } = (await readState()).stack;
  const names = new Set(nodes.filter(({ role }) => role === "server").map(({ name }) => name));
  return (await Machine.all()).filter(({ record }) => names.has(record.name));
}

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

const faults: Readonly<Record<string, Fault>> = {
  "install-500": serviceFault("install-500", "the release server answers every request with 500"),
  "dashboards-down": serviceFault("dashboards-down", "the monitoring's dashboard answers 503"),
  "pdb-blocks": budgetBlocks,
  "ssh-refused": refused("ssh-refused", "that node refuses SSH connections", ["--dport", "22", "-i", "eth0"]),
  // Streams that are there go on: the quorum is not harmed.
  "etcd-refused": refused("etcd-refused", "etcd on that server refuses new connections of its peers", [
    ...["--dport", "2380", "-i", "eth0", "--syn"],
  ]),
  "api-down": apiDown,
  ...nodeFaults,
  ...osFaults,
  ...rke2Faults,
  "upgraded-by-hand": upgradedByHand,
  ...etcdFaults,
  ...slowFaults,
  ...objectFaults,
  ...hostFaults,
};

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

/**
 * The faults there are: usage, effect, and which are on. One after the other: each asks every node, and an sshd drops
 * connections from ten on that are not yet logged in (MaxStartups).
 */
export async function listFaults(): Promise<string[]> {
  const lines: string[] = [];
  for (const fault of Object.values(faults)) {
    // Usage and effect are told without a rehearsal too.
    const on = await fault.active().catch(() => []);
    lines.push(`${fault.usage.padEnd(54)} ${fault.effect}${on.length ? `  [on: ${on.join(", ")}]` : ""}`);
  }
  return lines;
}
