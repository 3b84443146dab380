import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStackFile } from "../../config/stackFile";

describe("config/stackFile", () => {
  const directory = mkdtempSync(join(tmpdir(), "stack-file-"));
  after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const project = write(
    "Pulumi.yaml",
    `name: rke2-upgrade
config:
  drain: { type: object, default: { graceSeconds: 120 } }
  kubeconfig: { type: string, default: "" }
  rehearsal:bootSeconds: 3
`,
  );
  const stack = write(
    "Pulumi.any.yaml",
    `encryptionsalt: v1:salt
config:
  rke2-upgrade:rke2Version: v1.36.3+rke2r1
  rke2-upgrade:nodes: [{ name: a, vmId: 3001, gpu: true }]
  rke2-upgrade:sshPrivateKey: { secure: v1:cipher }
  rke2-upgrade:backup: { recipients: [{ secure: v1:cipher }] }
  rehearsal:useWholeGrace: true
  other:key: value
`,
  );

  it("reads what the engine would hand over: defaults, then the stack, lists as JSON, secrets kept opaque", () => {
    assert.deepEqual(readStackFile(project, stack), {
      values: {
        drain: '{"graceSeconds":120}',
        rke2Version: "v1.36.3+rke2r1",
        nodes: '[{"name":"a","vmId":3001,"gpu":true}]',
      },
      secretKeys: ["sshPrivateKey", "backup"],
    });
  });

  it("reads another namespace by itself", () => {
    const { values } = readStackFile(project, stack, "rehearsal");
    assert.deepEqual(values, { bootSeconds: "3", useWholeGrace: "true" });
  });
});
