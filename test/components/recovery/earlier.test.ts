import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeEarlier } from "../../../components/recovery/earlier";
import type { Attempt } from "../../../components/recovery/record";
import { parseSettings } from "../../../config";
import { lab } from "../../config/lab";

const one = (attempt: number, goBack: string): Attempt => ({
  ...{ attempt, goBack },
  beganAt: "2026-11-24T01:00:00.000Z",
});

type GoBack = NonNullable<ReturnType<typeof parseSettings>["goBack"]>;

describe("earlier ways back that were left open", () => {
  const settings = parseSettings(lab({ rke2Version: "v1.36.3+rke2r1", ingressController: "none" }));
  const verdict = (goBack: GoBack, open: readonly Attempt[], touched: boolean | string = false) => {
    const known = typeof touched === "string" ? { missing: touched } : { value: touched };
    const found = judgeEarlier({ ...settings, goBack }, open, known);
    assert.ok(found.length <= 1);
    return found[0]?.verdict;
  };
  const mend = (strategy: "reinstall" | "rollback", node: string): GoBack => ({ strategy, nodes: [node] });

  it("are nothing to this very one, and to whoever restores etcd", () => {
    assert.equal(verdict({ strategy: "reinstall" }, []), undefined);
    assert.equal(verdict({ strategy: "reinstall" }, [one(3, "reinstall")], true), undefined);
    assert.equal(verdict({ strategy: "restore" }, [one(3, "rollback"), one(4, "restore")], true), undefined);
    assert.equal(verdict({ strategy: "rollback" }, [one(3, "restore")], "no answer"), undefined);
  });

  it("stop single nodes while one of the whole cluster is open, whether it touched data or not", () => {
    for (const touched of [true, false, "no answer"])
      assert.equal(verdict(mend("rollback", "proj-k8sw01"), [one(3, "restore")], touched), "fail");
    assert.equal(verdict(mend("rollback", "proj-k8sw01"), [one(3, "reinstall:proj-k8sw02")]), "pass");
  });

  it("stop a cluster in place whose servers no longer hold the same data, or of which nobody can say so", () => {
    const open = [one(3, "restore"), one(4, "reinstall")];
    assert.equal(verdict({ strategy: "reinstall" }, open, true), "fail");
    assert.equal(verdict({ strategy: "reinstall" }, open, "no answer"), "not measured");
    assert.equal(verdict({ strategy: "reinstall" }, open), "pass");
  });

  it("stop a server in place that was to be put back and wiped", () => {
    const open = [one(3, "rollback:proj-k8sm02")];
    assert.equal(verdict({ strategy: "reinstall" }, open), "fail");
    assert.equal(verdict(mend("reinstall", "proj-k8sm02"), open), "fail");
    assert.equal(verdict(mend("reinstall", "proj-k8sm03"), open), "pass");
    assert.equal(verdict({ strategy: "reinstall" }, [one(3, "rollback:proj-k8sw01")]), "pass");
  });
});
