import assert from "node:assert/strict";
import { parseSettings } from "../../../config";
import { judge, judgeTurn } from "../../../observe";
import { lab } from "../../config/lab";
import { FROM, facts, OWNER, pod, TO } from "../facts";

const settings = (keys: object = {}) =>
  parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM, ...keys }));
const running = (image: string) =>
  facts({
    cluster: {
      pods: [
        pod("p", "proj-k8sw01", { spec: { nodeName: "proj-k8sw01", containers: [{ name: "c", image }] } }),
      ],
    },
  });
const RANCHER = running("rancher/rancher:v2.15.1");
const isOurs = ({ check }: { check: string }) => check.includes("exported before");

describe("observe/checks/rancherExport", () => {
  it("refuses, before a run, a Rancher of which nobody said whether it is exported, with the key and both answers", () => {
    const [finding, ...more] = judge(settings(), RANCHER, OWNER).filter(isOurs);
    assert.deepEqual(more, []);
    assert.equal(finding?.verdict, "fail");
    assert.match(
      finding?.next ?? "",
      /pulumi config set --path 'rke2-upgrade:rancher\.backup\.enabled' true .* with false/,
    );
    const [node] = settings().agents;
    assert.ok(node);
    assert.deepEqual(judgeTurn(settings(), node, RANCHER, OWNER).filter(isOurs), []);
  });

  it("passes what the config declines", () => {
    const declined = settings({ rancher: { backup: { enabled: false } } });
    assert.deepEqual(
      judge(declined, RANCHER, OWNER)
        .filter(isOurs)
        .map(({ verdict }) => verdict),
      ["pass"],
    );
  });

  it("says nothing where it is exported, where there is none, and where nothing is changed", () => {
    const exported = settings({ rancher: { backup: { enabled: true } } });
    assert.deepEqual(judge(exported, RANCHER, OWNER).filter(isOurs), []);
    assert.deepEqual(judge(settings(), running("traefik:v3.7.8"), OWNER).filter(isOurs), []);
    assert.deepEqual(judge(settings({ rke2Version: FROM }), RANCHER, OWNER).filter(isOurs), []);
  });
});
