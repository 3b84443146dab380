import assert from "node:assert/strict";
import fc from "fast-check";
import { parseVersion, type Version } from "../../config/versions";

/** Any release that the grammar can write. */
export const anyVersion: fc.Arbitrary<Version> = fc.record(
  {
    major: fc.integer({ min: 1, max: 9 }),
    minor: fc.integer({ min: 0, max: 999 }),
    patch: fc.integer({ min: 0, max: 999 }),
    revision: fc.integer({ min: 1, max: 999 }),
  },
  { noNullPrototype: true },
);

/** Shorthand for tests: an exact release that is known to parse. */
export function v(text: string): Version {
  const version = parseVersion(text);
  assert.ok(version, `${text} is no release`);
  return version;
}
