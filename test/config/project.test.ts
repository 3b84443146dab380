import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { parseSettings } from "../../config/parse";
import { SECRET_KEYS, settingsSchema } from "../../config/schema";
import { unwrap } from "../../config/schemaPath";
import { projectDefaults } from "../../config/stackFile";
import { lab, projectFile } from "./lab";

interface Declaration {
  type: string;
  items?: { type: string };
  default: unknown;
  description: string;
}

const declared = (parse(readFileSync(projectFile, "utf8")) as { config: Record<string, Declaration> }).config;
/** Objects whose defaults stand in Pulumi.yaml too. */
const DEFAULTED = ["ssh", "install", "drain", "limits", "consents", "durations"] as const;

const keys = [...Object.keys(settingsSchema.shape), ...SECRET_KEYS];

/** The type that the engine must be told, which checks it before the program runs. */
function engineType(key: string): string {
  const schema = unwrap((settingsSchema.shape as Record<string, z.ZodType>)[key] ?? z.string());
  if (schema instanceof z.ZodArray) return "array";
  return schema instanceof z.ZodObject || key === "goBack" ? "object" : "string";
}

/** The type of a list's items. */
function itemType(key: string): string {
  const list = unwrap((settingsSchema.shape as Record<string, z.ZodType>)[key] ?? z.string());
  return list instanceof z.ZodArray && unwrap(list.element as z.ZodType) instanceof z.ZodObject
    ? "object"
    : "string";
}

describe("Pulumi.yaml", () => {
  it("declares exactly the keys of the schema, each with its type, a default and a description", () => {
    assert.deepEqual(Object.keys(declared).sort(), keys.toSorted());
    for (const [key, { type, items, description, ...rest }] of Object.entries(declared)) {
      assert.equal(type, engineType(key), key);
      assert.equal(items?.type, type === "array" ? itemType(key) : undefined, key);
      assert.ok("default" in rest && description.length > 20, key);
    }
  });

  it("declares the defaults that the program would fill in itself", () => {
    const { goBack: _, ...defaults } = projectDefaults(projectFile);
    const filled = parseSettings(lab()) as unknown as Record<string, unknown>;
    const fromSchema = parseSettings(lab(Object.fromEntries(DEFAULTED.map((key) => [key, {}]))));
    for (const key of DEFAULTED) {
      assert.deepEqual(defaults[key], fromSchema[key], key);
      assert.deepEqual(filled[key], fromSchema[key], key);
    }
    assert.deepEqual(defaults.monitoring, filled.monitoring);
    assert.deepEqual(defaults.agents, parseSettings(lab({ agents: {} })).waves);
    assert.deepEqual(defaults.validation, parseSettings(lab({ validation: {} })).validation);
    const unset = parseSettings(lab({ windows: "", acknowledge: "" }));
    assert.deepEqual([defaults.windows, defaults.acknowledge], [unset.windows, unset.acknowledge]);
  });
});

describe("docs/config.md", () => {
  const text = readFileSync(join(__dirname, "../../docs/config.md"), "utf8");

  it("explains every key, those within objects included", () => {
    const missing = allKeys(settingsSchema)
      .concat(SECRET_KEYS)
      .filter((key) => !text.includes(`\`${key}\``));
    assert.deepEqual(missing, []);
  });

  it("states every default of a limit as it is", () => {
    const { limits, drain, durations } = parseSettings(lab());
    const stated = Object.entries({ limits, drain, durations }).flatMap(([group, values]) =>
      Object.entries(values).map(([key, value]) => `\`${group}.${key}\` | ${value} `),
    );
    const wrong = stated.filter((row) => !text.includes(row));
    assert.deepEqual(wrong, []);
  });
});

/** Every key of an object and of the objects within it, as `outer.inner`; of a list's items as `outer[].inner`. */
function allKeys(schema: z.ZodType, prefix = ""): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return allKeys(inner.element as z.ZodType, `${prefix.slice(0, -1)}[].`);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const below = allKeys(field, `${prefix}${key}.`);
    return below.length > 0 ? below : [`${prefix}${key}`];
  });
}
