import assert from "node:assert/strict";
import { before } from "mocha";
import { planOf } from "../../components/plan";
import { parseSettings } from "../../config";
import { stepOf } from "../../report/stepName";
import { lab } from "../config/lab";
import { type Registered, runProgram } from "./engine";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";
const SERVERS = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"];
const AGENTS = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03", "proj-k8sw04"];

/** A command's connection; it is secret as a whole, and a secret arrives wrapped. */
const connection = ({ inputs }: Registered) =>
  (inputs.connection as { value: { host: string; hostKey?: string } }).value;

/** Components and the stack are not steps. */
const isStep = ({ type }: Registered) => !type.startsWith("rke2:components:") && !type.startsWith("pulumi:");

describe("index.ts under way", () => {
  let all: Registered[];
  let steps: Registered[];
  const get = (name: string): Registered => {
    const found = all.find((resource) => resource.name === name);
    assert.ok(found, `${name} is not registered`);
    return found;
  };
  const precedes = (first: string, then: string) =>
    assert.ok(get(first).done < get(then).started, `${first} must be done before ${then} begins`);

  before(async () => {
    all = await runProgram({ rke2Version: B, acceptedVersion: A });
    steps = all.filter(isStep);
  });

  it("never does two steps at once, but for artifacts and the agents' snapshots", () => {
    for (const one of steps) {
      for (const other of steps) {
        const together = one !== other && one.started < other.done && other.started < one.done;
        const allowed = (r: Registered) => /-fetch-artifacts$|^proj-k8sw.*-vm-snapshot$/.test(r.name);
        if (together) assert.ok(allowed(one) && allowed(other), `${one.name} and ${other.name} overlap`);
      }
    }
  });

  it("makes the way back before it touches RKE2 anywhere", () => {
    const firstTouch = steps.find(({ name }) => name.endsWith("-turn-gate"));
    assert.ok(firstTouch);
    for (const node of [...SERVERS, ...AGENTS]) {
      precedes(`${node}-fetch-artifacts`, firstTouch.name);
      precedes(`${node}-vm-snapshot`, firstTouch.name);
    }
    precedes("way-back-etcd-backup", firstTouch.name);
    precedes("proj-k8sm01-restore-point", "proj-k8sm01-vm-snapshot");
    precedes("proj-k8sw04-vm-snapshot", "way-back-restore-test");
    precedes("way-back-restore-test", "way-back-etcd-backup");
    precedes("preflight", `${SERVERS[0]}-fetch-artifacts`);
    precedes("change", "preflight");
  });

  it("finishes each node before the next begins, servers first", () => {
    const order = [...SERVERS, ...AGENTS];
    for (const [i, node] of order.entries()) {
      const next = order[i + 1];
      const last = SERVERS.includes(node) ? "verify-cluster" : "uncordon";
      if (next) precedes(`${node}-${last}`, `${next}-turn-gate`);
    }
    precedes(`${SERVERS.at(-1)}-verify-cluster`, "charts-settled");
    precedes("charts-settled", `${AGENTS[0]}-turn-gate`);
    for (const node of order) precedes(`${node}-turn-gate`, `${node}-gate-cluster`);
    precedes(`${AGENTS.at(-1)}-uncordon`, "validation-validate");
    precedes("validation-validate", "validation-smoke-test");
  });

  it("ties that order by dependencies, not by luck: each step depends on the one before", () => {
    const turn = (node: string) =>
      steps.filter(
        ({ name }) =>
          name.startsWith(`${node}-`) &&
          name !== `${node}-fetch-artifacts` &&
          !/leader-away|vm-snapshot|release-hold|check-health|restore-point/.test(name),
      );
    for (const node of [...SERVERS, ...AGENTS]) {
      const names = turn(node).map(({ name }) => name);
      for (const [i, name] of names.slice(1).entries())
        assert.deepEqual(get(name).dependsOn, [names[i], "change"], name);
    }
  });

  it("asks whether to go back where what runs alone fails, and never where others may still run", () => {
    const asked = new Set(steps.filter(({ onError }) => onError.length > 0).map(({ name }) => name));
    for (const node of [...SERVERS, ...AGENTS])
      for (const id of ["backup-config", "install", "restart", "verify-cluster"])
        assert.ok(asked.has(`${node}-${id}`), `${node}-${id}`);
    for (const id of ["charts-settled", "validation-validate", "validation-smoke-test"])
      assert.ok(asked.has(id), id);
    for (const id of asked) assert.doesNotMatch(id, /fetch-artifacts|restore-point|scan-|settled-/);
  });

  it("asks the cluster on a server that is not being worked on", () => {
    for (const node of SERVERS) {
      const gate = connection(get(`${node}-gate-cluster`));
      const install = connection(get(`${node}-install`));
      assert.notEqual(gate.host, install.host);
    }
  });

  it("gives the GPU node its longer limits and its proofs", () => {
    const command = (name: string) => String(get(name).inputs.create);
    assert.match(command("proj-k8sw04-drain"), / 300 600 /);
    assert.match(command("proj-k8sw01-drain"), / 120 300 /);
    precedes("proj-k8sw04-gpu-before", "proj-k8sw04-cordon");
    precedes("proj-k8sw04-verify-cluster", "proj-k8sw04-gpu-after");
  });

  it("keeps every snapshot and cluster object when its resource goes", () => {
    for (const { name, type, retainOnDelete } of steps) {
      if (/VmSnapshot|EtcdBackup|kubernetes:/.test(type) && !type.startsWith("pulumi:"))
        assert.ok(retainOnDelete, name);
    }
  });

  it("names snapshots by the accepted version alone", async () => {
    const again = await runProgram({ rke2Version: "v1.36.3+rke2r2", acceptedVersion: A });
    const names = (rows: Registered[]) =>
      rows.filter(({ type }) => type.includes("VmSnapshot")).map(({ inputs }) => inputs.name);
    assert.deepEqual(names(again), names(all));
  });

  it("puts the attempt into every step, and pins every host key", () => {
    for (const command of steps.filter(({ type }) => type === "command:remote:Command")) {
      assert.match(String(command.inputs.create), /# CR-2026-041 attempt 1$/, command.name);
      assert.ok(connection(command).hostKey, command.name);
    }
  });

  it("puts no secret into a command", () => {
    for (const { name, inputs } of steps) {
      const { connection: _, ...visible } = inputs;
      assert.doesNotMatch(JSON.stringify(visible), /PRIVATE KEY|00000000-0000-0000/, name);
    }
  });
});

describe("index.ts settled", () => {
  it("verifies and accepts, and has no step that could install, restart or drain", async () => {
    const all = await runProgram({ rke2Version: B, acceptedVersion: B });
    const names = all.filter(isStep).map(({ name }) => name);
    assert.ok(names.includes("settled-accept"));
    for (const name of names) assert.doesNotMatch(name, /install|restart|drain|cordon|snapshot/);
    const position = (name: string) => names.indexOf(name);
    assert.ok(position("settled-accept") < position("settled-release"));
    // The record joins each of the plan's steps with what was made of it.
    const plan = planOf(parseSettings(lab({ rke2Version: B, acceptedVersion: B })));
    const ids = new Set(plan.map(({ id }) => id));
    const joined = new Set(names.map((name) => stepOf(name, ids)));
    assert.deepEqual(
      [...ids].filter((id) => !joined.has(id)),
      [],
    );
  });
});
