import assert from "node:assert/strict";
import { Statd } from "../../../rehearsal/proxmox/statd";

describe("Proxmox VE stand-in: pvestatd", () => {
  it("tells every machine as it was in the last round, however many ask at once, and nothing of a newer one", async () => {
    let [now, status, rounds] = [0, "running", 0];
    const machines = [3001, 3002];
    const look = async () => {
      rounds += 1;
      return new Map(machines.map((vmId) => [vmId, { status }]));
    };
    const statd = new Statd(look, () => now);
    const seen = () => Promise.all([3001, 3002, 9900].map((vmId) => statd.of(vmId)));
    assert.deepEqual(await seen(), [{ status: "running" }, { status: "running" }, {}]);
    status = "stopped";
    machines.push(9900);
    now = 9;
    assert.deepEqual(await seen(), [{ status: "running" }, { status: "running" }, {}]);
    now = 10;
    assert.deepEqual(await seen(), Array(3).fill({ status: "stopped" }));
    assert.equal(rounds, 2);
  });
});
