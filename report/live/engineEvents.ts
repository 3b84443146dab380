/** What the engine says of a step: that it was begun, that it is done, that it failed. Pure. */
import { z } from "zod";
import { nameOf } from "../preview";

/** A word of the engine on one resource. */
export interface StepEvent {
  /** Milliseconds; the engine's clock counts whole seconds. */
  readonly at: number;
  /** The resource's own name. */
  readonly name: string;
  readonly what: "begun" | "done" | "failed";
  /** Whether something was done: `same` is not, it was done in an earlier run. */
  readonly worked: boolean;
}

const word = z
  .object({ metadata: z.object({ op: z.string(), urn: z.string(), type: z.string() }) })
  .optional();

/**
 * Of Pulumi's EngineEvent (sdk/go/common/apitype/events.go) what is used: never inputs or outputs, and of messages no more
 * than the beginning of those by which a turn in a wave tells its steps (components/waveRun.ts): it is one resource.
 */
const engineEvent = z.object({
  timestamp: z.number(),
  diagnosticEvent: z.object({ message: z.string() }).optional(),
  resourcePreEvent: word,
  resOutputsEvent: word,
  resOpFailedEvent: word,
});

/** Operations that carry a step out, or find it carried out; a deletion is none. */
const OPERATIONS = new Set(["create", "update", "same", "replace", "create-replacement"]);

/** Components, the stack and providers are no steps: a component is registered when the program starts. */
const NO_STEP = /^(rke2:|pulumi:)/;

/** The word that an event is; undefined where it is none on a step. */
export function stepEvent(event: unknown): StepEvent | undefined {
  const { data } = engineEvent.safeParse(event);
  if (!data) return undefined;
  if (data.diagnosticEvent) return stepTold(data.diagnosticEvent.message, data.timestamp * 1000);
  const { timestamp, resourcePreEvent: begun, resOutputsEvent: done, resOpFailedEvent: failed } = data;
  const metadata = (begun ?? done ?? failed)?.metadata;
  if (!metadata || NO_STEP.test(metadata.type) || !OPERATIONS.has(metadata.op)) return undefined;
  return {
    at: timestamp * 1000,
    name: nameOf(metadata.urn),
    what: begun ? "begun" : done ? "done" : "failed",
    worked: metadata.op !== "same",
  };
}

/** The engine's marks for colours stand in front. */
const TOLD = /^(?:<\{%[^%]*%\}>)*([a-z0-9.-]+): (begun|done|failed)\b/;

function stepTold(message: string, at: number): StepEvent | undefined {
  const [, name, what] = TOLD.exec(message) ?? [];
  return name ? { at, name, what: what as StepEvent["what"], worked: true } : undefined;
}
