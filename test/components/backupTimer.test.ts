/** Who starts the timer that takes further etcd snapshots: gates, asked over SSH of nodes that the test plays. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { lab, labNodes, RECIPIENT } from "../config/lab";
import { playNode } from "./playedNode";

const LOOK_MS = 5_000;

describe("components/backupTimer", () => {
  const directory = mkdtempSync(join(tmpdir(), "timer-"));
  const real = globalThis.setTimeout;
  let node: Awaited<ReturnType<typeof playNode>>;

  before(async () => {
    node = await playNode(
      (command) => (command.includes("look-back") ? "artifacts=whole\nfreeMiB=9000\n" : ""),
      "0.0.0.0",
    );
  });
  afterEach(() => {
    globalThis.setTimeout = real;
  });
  after(() => {
    node.close();
    rmSync(directory, { recursive: true });
  });

  /** How often it was started where a gate let through, in a process of its own as far as that goes. */
  async function started(gate: string, changes: object, inputs: object): Promise<number> {
    for (const name of ["backupTimer", gate])
      delete require.cache[require.resolve(`../../components/${name}`)];
    const { provider } = require(`../../components/${gate}`);
    const values: Record<string, string | undefined> = {
      ...lab({
        ...{ rke2Version: "v1.36.3+rke2r2", acceptedVersion: "v1.36.3+rke2r1", ingressController: "none" },
        backup: { directory, recipients: [RECIPIENT] },
        nodes: labNodes.map((one, i) => ({ ...one, ...node.target, address: `127.0.0.${i + 1}` })),
        ...changes,
      }),
      sshPrivateKey: node.sshPrivateKey,
      proxmoxTokenSecret: "not used here",
    };
    const get = (name: string) => values[name.replace("rke2-upgrade:", "")];
    const request = { config: { get, require: (name: string) => get(name) ?? assert.fail(name) } };
    await provider.configure(request as unknown as pulumi.dynamic.ConfigureRequest);
    let timers = 0;
    const counting = (run: () => void, ms?: number) => {
      if (ms !== LOOK_MS) return real(run, ms);
      timers += 1;
      return real(() => {}, 0);
    };
    globalThis.setTimeout = counting as typeof setTimeout;
    await provider.create(inputs);
    globalThis.setTimeout = real;
    return timers;
  }

  it("runs while single nodes are mended, and not while the whole cluster goes back", async () => {
    const back = (goBack: object, attempt: number) =>
      started("preflightProvider", { goBack }, { owner: "owner", attempt, goBack: "reinstall" });
    assert.equal(await back({ strategy: "reinstall" }, 1), 0);
    rmSync(join(directory, "CR-2026-041-v1.36.3-rke2r1"), { recursive: true });
    assert.equal(await back({ strategy: "reinstall", nodes: ["proj-k8sw01"] }, 2), 1);
  });

  it("runs while operators move in a change, whose nodes may all be done", async () => {
    const operators = [
      {
        ...{ name: "one", namespace: "ns", chart: "one", version: "1.0.0", when: "after" },
        repo: "https://charts.example.com",
      },
    ];
    const inputs = { operators: "one", owner: "owner" };
    assert.equal(
      await started("operatorsGateProvider", { operators, windowOverride: "CR-2026-041" }, inputs),
      1,
    );
  });
});
