/** The agents' part of the graph: as it is by default, and in waves. */
import assert from "node:assert/strict";
import { before } from "mocha";
import { labNodes } from "../config/lab";
import { type Registered, runProgram } from "./engine";

const UNDER_WAY = { rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.35.4+rke2r1" };

/** What stands between the charts and the validation, as `name <- what it waits for`. */
function agentsPart(all: readonly Registered[]): string[] {
  const steps = all.filter(({ type }) => !type.startsWith("rke2:components:") && !type.startsWith("pulumi:"));
  const [from, to] = ["charts-settled", "validation-validate"].map((name) =>
    steps.findIndex((step) => step.name === name),
  );
  return steps
    .slice((from ?? 0) + 1, (to ?? 0) + 1)
    .map(({ name, dependsOn }) => `${name} <- ${dependsOn.filter((one) => one !== "change").join(" ")}`);
}

/** An agent's turn where it goes alone. */
function alone(node: string, after: string, gpu = false): string[] {
  const before = [
    "turn-gate",
    "gate-cluster",
    "gate-node",
    ...(gpu ? ["gpu-before"] : []),
    "cordon",
    "drain",
  ];
  const replaced = ["backup-config", "install", "restart", "verify-node", "verify-cluster"];
  const names = [...before, ...replaced, ...(gpu ? ["gpu-after"] : []), "uncordon"].map(
    (step) => `${node}-${step}`,
  );
  return names.map((name, i) => `${name} <- ${names[i - 1] ?? after}`);
}

describe("components/agents: by default", () => {
  let all: Registered[];
  before(async () => {
    all = await runProgram(UNDER_WAY);
  });

  it("is one at a time, a Command each, in the config's order, with nothing of waves", () => {
    assert.deepEqual(agentsPart(all), [
      ...alone("proj-k8sw01", "charts-settled"),
      ...alone("proj-k8sw02", "proj-k8sw01-uncordon"),
      ...alone("proj-k8sw03", "proj-k8sw02-uncordon"),
      ...alone("proj-k8sw04", "proj-k8sw03-uncordon", true),
      "validation-validate <- proj-k8sw04-uncordon",
    ]);
    assert.ok(all.every(({ type }) => !/Wave/.test(type)));
  });

  it("gives its steps the arguments that it always gave them", () => {
    const args = (name: string) =>
      String(all.find((one) => one.name === name)?.inputs.create).replace(/^sudo -n bash -s -- /, "");
    const [from, to] = [UNDER_WAY.acceptedVersion, UNDER_WAY.rke2Version];
    const end = "# CR-2026-041 attempt 1";
    const own = `proj-k8sw01 CR-2026-041 ${to} ${from}`;
    assert.equal(
      args("proj-k8sw01-gate-cluster"),
      `gate-cluster owner 120 proj-k8sw01 agent ${to} ${from} CR-2026-041 3 40 ${end}`,
    );
    // A server that went back alone has its turn beside an agent that was left half-way.
    for (const id of ["gate-cluster", "verify-cluster"])
      assert.match(args(`proj-k8sm02-${id}`), / 'proj-k8sw01 proj-k8sw02 proj-k8sw03 proj-k8sw04' # /);
    // A cluster's step speaks of the server that is asked.
    for (const [id, where] of [
      ["proj-k8sw01-gate-node", "proj-k8sw01"],
      ["proj-k8sw01-gate-cluster", "proj-k8sm01"],
    ])
      assert.match(
        String(all.find(({ name }) => name === id)?.inputs.stdin),
        new RegExp(`^HERE=${where}\n#!/usr/bin/env bash\n`),
      );
    assert.equal(args("proj-k8sw01-cordon"), `cordon owner 120 ${own} ${end}`);
    assert.match(
      args("proj-k8sw01-drain"),
      new RegExp(`^drain owner 360 ${own.replaceAll("+", "\\+")} 120 300 \\S+ \\S+ \\S+ ${end}$`),
    );
    assert.match(
      args("proj-k8sw01-verify-cluster"),
      /^verify-cluster owner 405 \S+ agent \S+ \S+ \S+ 3 40 300 15 '.*docs\/goBack\.md' # CR-2026-041 attempt 1$/,
    );
  });
});

describe("components/agents: in waves", () => {
  let all: Registered[];
  const get = (name: string) => {
    const found = all.find((one) => one.name === name);
    assert.ok(found, `${name} is not registered`);
    return found;
  };

  before(async () => {
    all = await runProgram({ ...UNDER_WAY, agents: { maxUnavailable: 2 } });
  });

  it("has the canary alone, its soak, then the wave and its end, the GPU agent last", () => {
    assert.deepEqual(agentsPart(all), [
      ...alone("proj-k8sw01", "charts-settled"),
      "canary-soak <- proj-k8sw01-uncordon",
      "proj-k8sw02-turn <- canary-soak",
      "proj-k8sw03-turn <- canary-soak",
      "wave-2-end <- proj-k8sw02-turn proj-k8sw03-turn",
      ...alone("proj-k8sw04", "wave-2-end", true),
      "validation-validate <- proj-k8sw04-uncordon",
    ]);
  });

  it("runs the turns of a wave side by side, and nothing else", () => {
    const [one, other] = [get("proj-k8sw02-turn"), get("proj-k8sw03-turn")];
    assert.ok(one.started < other.done && other.started < one.done);
  });

  it("tells every cordon how many may be away, and each turn who goes with it", () => {
    assert.match(
      String(get("proj-k8sw04-cordon").inputs.create),
      / v1\.36\.3\+rke2r1 v1\.35\.4\+rke2r1 2 # /,
    );
    assert.equal(get("proj-k8sw02-turn").inputs.fellows, "proj-k8sw03");
    assert.equal(get("proj-k8sw03-turn").inputs.fellows, "proj-k8sw02");
    assert.equal(get("wave-2-end").inputs.nodes, "proj-k8sw02 proj-k8sw03");
  });

  it("has no live value among its inputs", () => {
    const live = ["found", "askedAt", "askedBy", "cost", "results", "before", "after", "failed"];
    for (const name of ["proj-k8sw02-turn", "wave-2-end"])
      for (const key of live) assert.equal(get(name).inputs[key], undefined, `${name}.${key}`);
  });

  it("never has two of one host together", async () => {
    const nodes = labNodes.map((node, i) => ({
      ...node,
      address: `127.0.0.${i + 2}`,
      port: 1,
      ...(node.role === "agent" && { proxmoxNode: "node01" }),
    }));
    const apart = await runProgram({ ...UNDER_WAY, nodes, agents: { maxUnavailable: 4 } });
    assert.ok(apart.every(({ type }) => !/WaveTurn/.test(type)));
  });
});
