/** Finds the part of the schema that a path leads to, so that a mistake finds its hint and its neighbours. */
import { z } from "zod";
import { settingsSchema } from "./schema";

/** The schema at a path, defaults and optionality unwrapped. */
export function schemaAt(path: readonly PropertyKey[]): z.ZodType | undefined {
  let schema: z.ZodType | undefined = settingsSchema;
  for (const part of path) {
    const inner = schema && unwrap(schema);
    if (inner instanceof z.ZodObject) schema = inner.shape[part as string] as z.ZodType | undefined;
    else if (inner instanceof z.ZodArray) schema = inner.element as z.ZodType;
    else return undefined;
  }
  return schema && unwrap(schema);
}

/** The schema within defaults and optionality. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let inner: z.ZodType = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}
