/** index.ts while going back: what it lays out, in which order, and what it must not. */
import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { RECIPIENT } from "../config/lab";
import { type Registered, runProgram } from "./engine";

const A = "v1.36.3+rke2r1";
const WITHIN = "v1.36.3+rke2r2";
const [FIRST, ...OTHERS] = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"] as const;
const SERVERS = [FIRST, ...OTHERS];
const AGENTS = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03", "proj-k8sw04"];
const backup = { directory: "/nowhere", recipients: [RECIPIENT], identityFile: "/nowhere/key.txt" };

const isStep = ({ type }: Registered) => !type.startsWith("rke2:components:") && !type.startsWith("pulumi:");

/** The program's steps while it goes back in a way, and a judge of their order. */
async function goingBack(goBack: Record<string, unknown>) {
  const all = await runProgram({
    rke2Version: WITHIN,
    acceptedVersion: A,
    ingressController: "none",
    goBack,
    backup,
  });
  const steps = all.filter(isStep);
  const get = (name: string): Registered => {
    const found = steps.find((one) => one.name === name);
    assert.ok(found, `${name} is not registered: ${steps.map((one) => one.name).join(" ")}`);
    return found;
  };
  return {
    all,
    steps,
    get,
    has: (name: string) => steps.some((one) => one.name === name),
    precedes: (first: string, then: string) =>
      assert.ok(get(first).done < get(then).started, `${first} must be done before ${then} begins`),
  };
}

type Going = Awaited<ReturnType<typeof goingBack>>;

/** True of every way back. */
function asEveryWayBack(going: () => Going): void {
  it("reads and makes nothing of Kubernetes, and lays out nothing of the way forward", () => {
    for (const { type, name } of going().all) {
      assert.doesNotMatch(type, /kubernetes/, name);
      assert.doesNotMatch(
        name,
        /fetch-artifacts|gate-|backup-config|leader-away|check-health|validat|charts|smoke/,
      );
    }
  });

  it("keeps the way back declared: every snapshot and the etcd backup, never deleted", () => {
    const { get } = going();
    for (const node of [...SERVERS, ...AGENTS]) assert.ok(get(`${node}-vm-snapshot`).retainOnDelete);
    assert.ok(get("way-back-etcd-backup").retainOnDelete);
  });

  it("asks first, and proves last", () => {
    const { steps, precedes } = going();
    const touching = steps.filter(
      ({ type, name }) => type === "command:remote:Command" || name.endsWith("rollback"),
    );
    for (const { name } of touching) {
      precedes("preflight", name);
      precedes(name, "recovery-recovered");
    }
  });

  it("gives every step that destroys the attempt, beside the comment that every step has", () => {
    for (const { type, name, inputs } of going().steps) {
      if (type !== "command:remote:Command") continue;
      assert.match(String(inputs.create), /# CR-2026-041 attempt 1$/, name);
      if (/-(back-(drain|stop|config|reset|wipe|start|finish)|member-remove|wake)$/.test(name))
        assert.match(String(inputs.create), / owner \d+ 1 CR-2026-041 /, name);
    }
  });
}

describe("index.ts going back by restore", () => {
  let going: Going;
  before(async () => {
    going = await goingBack({ strategy: "restore" });
  });
  asEveryWayBack(() => going);

  it("stops everything and installs everywhere before etcd is touched", () => {
    for (const node of [...SERVERS, ...AGENTS]) {
      going.precedes(`${FIRST}-back-drain`, `${node}-back-stop`);
      going.precedes(`${node}-back-stop`, `${node}-back-install`);
      going.precedes(`${node}-back-install`, `${FIRST}-place-snapshot`);
    }
  });

  it("resets the first server alone, then has the others join it without data, one at a time, then the agents", () => {
    const { get, has, precedes } = going;
    precedes(`${FIRST}-place-snapshot`, `${FIRST}-back-reset`);
    precedes(`${FIRST}-back-reset`, `${FIRST}-back-start`);
    let previous = `${FIRST}-back-start`;
    for (const node of OTHERS) {
      precedes(previous, `${node}-back-wipe`);
      precedes(`${node}-back-wipe`, `${node}-back-start`);
      assert.match(String(get(`${node}-back-start`).inputs.create), / 127\.0\.0\.2 #/);
      assert.ok(!has(`${node}-back-reset`));
      previous = `${node}-back-start`;
    }
    assert.ok(!has(`${FIRST}-back-wipe`), "the restored data would be wiped");
    for (const node of AGENTS) precedes(previous, `${node}-back-start`);
  });

  it("rolls no VM back", () => {
    for (const { type } of going.steps) assert.doesNotMatch(type, /VmRollback/);
  });
});

describe("index.ts going back by reinstall", () => {
  let going: Going;
  before(async () => {
    going = await goingBack({ strategy: "reinstall" });
  });
  asEveryWayBack(() => going);

  it("wakes the servers that are down, then goes node by node, servers first", () => {
    for (const node of SERVERS) going.precedes(`${node}-wake`, `${FIRST}-back-stop`);
    const order = [...SERVERS, ...AGENTS];
    for (const [i, node] of order.slice(1).entries())
      going.precedes(`${order[i]}-verify-back`, `${node}-back-stop`);
  });

  it("touches no data", () => {
    for (const { name } of going.steps) assert.doesNotMatch(name, /reset|wipe|place|rollback|member/);
  });
});

describe("index.ts going back by rollback", () => {
  let going: Going;
  before(async () => {
    going = await goingBack({ strategy: "rollback" });
  });
  asEveryWayBack(() => going);

  it("puts every server's VM back, holds it, and restores etcd as a restore does", () => {
    for (const node of SERVERS) {
      going.precedes(`${node}-vm-rollback`, `${node}-back-stop`);
      going.precedes(`${node}-back-stop`, `${FIRST}-back-reset`);
    }
    for (const node of AGENTS) {
      assert.ok(!going.has(`${node}-vm-rollback`), "agents' disks hold volumes");
      going.precedes(`${node}-back-stop`, `${SERVERS[0]}-vm-rollback`);
    }
    for (const node of OTHERS) going.precedes(`${FIRST}-back-start`, `${node}-back-wipe`);
  });
});

for (const strategy of ["reinstall", "restore", "rollback"]) {
  describe(`index.ts going back by ${strategy} without a dead agent`, () => {
    let going: Going;
    before(async () => {
      going = await goingBack({ strategy, without: ["proj-k8sw02"] });
    });
    asEveryWayBack(() => going);

    it("has no step on it, and waits for it nowhere; the others go back", () => {
      for (const { name, inputs } of going.steps.filter(({ type }) => type === "command:remote:Command")) {
        assert.doesNotMatch(name, /^proj-k8sw02-/);
        if (/verify-back$/.test(name)) assert.doesNotMatch(String(inputs.create), / proj-k8sw02/);
      }
      for (const node of [...SERVERS, "proj-k8sw01", "proj-k8sw03"])
        assert.ok(going.has(`${node}-back-start`));
    });
  });
}

describe("index.ts mending one server", () => {
  let going: Going;
  before(async () => {
    going = await goingBack({ strategy: "rollback", nodes: ["proj-k8sm02"] });
  });
  asEveryWayBack(() => going);

  it("takes its member out, puts its VM back, wipes it, and has it join a live server", () => {
    const order = ["member-remove", "vm-rollback", "back-stop", "back-wipe", "back-start", "verify-back"];
    for (const [i, id] of order.slice(1).entries())
      going.precedes(`proj-k8sm02-${order[i]}`, `proj-k8sm02-${id}`);
    assert.match(String(going.get("proj-k8sm02-back-start").inputs.create), / 127\.0\.0\.4 #/);
  });

  it("touches no other node", () => {
    for (const { name } of going.steps.filter(({ type }) => type === "command:remote:Command"))
      assert.match(name, /^proj-k8sm02-/);
  });
});
