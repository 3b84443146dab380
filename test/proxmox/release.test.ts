import assert from "node:assert/strict";
import type { Settings } from "../../config";
import { ProxmoxClient } from "../../proxmox/client";
import { ownMark } from "../../proxmox/mark";
import { releaseSnapshots } from "../../proxmox/release";
import { takeSnapshot } from "../../proxmox/snapshots";
import { ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";
import { settingsFor } from "./stack";

const ACCEPTED = "v1.35.4+rke2r1";
const NAME = "rke2-v1-35-4-r1-CR-1";
const OURS = `before CR-1\n${ownMark(ACCEPTED)}`;

describe("release of the way back", function () {
  this.timeout(15_000);
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  let settings: Settings;

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    settings = settingsFor(lab);
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
  });

  const take = (vmId: number, name: string, description = OURS) =>
    takeSnapshot(client, vmId, name, description, new Date(Date.now() + 5000));
  const release = (name = NAME) => releaseSnapshots(settings, TOKEN_SECRET, name, ACCEPTED);
  const left = () =>
    Object.fromEntries([...lab.guests.guests].map(([vmId, { snapshots }]) => [vmId, [...snapshots.keys()]]));

  it("deletes the change's snapshots and their renewals, and nothing else", async () => {
    await take(3001, NAME);
    await take(3001, `${NAME}-2`);
    await take(3002, NAME);
    await take(3002, `${NAME}-of-somebody`);
    await take(3002, "by-hand");
    await take(3007, NAME, "the same name, without our mark");
    assert.deepEqual(await release(), [`3001/${NAME}`, `3001/${NAME}-2`, `3002/${NAME}`]);
    assert.deepEqual(left(), { 3001: [], 3002: [`${NAME}-of-somebody`, "by-hand"], 3007: [NAME] });
  });

  it("is done where they are gone", async () => {
    assert.deepEqual(await release(), []);
  });

  it("refuses a name that is not ours, before it asks anything", async () => {
    await assert.rejects(release("by-hand"), /not ours to delete/);
    assert.deepEqual(lab.guests.history, []);
  });

  it("says which VM it failed at, and goes on from there when run again", async () => {
    await take(3001, NAME);
    await take(3002, NAME);
    lab.fault("task-fails-qmdelsnapshot-3002", "lvremove: in use");
    await assert.rejects(release(), /VM 3002: lvremove: in use\. next: .*qm unlock 3002/);
    lab.heal("task-fails-qmdelsnapshot-3002");
    lab.unlock("node03", 3002);
    assert.deepEqual(await release(), [`3002/${NAME}`]);
  });
});
