import assert from "node:assert/strict";
import { stops } from "../../components/refusal";
import { parseSettings } from "../../config";
import { judgeOsPatch } from "../../observe/checks/osPatch";
import type { Look } from "../../observe/look";
import type { NodeFacts } from "../../observe/node";
import { lookBeforeTurn, parseOs } from "../../observe/os";
import { lab } from "../config/lab";
import { FROM, healthyNode, facts as seen, TO } from "./facts";

const said = [
  "manager=apt",
  "update=linux-image-6 - 6.1.0-30",
  "update=openssl 3.0.15-1 3.0.16-1",
  "held=nvidia-driver cuda-drivers",
  "reboot=asked for by libc6 ",
].join("\n");

const settings = (osPatch: object = { packages: "security" }) =>
  parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM, osPatch }));
const facts = (stdout: string) => ({
  ...seen(),
  os: new Map(settings().agents.map(({ name }) => [name, { value: parseOs(stdout) }])),
});

describe("observe/os", () => {
  it("reads what a node would upgrade, what it holds and why it would be rebooted", () => {
    assert.deepEqual(parseOs(said), {
      manager: "apt",
      upgrades: [
        { name: "linux-image-6", from: "", to: "6.1.0-30" },
        { name: "openssl", from: "3.0.15-1", to: "3.0.16-1" },
      ],
      held: ["nvidia-driver", "cuda-drivers"],
      reboot: "asked for by libc6 ",
    });
    assert.deepEqual(parseOs("manager=dnf\nheld=\nreboot=\n"), {
      manager: "dnf",
      upgrades: [],
      held: [],
      reboot: "",
    });
  });

  it("says it node by node, those that are patched alone", () => {
    const findings = judgeOsPatch(settings(), facts(said));
    assert.deepEqual(
      findings.map(({ check }) => check.split(":")[0]),
      settings().agents.map(({ name }) => name),
    );
    for (const { verdict, found } of findings) {
      assert.equal(verdict, "pass");
      assert.match(
        found,
        /^2 to upgrade \(apt, by the lists that it has\): linux-image-6 6\.1\.0-30, openssl 3\.0\.15-1 → 3\.0\.16-1; held, .*: nvidia-driver, cuda-drivers; a reboot is pending: asked for by libc6/,
      );
    }
    const [never] = judgeOsPatch(settings({ packages: "full", reboot: "never" }), facts(said));
    assert.match(never?.found ?? "", /a reboot is pending: .*; it is not rebooted$/);
    const [none] = judgeOsPatch(settings(), facts("manager=apt\nheld=\nreboot=\n"));
    assert.equal(none?.found, "none to upgrade (apt, by the lists that it has); no reboot is pending");
  });

  it("warns of a node that does not say, and stops nothing: its turn asks anew", () => {
    const os = new Map([["proj-k8sw01", { missing: "apt is busy" }]]);
    const found = judgeOsPatch(settings(), { ...seen(), os });
    assert.deepEqual(
      found.map(({ verdict, found }) => [verdict, found]),
      [["warn", "apt is busy"]],
    );
    assert.ok(!found.some(stops));
    assert.match(found[0]?.next ?? "", /ssh -p 22/);
  });

  it("asks no node that has the wanted RKE2 on its disk, and a silent one not a second time", async () => {
    let asked = 0;
    const known = (node: Look<NodeFacts>, answer = async () => parseOs(said)) =>
      lookBeforeTurn(settings(), node, () => {
        asked++;
        return answer();
      });
    assert.equal(await known({ value: { ...healthyNode, versionOnDisk: TO } }), undefined);
    assert.deepEqual(await known({ missing: "no answer" }), { missing: "no answer" });
    assert.equal(asked, 0);
    assert.deepEqual(await known({ value: healthyNode }), { value: parseOs(said) });
    const busy = async () => assert.fail("apt is busy");
    assert.deepEqual(await known({ value: healthyNode }, busy), { missing: "apt is busy" });
    assert.equal(asked, 2);
    assert.deepEqual(judgeOsPatch(settings(), { ...seen(), os: new Map() }), []);
  });

  it("says nothing where the OS is left alone", () => {
    assert.deepEqual(judgeOsPatch(settings({}), seen()), []);
  });
});
