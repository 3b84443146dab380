import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseWritten } from "../../observe/written";

describe("observe/written", () => {
  const since = new Date("2026-11-24T10:00:00.400Z");

  it("tells what was created from what was changed, and leaves the rest out", () => {
    const stdout = [
      "ConfigMap\tlab/new\t2026-11-24T10:05:00Z\t2026-11-24T10:05:00Z",
      "Deployment\tlab/scaled\t2026-11-01T10:05:00Z\t2026-11-01T10:05:00Z\t2026-11-24T10:01:00Z",
      "Namespace\tlab\t2026-11-01T10:05:00Z\t2026-11-01T10:05:00Z",
      "Secret\tlab/old\t2026-11-01T10:05:00Z",
      "",
    ].join("\n");
    assert.deepEqual(parseWritten(stdout, since), {
      created: ["ConfigMap lab/new"],
      changed: ["Deployment lab/scaled"],
    });
  });

  it("counts the snapshot's own second as after: Kubernetes writes no parts of one", () => {
    const { created } = parseWritten("ConfigMap\tlab/x\t2026-11-24T10:00:00Z", since);
    assert.deepEqual(created, ["ConfigMap lab/x"]);
    assert.deepEqual(parseWritten("ConfigMap\tlab/x\t2026-11-24T09:59:59Z", since).created, []);
  });
});
