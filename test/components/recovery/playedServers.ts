/** Servers that a test plays, all behind one SSH server: what they say of themselves and of their etcd. */
import { playNode } from "../playedNode";

/** What every server says now. */
export interface Said {
  /** Of rke2-server: active, inactive … */
  service: string;
  /** Paths of the marks that resets have left. */
  resets: string;
  /** How many members each one's etcd knows; none: it does not answer. */
  members: number;
  /** The hash of its data, a server after the other in the order in which they are asked. */
  hashes: readonly string[];
  /** Whether they can be reached at all. */
  reachable: boolean;
}

/** Plays them until they are closed. Steps, which change something, end well and are kept, as they were asked for. */
export async function playServers() {
  const said: Said = { service: "active", resets: "", members: 3, hashes: ["1"], reachable: true };
  const steps: string[] = [];
  let asked = 0;
  const etcd = () => {
    if (said.members === 0) return "status\t\nmembers\t\nhash\t\nalarms\t\n";
    const header = { cluster_id: "c", member_id: "m", revision: "7" };
    const members = Array.from({ length: said.members }, (_, i) => ({ name: `sm0${i}`, clientURLs: ["u"] }));
    const hash = { hash: said.hashes[asked++ % said.hashes.length], compact_revision: "1" };
    return Object.entries({ status: { header, leader: "m" }, members: { members }, hash, alarms: { header } })
      .map(([key, value]) => `${key}\t${JSON.stringify(value)}\n`)
      .join("");
  };
  const node = await playNode((command) => {
    if (!said.reachable) return undefined;
    const [, words = "", step] = /bash -s -- ((\S+).*)/.exec(command) ?? [];
    if (step === "look-etcd") return etcd();
    if (step === "look-back")
      return `artifacts=whole\nversionOnDisk=v1.35.4+rke2r1\nversionRunning=v1.35.4+rke2r1\nservice=${said.service}\nconfigKept=true\nfreeMiB=9000\nowner=\nresets=${said.resets}\n`;
    if (!step || step.startsWith("look-")) return undefined;
    steps.push(words);
    return "{}";
  }, "0.0.0.0");
  return { ...node, said, steps };
}
