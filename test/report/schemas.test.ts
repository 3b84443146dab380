import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "../../report/program";
import { schemaFiles } from "../../report/schemas";

describe("report/schemas", () => {
  for (const [file, text] of Object.entries(schemaFiles())) {
    it(`${file} is current: npm run change -- schema writes it`, () => {
      assert.deepEqual(JSON.parse(readFileSync(join(projectDirectory, file), "utf8")), JSON.parse(text));
    });
  }
});
