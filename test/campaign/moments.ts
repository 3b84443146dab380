/** Moments of the rehearsal that stories begin from, each kept as a checkpoint when it is first asked for. */

import { checkpoint, listCheckpoints, restore } from "../../rehearsal/lab/checkpoint";
import { setFault } from "../../rehearsal/lab/faults";
import { configure, up } from "../e2e/operator";
import { plantWitness } from "./endState";

export const FROM = "v1.35.4+rke2r1";
export const TO = "v1.36.3+rke2r1";
/** A release of the same minor, so that going back from it needs no data. */
export const WITHIN = "v1.36.3+rke2r2";

/** A kept moment of the rehearsal, made from another one or from a freshly booted lab. */
export interface Moment {
  readonly name: string;
  readonly after?: Moment;
  make(): Promise<void>;
}

/** Puts the lab at a moment. */
export async function begin(moment: Moment): Promise<void> {
  if ((await listCheckpoints()).includes(moment.name)) return restore(moment.name);
  if (moment.after) await begin(moment.after);
  await moment.make();
  await checkpoint(moment.name);
}

/** `pulumi up` that must succeed. */
export async function mustUp(): Promise<void> {
  const { code, output } = await up();
  if (code !== 0) throw new Error(`pulumi up ended with ${code}:\n${output}`);
}

/** `pulumi up` that stops at a node: its install wrote the new version, its service does not start. */
async function stopsAt(node: string): Promise<void> {
  await setFault(["service-fails", node, "on"]);
  const { code, output } = await up();
  await setFault(["service-fails", node, "off"]);
  if (code === 0 || !output.includes("does not come up on"))
    throw new Error(`it did not stop at ${node}:\n${output}`);
}

export const adopted: Moment = {
  name: "campaign-adopted",
  async make() {
    // Waits of a set length prove nothing here, and a node that is cut off must show within a case's time.
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "limits.sshSeconds": "60",
      // What stops at a service that does not start waits for this long.
      "limits.serviceStartSeconds": "90",
    });
    await plantWitness();
    await mustUp();
  },
};

export const bumped: Moment = {
  name: "campaign-bumped",
  after: adopted,
  make: () => configure({ rke2Version: TO }),
};

/** Servers upgraded, the first agent half-way, the others not yet. */
export const half: Moment = {
  name: "campaign-half",
  after: bumped,
  make: () => stopsAt("proj-k8sw01"),
};

/** Within a minor: one server upgraded, the second half-way. */
export const within: Moment = {
  name: "campaign-within",
  after: {
    name: "campaign-accepted",
    after: bumped,
    async make() {
      await mustUp();
      await configure({ acceptedVersion: TO });
      await mustUp();
    },
  },
  async make() {
    await configure({ rke2Version: WITHIN });
    await stopsAt("proj-k8sm02");
  },
};
