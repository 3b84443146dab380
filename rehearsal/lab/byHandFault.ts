import { installScript } from "./bootstrap";
import { type Fault, required } from "./fault";
import { ssh } from "./operator";
import { readState } from "./state";

/** Holds the version that was there before, while another is. */
const BEFORE = "/etc/rehearsal/faults/upgraded-by-hand";

/** An agent that somebody has upgraded by itself, before its servers: a kubelet newer than the API servers. */
export const upgradedByHand: Fault = {
  usage: "upgraded-by-hand <agent> <version>",
  effect: "somebody has installed that version on that agent, and restarted it; off: the one of before",
  async set(on, node, version) {
    const { stack } = await readState();
    const name = required(node, this.usage);
    const agent = stack.nodes.find((one) => one.name === name && one.role === "agent");
    if (!agent) throw new Error(`no agent is named ${name}. usage: fault ${this.usage} [on|off]`);
    const before = (await ssh(agent.address, `cat ${BEFORE} 2>/dev/null || true`)).trim();
    // Where installing was cut short it is done again: the mark comes first and goes last.
    if (!on && !before) return;
    const mark = `rke2 --version | awk 'NR == 1 { print $3 }' | sudo install -D -m 644 /dev/stdin ${BEFORE}`;
    await ssh(
      agent.address,
      [
        "set -euo pipefail",
        ...(on && !before ? [mark] : []),
        ...installScript(stack, agent, on ? required(version, this.usage) : before),
        "sudo systemctl restart rke2-agent",
        ...(on ? [] : [`sudo rm ${BEFORE}`]),
      ].join("\n"),
      300,
    );
  },
  async active() {
    const agents = (await readState()).stack.nodes.filter(({ role }) => role === "agent");
    const said = await Promise.all(
      agents.map(({ address }) =>
        ssh(address, `test -e ${BEFORE} && rke2 --version || true`, 15).catch(() => ""),
      ),
    );
    return agents.flatMap(({ name }, i) => {
      const version = said[i]?.split(/\s+/)[2];
      return version ? [`upgraded-by-hand ${name} ${version}`] : [];
    });
  },
};
