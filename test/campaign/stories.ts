/** What a campaign interrupts: whole runs of `pulumi up`, each from a checkpoint to an end that is proven from outside. */
import { configure } from "../e2e/operator";
import { proveEnd } from "./endState";
import { bumped, FROM, type Moment, mustUp, TO } from "./moments";
import { waysBack } from "./waysBack";

/** A run that is interrupted at every step. */
export interface Story {
  readonly name: string;
  readonly about: string;
  /** The moment it starts from. */
  readonly start: Moment;
  /** After the run: settles it and proves the end state from outside. @throws with what is not right */
  end(): Promise<void>;
}

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
  ...waysBack,
];
