import assert from "node:assert/strict";
import { before } from "mocha";
import { provider } from "../../components/operatorsGateProvider";
import { provider as memory } from "../../components/operatorsMemoryProvider";
import { planOf } from "../../components/plan";
import { describePlan, parseSettings, withExpectations } from "../../config";
import { stepOf } from "../../report/stepName";
import { lab } from "../config/lab";
import { ASKED_AT, type Registered, runProgram } from "./engine";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";
const one = (name: string, when: string, changes: object = {}) => ({
  ...{ name, namespace: name, chart: name, repo: "https://charts.example.org", version: "v1.2.3", when },
  ...changes,
});
const health = [
  { resource: "clusterpolicies.nvidia.com/cluster-policy", path: ".status.state", value: "ready" },
];
const operators = [
  one("gpu-operator", "after", { health, values: { driver: { version: "1" } } }),
  one("cert-manager", "before"),
  one("traefik", "before", { repo: undefined, chart: "traefik-v1.2.3.tgz", adopt: true }),
];
const RELEASE = "kubernetes:helm.sh/v3:Release";

describe("operators in an upgrade", () => {
  let all: Registered[];
  const get = (name: string): Registered => {
    const found = all.find((resource) => resource.name === name);
    assert.ok(found, `${name} is not registered`);
    return found;
  };
  const follows = (...names: string[]) => {
    for (const [i, name] of names.slice(1).entries())
      assert.ok(get(name).dependsOn.includes(names[i] as string), `${name} after ${names[i]}`);
  };

  before(async () => {
    all = await runProgram({ rke2Version: B, acceptedVersion: A, operators });
  });

  it("are asked about before anything is touched", () => {
    follows("preflight", "operators-gate", "proj-k8sm01-fetch-artifacts");
  });

  it("go before the first server, once the way back is there, one after another", () => {
    follows(
      "way-back-etcd-backup",
      "operator-cert-manager-release",
      "operator-cert-manager-ready",
      "operator-traefik-release",
      "operator-traefik-ready",
      "proj-k8sm01-turn-gate",
      "proj-k8sm01-gate-cluster",
    );
  });

  it("or after the last agent, and before the validation: the GPU operator strictly after its node", () => {
    follows(
      "proj-k8sw04-uncordon",
      "operator-gpu-operator-release",
      "operator-gpu-operator-ready",
      "operator-gpu-operator-gpu-proj-k8sw04",
      "validation-validate",
    );
  });

  it("stay in the cluster when their resources go, and share one connection to it", () => {
    const releases = all.filter(({ type }) => type === RELEASE);
    assert.equal(releases.length, 3);
    for (const { retainOnDelete, name } of releases) assert.ok(retainOnDelete, name);
    follows("operators-gate", "cluster-operators");
  });

  it("are asked of helm as the config says, and no more", () => {
    assert.deepEqual(get("operator-gpu-operator-release").inputs, {
      ...{ name: "gpu-operator", namespace: "gpu-operator", chart: "gpu-operator", version: "v1.2.3" },
      ...{ repositoryOpts: { repo: "https://charts.example.org" }, values: { driver: { version: "1" } } },
      ...{ timeout: 300, createNamespace: true, compat: "true" },
    });
    // No more than a release remembers of itself: all else would be a difference.
    assert.deepEqual(get("operator-traefik-release").inputs, {
      ...{ name: "traefik", namespace: "traefik", chart: "traefik-v1.2.3.tgz", version: "v1.2.3" },
      ...{ timeout: 300, compat: "true" },
    });
  });

  it("are proven with their conditions", () => {
    assert.match(
      String(get("operator-gpu-operator-ready").inputs.create),
      / gpu-operator gpu-operator v1\.2\.3 300 clusterpolicies\.nvidia\.com\/cluster-policy \.status\.state ready # /,
    );
  });

  it("are proven again when nothing but their values changed", async () => {
    const gpu = one("gpu-operator", "after", { health, values: { driver: { version: "2" } } });
    const other = await runProgram({ rke2Version: B, acceptedVersion: A, operators: [gpu] });
    for (const name of ["operator-gpu-operator-ready", "operator-gpu-operator-gpu-proj-k8sw04"]) {
      const again = other.find((resource) => resource.name === name);
      assert.notEqual(again?.inputs.create, get(name).inputs.create, name);
    }
  });

  it("have the GPU operator prove each GPU, within its own limit, and run no job there", () => {
    const settings = parseSettings(lab({ rke2Version: B, acceptedVersion: A, operators }));
    const proofs = planOf(settings).filter(({ id }) => /^operator-.*-gpu-/.test(id));
    assert.deepEqual(
      proofs.map(({ phase, boundSeconds, planned }) => [
        phase,
        boundSeconds,
        planned?.on.name,
        planned?.args,
      ]),
      [["operators-after", 375, "proj-k8sm01", ["proj-k8sw04", "gpu-operator", 300, "CR-2026-041", 15]]],
    );
    assert.equal(withExpectations(proofs, settings)[0]?.expectedSeconds, settings.durations.verifySeconds);
  });

  it("stand in the plan at their place, and every step of it is laid out", () => {
    const settings = parseSettings(lab({ rke2Version: B, acceptedVersion: A, operators }));
    const plan = planOf(settings);
    const ids = new Set(plan.map(({ id }) => id));
    const laidOut = new Set(all.map(({ name }) => stepOf(name, ids)));
    for (const { id, phase } of plan)
      if (phase.startsWith("operators-")) assert.ok(laidOut.has(id), `${id} is not laid out`);
    const lines = describePlan(plan, A, B).join("\n");
    assert.match(
      lines,
      /before Kubernetes\n.*cert-manager at v1\.2\.3.*\n.*\n.*traefik.*\n.*\nServers, one at a time/,
    );
    assert.match(
      lines,
      /after Kubernetes\n.*gpu-operator at v1\.2\.3.*\n.*well.*\n.*proj-k8sw04 offers its GPU.*\nValidation/,
    );
  });
});

describe("the operators' gate", () => {
  const inputs = { operators: "cert-manager traefik", digest: "d", wanted: A, accepted: A, changeId: "CR-1" };
  const news = { ...inputs, attempt: 2, owner: "o" };

  it("tells a preview whose the releases are: nobody's, once a way back took it out of the state", async () => {
    const held = async (olds: object) => (await provider.check(olds, news)).inputs.held;
    assert.equal(await held({ ...news, attempt: 1 }), "cert-manager traefik");
    assert.equal(await held({}), "");
  });
});

describe("the operators' memory", () => {
  const [older, newer] = [1, 4].map((since) => ({ cert: { digest: "d", since, found: since } }));

  it("hands out in a preview what the gate left last, and in between what it leaves now", async () => {
    assert.ok(older && newer);
    // As a preview has an output that is not known yet.
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9" as never;
    const { inputs } = await memory.check({ letThrough: older, known: {} }, { letThrough: unknown });
    assert.deepEqual(inputs.known, older);
    assert.deepEqual((await memory.check(undefined, { letThrough: newer })).inputs.known, {});
    const { outs } = await memory.create({ letThrough: newer, known: older });
    assert.deepEqual(outs.known, newer);
    assert.deepEqual((await memory.update("", outs, { letThrough: older, known: newer })).outs.known, older);
    assert.equal((await memory.diff("", outs, { letThrough: newer, known: newer })).changes, false);
    assert.equal((await memory.diff("", outs, { letThrough: older, known: newer })).changes, true);
  });
});

describe("operators alone", () => {
  it("go in a settled cluster, before its acceptance", async () => {
    const all = await runProgram({ rke2Version: B, acceptedVersion: B, operators });
    const names = all.map(({ name }) => name);
    const order = [
      "change",
      "operators-gate",
      "operator-cert-manager-release",
      "operator-traefik-release",
      "operator-gpu-operator-release",
      "operator-gpu-operator-ready",
      "operator-gpu-operator-gpu-proj-k8sw04",
      "settled-proj-k8sm01-verify",
    ];
    const at = order.map((name) => names.indexOf(name));
    assert.ok(!at.includes(-1), names.join(" "));
    assert.deepEqual(
      at,
      at.toSorted((a, b) => a - b),
    );
  });

  it("let go of the lock that their gate took by a resource of its own: no way back is let go, so none is signed off", async () => {
    const all = await runProgram({ rke2Version: B, acceptedVersion: B, operators });
    const named = (name: string) => all.find((one) => one.name === name);
    assert.equal(named("operators-lock")?.inputs.askedAt, ASKED_AT);
    assert.ok(named("operators-lock")?.dependsOn.includes("settled-release"));
    assert.ok(!JSON.stringify(named("settled-release")?.inputs).includes(ASKED_AT));
    const without = await runProgram({ rke2Version: B, acceptedVersion: B });
    assert.ok(!without.some(({ name }) => name === "operators-lock"));
  });

  it("are left alone while going back: nothing of Kubernetes is read or made", async () => {
    const all = await runProgram({
      ...{ rke2Version: B, acceptedVersion: A, operators },
      goBack: { strategy: "reinstall", nodes: ["proj-k8sw01"] },
    });
    assert.ok(all.every(({ name, type }) => !name.startsWith("operator") && !/kubernetes/.test(type)));
  });
});
