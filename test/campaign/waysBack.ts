/** Every way back as a story: what is interrupted is the way back itself, and then the end that it was for. */
import { operator } from "../../rehearsal/lab/operator";
import { Machine } from "../../rehearsal/machines/machine";
import { configure, ok } from "../e2e/operator";
import { proveEnd } from "./endState";
import { FROM, half, type Moment, mustUp, TO, within } from "./moments";
import type { Story } from "./stories";

/** The moment before, with a way back asked for, and after what makes it necessary. */
const asking = (
  from: Moment,
  strategy: string,
  nodes: readonly string[] = [],
  harm = async () => {},
): Moment => ({
  name: `campaign-${[strategy, ...nodes].join("-")}`,
  after: from,
  async make() {
    await configure({ "goBack.strategy": strategy, "backup.identityFile": operator.backupKey });
    for (const [i, node] of nodes.entries()) await configure({ [`goBack.nodes[${i}]`]: node });
    await harm();
  },
});

const noLonger = () => ok("pulumi", "config", "rm", "rke2-upgrade:goBack");

/** Back: settled on what was accepted, and proven. */
const backOn = (version: string) => async () => {
  await noLonger();
  await configure({ rke2Version: version });
  await mustUp();
  await proveEnd(version);
};

/** A node was mended: the change goes forward to its end. */
async function forwardToTheEnd(): Promise<void> {
  await noLonger();
  await mustUp();
  await configure({ acceptedVersion: TO });
  await mustUp();
  await proveEnd(TO);
}

const unplug = async (...names: string[]) => {
  for (const name of names) await (await Machine.byName(name)).kill();
};

export const waysBack: readonly Story[] = [
  {
    name: "reinstall",
    about: "back within a minor, in place, one server half-way",
    start: asking(within, "reinstall"),
    end: backOn(TO),
  },
  {
    name: "restore",
    about: "back across a minor, with the etcd snapshot, servers new and agents mixed",
    start: asking(half, "restore"),
    end: backOn(FROM),
  },
  {
    name: "rollback",
    about: "all servers lost: their VMs back, etcd from its snapshot",
    start: asking(half, "rollback", [], async () => {
      // Nobody can tell then which volumes their disks hold.
      await configure({ "consents.rewindVolumes[0]": "*" });
      await unplug("proj-k8sm01", "proj-k8sm02", "proj-k8sm03");
    }),
    end: backOn(FROM),
  },
  {
    name: "mend-server",
    about: "one server's VM put back, wiped, joined anew; then forward to the end",
    start: asking(half, "rollback", ["proj-k8sm02"]),
    end: forwardToTheEnd,
  },
  {
    name: "mend-agent",
    about: "one agent reinstalled; then forward to the end",
    start: asking(half, "reinstall", ["proj-k8sw01"]),
    end: forwardToTheEnd,
  },
  {
    name: "mend-agent-vm",
    about: "one agent's VM put back; then forward to the end",
    start: asking(half, "rollback", ["proj-k8sw01"], async () => {
      await configure({ "consents.rewindVolumes[0]": "*" });
    }),
    end: forwardToTheEnd,
  },
];
