import assert from "node:assert/strict";
import { providerBefore } from "../../components/restoreTestProvider";
import { type GoBack, parseSettings } from "../../config";
import { lab } from "../config/lab";

describe("components/restoreTestProvider", () => {
  let tests: number;
  let untouched: boolean;
  let goBack: GoBack | undefined;
  const settings = parseSettings(lab({ rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.35.4+rke2r1" }));
  const finding = (result: "passed" | "not run") => ({
    ...{ result, why: result, clone: "", evidence: {}, seconds: 0 },
  });
  const provider = providerBefore({
    context: () => ({ settings: { ...settings, goBack }, sshPrivateKey: "", proxmoxTokenSecret: "" }),
    nothingTouched: async () => untouched,
    test: async () => {
      tests += 1;
      return finding("passed");
    },
  });
  const inputs = {
    ...{ enabled: true, node: "proj-k8sm01", accepted: "v1.35.4+rke2r1", changeId: "CR-1", owner: "owner" },
  };
  const left = (result: "passed" | "not run", more: object = {}) => ({
    ...inputs,
    ...finding(result),
    ...more,
  });
  const changes = async (olds: ReturnType<typeof left>, more: object = {}) =>
    (await provider.diff?.("id", olds, { ...inputs, ...more }))?.changes;

  beforeEach(() => {
    tests = 0;
    untouched = true;
    goBack = undefined;
  });

  it("asks again for one that was not run, until it passed, while no node is touched", async () => {
    assert.equal(await changes(left("not run")), true);
    assert.equal(await changes(left("not run"), { enabled: false }), true, "that is another wish");
    assert.equal(await changes(left("not run", { enabled: false }), { enabled: false }), false);
    assert.equal(await changes(left("passed")), false);
    const updated = await provider.update?.("id", left("not run"), inputs);
    assert.deepEqual([tests, updated?.outs?.result], [1, "passed"]);
  });

  it("clones nothing once a node is touched, whatever is asked for, and keeps what was found", async () => {
    untouched = false;
    assert.equal(await changes(left("not run")), false);
    for (const result of ["passed", "not run"] as const) {
      const updated = await provider.update?.("id", left(result, { enabled: false }), inputs);
      assert.deepEqual([tests, updated?.outs?.result, updated?.outs?.enabled], [0, result, true]);
    }
  });

  it("is left alone while going back", async () => {
    goBack = { strategy: "restore" };
    assert.equal(await changes(left("not run")), false);
    assert.equal((await provider.create(inputs)).outs?.why, "the change goes back");
    assert.equal(tests, 0);
  });
});
