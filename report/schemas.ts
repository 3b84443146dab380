/** The published schemas of the records: docs/change.schema.json and docs/report.schema.json. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asFile } from "./canonical";
import { planSchema } from "./planSchema";
import { projectDirectory } from "./program";
import { reportSchema } from "./reportSchema";

const PUBLISHED = { "docs/change.schema.json": planSchema, "docs/report.schema.json": reportSchema } as const;

/** Each schema's text by its file. */
export const schemaFiles = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(PUBLISHED).map(([file, schema]) => [
      file,
      asFile({ $id: file, ...z.toJSONSchema(schema) }),
    ]),
  );

/** Writes them. */
export async function writeSchemas(): Promise<void> {
  for (const [file, text] of Object.entries(schemaFiles())) {
    await writeFile(join(projectDirectory, file), text);
    console.log(file);
  }
}
