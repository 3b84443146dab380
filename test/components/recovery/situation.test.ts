import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { backupDirectory, backupFile } from "../../../components/etcdBackups";
import { situationOf } from "../../../components/recovery/situation";
import { FROM, facts, settings } from "../../observe/facts";

describe("components/recovery/situation", () => {
  it("takes for silent what was looked at and did not answer, not what a turn's gate does not look at", async () => {
    const all = facts();
    const [gone, ...rest] = [...all.nodes];
    assert.ok(gone);
    const ofTurn = rest.filter(([name]) => name.startsWith("proj-k8sm"));
    const nodes = new Map([[gone[0], { missing: "no route to host" }] as const, ...ofTurn]);
    // Nobody is asked over SSH here.
    const nowhere = {
      ...settings,
      servers: settings.servers.map((one) => ({ ...one, address: "127.0.0.2", port: 1 })),
    };
    const key = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
    const { silent, sick, etcdWhole } = await situationOf(nowhere, { ...all, nodes }, key);
    assert.deepEqual([silent, sick, etcdWhole], [[gone[0]], [gone[0]], undefined]);
  });

  it("takes for lost neither what refuses the login nor, where nobody is reached, anything", async () => {
    const all = facts();
    const nowhere = {
      ...settings,
      servers: settings.servers.map((one) => ({ ...one, address: "127.0.0.2", port: 1 })),
    };
    const key = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
    const reasons = [
      "proj-k8sm01 (10.0.0.1:22): the host key differs from the pinned one (nodes[].hostKey)",
      "proj-k8sm02 (10.0.0.2:22): All configured authentication methods failed",
      "proj-k8sm03: sudo: a password is required",
    ];
    const unseen = [...all.nodes.keys()].slice(0, 3).map((name, i) => ({ name, why: reasons[i] as string }));
    const nodes = new Map([
      ...all.nodes,
      ...unseen.map(({ name, why }) => [name, { missing: why }] as const),
    ]);
    const some = await situationOf(nowhere, { ...all, nodes }, key);
    assert.deepEqual([some.silent, some.sick, some.refusing, some.nobody], [[], [], unseen, []]);
    const gone = { missing: "connect ETIMEDOUT" };
    const none = new Map(
      [...all.nodes.keys()].map(
        (name, i) => [name, i === 0 ? { missing: reasons[0] as string } : gone] as const,
      ),
    );
    const { nobody } = await situationOf(nowhere, { ...all, nodes: none }, key);
    assert.deepEqual(
      nobody?.map(({ name }) => name),
      [...all.nodes.keys()],
    );
  });

  it("knows how old the snapshot is that each way back would go to", async () => {
    const directory = mkdtempSync(join(tmpdir(), "situation-"));
    const nowhere = settings.servers.map((one) => ({ ...one, address: "127.0.0.2", port: 1 }));
    const backup = { ...settings.backup, directory };
    const within = { ...settings, rke2Version: "v1.35.9+rke2r1", servers: nowhere, backup };
    mkdirSync(backupDirectory(within));
    for (const [minutes, version] of [
      [5, within.rke2Version],
      [20, FROM],
    ] as const) {
      const file = backupFile(within, new Date(Date.now() - minutes * 60_000), version);
      for (const one of [file, `${file}.sha256`]) writeFileSync(one, "");
    }
    const key = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
    const { backupAgesMs } = await situationOf(within, facts(), key);
    rmSync(directory, { recursive: true });
    const minutes = [backupAgesMs?.rollback, backupAgesMs?.restore].map((ms) => Math.round(Number(ms) / 6e4));
    assert.deepEqual(minutes, [5, 20]);
  });
});
