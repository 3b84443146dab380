import assert from "node:assert/strict";
import { judgeRun } from "../../components/judgement";
import { stops } from "../../components/refusal";
import { parseSettings } from "../../config";
import { judgeNode } from "../../observe/checks/node";
import { judgeOsPatch } from "../../observe/checks/osPatch";
import type { Look } from "../../observe/look";
import type { NodeFacts } from "../../observe/node";
import { lookBeforeTurn, parseOs } from "../../observe/os";
import { lab } from "../config/lab";
import { clusterNode, FROM, healthyNode, facts as seen, TO } from "./facts";

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
      unknown: "",
      driverless: "",
    });
    assert.deepEqual(parseOs("manager=dnf\nheld=\nreboot=\n"), {
      manager: "dnf",
      upgrades: [],
      held: [],
      reboot: "",
      unknown: "",
      driverless: "",
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

  it("stops before a turn whose reboot nobody there can answer for, where it goes by that", () => {
    const silent = "manager=dnf\nheld=\nreboot=\nunknown=dnf exits 1: No such command: needs-restarting.";
    const [agent, ...others] = settings().agents;
    const of = (osPatch: object) => judgeOsPatch(settings(osPatch), facts(silent));
    const stopped = of({ packages: "full" }).filter(stops);
    assert.equal(stopped.length, 1 + others.length);
    assert.equal(stopped[0]?.check, `${agent?.name}: whether a reboot is needed`);
    assert.match(stopped[0]?.found ?? "", /not known: dnf exits 1: No such command/);
    assert.match(stopped[0]?.next ?? "", /dnf install dnf-utils.*osPatch\.reboot' always/);
    for (const reboot of ["always", "never"]) {
      const said = of({ packages: "full", reboot });
      assert.deepEqual(said.filter(stops), []);
      assert.match(said[0]?.found ?? "", /whether a reboot is pending is not known: dnf exits 1/);
    }
  });

  it("stops before a GPU node's turn whose reboot would leave it without its driver, unless it is never rebooted", () => {
    const found = (reboot: string) =>
      judgeOsPatch(
        settings({ packages: "full", reboot }),
        facts("manager=apt\nreboot=asked for by libc6\ndriverless=6.8.0-60-generic"),
      ).filter(stops);
    for (const reboot of ["whenNeeded", "always"]) {
      const [first] = found(reboot);
      assert.match(first?.check ?? "", /: the kernel that a reboot boots has NVIDIA's driver$/);
      assert.match(first?.found ?? "", /^6\.8\.0-60-generic is installed and has none/);
      assert.match(first?.next ?? "", /dkms autoinstall -k 6\.8\.0-60-generic/);
    }
    assert.deepEqual(found("never"), []);
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

  const round = parseSettings(
    lab({
      ...{ rke2Version: FROM, acceptedVersion: FROM, changeId: "CR-2" },
      osPatch: { packages: "full", round: "CR-2" },
    }),
  );
  const AGENT = "proj-k8sw01";
  /** The cluster's word and the node's own of the round that is done with it. */
  const inRound = (patched: string, patchedUnder: string[], cordoned = "") =>
    seen({
      node: [AGENT, { patchedUnder }],
      cluster: {
        nodes: round.nodes.map(({ name }) =>
          clusterNode(name, {
            metadata: {
              name,
              annotations:
                name === AGENT
                  ? { "rke2-upgrade/patched": patched, "rke2-upgrade/cordoned": cordoned }
                  : { "rke2-upgrade/patched": "CR-2" },
            },
          }),
        ),
      },
    });

  it("refuses to go on where the cluster calls a node patched whose disk is as it was before", () => {
    const agent = round.agents[0] ?? assert.fail();
    const of = (patched: string, patchedUnder: string[], by = round) =>
      judgeNode(by, agent, inRound(patched, patchedUnder), undefined)
        .filter(stops)
        .map(({ next }) => next);
    assert.match(
      of("CR-2", ["CR-1"]).join(),
      /put back by hand: kubectl annotate node proj-k8sw01 \S+patched- /,
    );
    for (const [patched, under] of [
      ["CR-2", ["CR-2"]],
      ["CR-1", []],
      ["", ["CR-2"]],
    ] as const)
      assert.deepEqual(of(patched, [...under]), []);
    assert.deepEqual(of("CR-2", [], settings({})), []);
  });

  it("knows who is done with in a round by the cluster's mark: their time is not expected again", () => {
    const expected = (patched: string) =>
      judgeRun(round, inRound(patched, ["CR-2"]), undefined, undefined).find(
        ({ check }) => check === "timing: the next agent fits",
      )?.found;
    assert.match(expected("CR-1") ?? "", /for proj-k8sw01/);
    assert.equal(expected("CR-2"), undefined);
  });

  it("asks nothing of the reboot of who is done with in a round: none comes", () => {
    const os = new Map([[AGENT, { value: parseOs("manager=dnf\nunknown=dnf exits 1") }]]);
    const stopped = (patched: string) =>
      judgeOsPatch(round, { ...inRound(patched, ["CR-2"]), os }).filter(stops).length;
    assert.deepEqual([stopped("CR-1"), stopped("CR-2")], [1, 0]);
  });

  it("minds a cordon of ours that somebody took off before the node was patched, and none that we took off after", () => {
    const uncordoned = (patched: string) =>
      judgeRun(round, inRound(patched, ["CR-2"], "CR-2"), undefined, undefined).filter(
        ({ check }) => check === "cluster: nodes in their turn are cordoned",
      );
    assert.match(
      uncordoned("")
        .map(({ found }) => found)
        .join(),
      /uncordoned by somebody: proj-k8sw01/,
    );
    assert.deepEqual(uncordoned("CR-2"), []);
  });

  it("says nothing where the OS is left alone", () => {
    assert.deepEqual(judgeOsPatch(settings({}), seen()), []);
  });
});
