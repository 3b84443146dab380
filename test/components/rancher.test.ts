import assert from "node:assert/strict";
import { before } from "mocha";
import { planOf } from "../../components/plan";
import { describePlan, parseSettings } from "../../config";
import { stepOf } from "../../report/stepName";
import { lab } from "../config/lab";
import { type Registered, runProgram } from "./engine";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";
const FILE = "rke2up-cr-2026-041-2.14.3-0b450532-cee1-4aa1-a881-f5f48a007b1c-2026-11-24T07-27-09Z.tar.gz";
const cert = { name: "cert", namespace: "cert", chart: "./cert.tgz", version: "v1.2.3", when: "before" };
const EXPORT = "pulumi-nodejs:dynamic/rke2:RancherBackup";

/** Asserts that each depends on the one before. */
function follows(all: readonly Registered[], ...names: string[]): void {
  for (const [i, name] of names.slice(1).entries()) {
    const one = all.find((resource) => resource.name === name);
    assert.ok(one, `${name} is not registered`);
    assert.ok(one.dependsOn.includes(names[i] as string), `${name} after ${names[i]}`);
  }
}

describe("Rancher with an upgrade", () => {
  const changes = { rke2Version: B, acceptedVersion: A, rancherVersion: "2.15.1", operators: [cert] };
  let all: Registered[];

  before(async () => {
    all = await runProgram(changes);
  });

  it("is exported once the way back is there, upgraded and proven, before other operators and every node", () => {
    follows(
      all,
      "way-back-etcd-backup",
      "rancher-backup",
      "operator-rancher-release",
      "operator-rancher-ready",
      "rancher-ready",
      "operator-cert-release",
      "operator-cert-ready",
      "proj-k8sm01-turn-gate",
    );
  });

  it("leaves its export where it is, whatever becomes of the resource", () => {
    const one = all.find(({ name }) => name === "rancher-backup");
    assert.equal(one?.type, EXPORT);
    assert.ok(one?.retainOnDelete);
    const { changeId, wanted, rancherVersion } = one?.inputs ?? {};
    assert.deepEqual([changeId, wanted, rancherVersion], ["CR-2026-041", B, "2.15.1"]);
  });

  it("is proven by its own word", () => {
    const create = String(all.find(({ name }) => name === "rancher-ready")?.inputs.create);
    assert.match(create, / rancher-ready \S+ 690 cattle-system rancher 2\.15\.1 600 30 # /);
  });

  it("stands in the plan at its place, and every step of it is laid out", () => {
    const plan = planOf(parseSettings(lab(changes)));
    const ids = new Set(plan.map(({ id }) => id));
    const laidOut = new Set(all.map(({ name }) => stepOf(name, ids)));
    for (const { id, phase } of plan)
      if (phase === "operators-before") assert.ok(laidOut.has(id), `${id} is not laid out`);
    const lines = describePlan(plan, A, B).join("\n");
    assert.match(
      lines,
      /before Kubernetes\n.*export Rancher.*\n.*cattle-system\/rancher at 2\.15\.1.*\n.*\n.*own word.*\n.*cert\/cert/,
    );
  });
});

describe("Rancher otherwise", () => {
  it("is only exported where that alone is asked for: no gate, no release", async () => {
    const backup = { rancher: { backup: { enabled: true } } };
    const all = await runProgram({ rke2Version: B, acceptedVersion: A, ...backup });
    follows(all, "way-back-etcd-backup", "rancher-backup", "proj-k8sm01-turn-gate");
    assert.ok(!all.some(({ name }) => name.startsWith("operator")));
  });

  it("goes alone in a settled cluster", async () => {
    const all = await runProgram({ rke2Version: A, acceptedVersion: A, rancherVersion: "2.15.1" });
    follows(
      all,
      ...["operators-gate", "rancher-backup", "operator-rancher-release", "operator-rancher-ready"],
      ...["rancher-ready", "settled-proj-k8sm01-verify"],
    );
  });

  it("goes back: what runs is exported, its data put back, then the older release", async () => {
    const rancher = { restore: FILE };
    const all = await runProgram({ rke2Version: A, acceptedVersion: A, rancherVersion: "2.14.3", rancher });
    follows(all, "rancher-backup", "rancher-restore", "operator-rancher-release", "operator-rancher-ready");
    const create = String(all.find(({ name }) => name === "rancher-restore")?.inputs.create);
    assert.ok(
      create.includes(` rancher-restore owner 840 CR-2026-041 cattle-system rancher 2.14.3 ${FILE} 600 ''`),
      create,
    );
  });

  it("is left alone while the cluster goes back", async () => {
    const goBack = { strategy: "reinstall", nodes: ["proj-k8sw01"] };
    const all = await runProgram({ rke2Version: B, acceptedVersion: A, rancherVersion: "2.15.1", goBack });
    assert.ok(all.every(({ name, type }) => !name.includes("rancher") && !/kubernetes/.test(type)));
  });
});
