/** What a campaign interrupts: whole runs of `pulumi up`, each from a checkpoint to an end that is proven from outside. */
import { checkpoint, listCheckpoints, restore } from "../../rehearsal/lab/checkpoint";
import { configure, ok, up } from "../e2e/operator";
import { plantWitness, proveEnd } from "./endState";

export const FROM = "v1.35.4+rke2r1";
export const TO = "v1.36.3+rke2r1";

/** A run that is interrupted at every step. */
export interface Story {
  readonly name: string;
  readonly about: string;
  /** The moment it starts from: made from a freshly booted lab, or from another story's moment. */
  readonly start: Moment;
  /** After the run: settles it and proves the end state from outside. @throws with what is not right */
  end(): Promise<void>;
}

/** A kept moment of the rehearsal, made when it is first asked for. */
interface Moment {
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
async function mustUp(): Promise<void> {
  const { code, output } = await up();
  if (code !== 0) throw new Error(`pulumi up ended with ${code}:\n${output}`);
}

const adopted: Moment = {
  name: "campaign-adopted",
  async make() {
    // Waits of a set length prove nothing here, and a node that is cut off must show within a case's time.
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "limits.sshSeconds": "60",
    });
    await plantWitness();
    await mustUp();
  },
};

const bumped: Moment = {
  name: "campaign-bumped",
  after: adopted,
  make: () => configure({ rke2Version: TO }),
};

export const stories: readonly Story[] = [
  {
    name: "upgrade",
    about: `${FROM} to ${TO}, seven nodes`,
    start: bumped,
    async end() {
      await configure({ acceptedVersion: TO });
      await mustUp();
      await proveEnd(TO);
    },
  },
];

/** Lets the backend's lock of a dead engine go, as the README tells an operator to. */
export const cancel = (): Promise<string> => ok("pulumi", "cancel", "--yes");
