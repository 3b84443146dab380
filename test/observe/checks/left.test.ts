import assert from "node:assert/strict";
import fc from "fast-check";
import type { Settings } from "../../../config";
import { acknowledgement } from "../../../config/formats";
import { judgeLeft } from "../../../observe/checks/left";
import { FROM, healthyNode, settings, TO } from "../facts";

const [node] = settings.servers;
assert.ok(node);
const at = "2026-09-01T01:00:00Z";

const judge = (left: Partial<typeof healthyNode.left>, more: Partial<Settings> = {}, turn = false) =>
  judgeLeft(
    { ...settings, ...more },
    node,
    { ...healthyNode, left: { at, version: FROM, changes: [], ...left } },
    turn,
  );

describe("observe/checks/left", () => {
  it("passes where nothing was changed, and where no run has left a record", () => {
    assert.equal(judge({}).verdict, "pass");
    assert.equal(judge({ at: "", version: "" }).found, "no run has left it yet");
  });

  it("refuses a changed file and another version, each by the name that takes it on", () => {
    const found = judge({ version: TO, changes: ["config.yaml 1f0c93aa", "registries.yaml gone"] });
    assert.equal(found.verdict, "fail");
    assert.match(
      found.found,
      /left on v1\.36\.3\+rke2r1, runs v1\.35\.4\+rke2r1, config\.yaml 1f0c93aa, registries\.yaml gone$/,
    );
    const names = [...(found.next ?? "").matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? "");
    assert.equal(names.length, 3);
    for (const name of names) assert.match(name, acknowledgement);
    const taken = judge(
      { version: TO, changes: ["config.yaml 1f0c93aa", "registries.yaml gone"] },
      { acknowledge: names },
    );
    assert.deepEqual([taken.verdict, taken.next], ["pass", undefined]);
  });

  it("asks anew what was changed once more, and on another node", () => {
    const changes = ["config.yaml 1f0c93aa"];
    for (const name of [`${node.name} config.yaml 00000000`, "proj-k8sm02 config.yaml 1f0c93aa"])
      assert.equal(judge({ changes }, { acknowledge: [name] }).verdict, "fail");
  });

  it("only tells in a node's own turn, and while nothing is under way", () => {
    const changes = ["config.yaml 1f0c93aa"];
    assert.equal(judge({ changes }, {}, true).verdict, "warn");
    assert.equal(judge({ changes }, { rke2Version: FROM }).verdict, "warn");
  });

  it("names every change in a form that config takes", () => {
    const file = fc.constantFrom(
      "config.yaml",
      "registries.yaml",
      "config.yaml.d/50-site.yaml",
      "config.yaml.d/a.yml",
    );
    const print = fc.oneof(
      fc.constant("gone"),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 8, maxLength: 8 }),
    );
    fc.assert(
      fc.property(file, print, (name, what) => acknowledgement.test(`${node.name} ${name} ${what}`)),
      { numRuns: 50 },
    );
  });
});
