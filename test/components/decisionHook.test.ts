import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { decisionHook } from "../../components/decisionHook";
import type { Run } from "../../components/step";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";
import { FROM, TO } from "../observe/facts";

const change = {} as Run["change"];
const settings = parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM }));
const failed = { urn: "u", id: "i", name: "n", type: "t", failedOperation: "create" };

describe("components/decisionHook", () => {
  /** What is said when these failures come one after another. */
  async function said(...failures: string[]): Promise<string[]> {
    const lines: string[] = [];
    const { warn } = pulumi.log;
    Object.assign(pulumi.log, { warn: async (line: string) => lines.push(line) });
    try {
      const sshPrivateKey = pulumi.output(Promise.resolve("no key"));
      const hook = decisionHook({ settings, change, sshPrivateKey });
      for (const error of failures)
        assert.equal(await hook.callback({ ...failed, errors: [error] }), false, "a step is never retried");
      return lines;
    } finally {
      Object.assign(pulumi.log, { warn });
    }
  }

  it("tells once whether to go back, whatever fails after it", async () => {
    const lines = await said("it broke", "and that too");
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /Procedure §4\.3's criteria for going back: /);
  });

  it("adds nothing to a refusal that tells it", async () =>
    assert.deepEqual(await said("refused\nProcedure §4.3's criteria for going back: none is met."), []));
});
