import { Machine } from "../machines/machine";
import { run, succeeds } from "../machines/run";
import { type Fault, required, serviceFault } from "./fault";
import { hostFaults } from "./hostFaults";
import { Kubectl } from "./kubectl";
import { nodeFaults } from "./nodeFaults";
import { objectFaults } from "./objectFaults";
import { slowFaults } from "./slowFaults";
import { readState } from "./state";

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

/** Where the API servers listen, their own machine's clients included. */
const apiRefusal = [
  ...["INPUT", "-p", "tcp", "--dport", "6443", "--syn", "-j", "REJECT", "--reject-with", "tcp-reset"],
];

const apiDown: Fault = {
  usage: "api-down",
  effect: "no API server takes a new connection",
  async set(on) {
    const servers = await serverCards();
    for (const { card } of servers) {
      const iptables = (...args: string[]) => ["netns", "exec", card.namespace, "iptables", ...args];
      const isOn = await succeeds("ip", iptables("-C", ...apiRefusal));
      if (isOn !== on) await run("ip", iptables(on ? "-I" : "-D", ...apiRefusal));
    }
  },
  async active() {
    const [first] = await serverCards();
    const on =
      first &&
      (await succeeds("ip", ["netns", "exec", first.card.namespace, "iptables", "-C", ...apiRefusal]));
    return on ? ["api-down"] : [];
  },
};

async function serverCards(): Promise<Machine[]> {
  const { nodes } = (await readState()).stack;
  const servers = new Set(nodes.filter(({ role }) => role === "server").map(({ name }) => name));
  return (await Machine.all()).filter(({ record }) => servers.has(record.name));
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
  "ssh-refused": sshRefused,
  "api-down": apiDown,
  ...nodeFaults,
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
