/** A turn that went in a wave is one resource (components/waveTurn.ts): here, the steps that it was made of. Pure. */
import type { StateResource } from "./state";

/** One step of such a turn. */
export interface TurnStep {
  /** As the plan has it: `proj-k8sw02-drain`. */
  readonly name: string;
  /** The JSON line that it printed last. */
  readonly said: string;
}

/** The steps of a wave's turn that ended well, in order; none where the resource is none. */
export function turnSteps({ type, outputs }: StateResource): TurnStep[] {
  if (!type.endsWith("rke2:WaveTurn")) return [];
  const { node, results } = outputs;
  if (typeof results !== "object" || results === null) return [];
  return Object.entries(results).map(([id, said]) => ({ name: `${node}-${id}`, said: String(said) }));
}
