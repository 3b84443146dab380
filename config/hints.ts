/** What messages say about values, kept beside the schema that judges them. */
import { z } from "zod";

/** What a message says about a value: what is allowed and, where it helps, an example, the reason, the next move. */
export interface Hint {
  readonly allowed: string;
  readonly example?: string;
  readonly why?: string;
  /** From the mistake's path and the object around it. */
  readonly next?: (path: string, parent: unknown) => string;
}

/** The hint of every schema that has one; found again by walking the schema along a mistake's path. */
export const hints = z.registry<Hint>();

/** Gives a schema its hint. */
export function hinted<T extends z.ZodType>(
  schema: T,
  allowed: string,
  example?: string,
  more: Partial<Hint> = {},
): T {
  hints.add(schema, { allowed, example, ...more });
  return schema;
}
