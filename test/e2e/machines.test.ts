import assert from "node:assert/strict";
import { waitHealthy } from "../../rehearsal/lab/health";
import { ssh } from "../../rehearsal/lab/operator";
import { readState } from "../../rehearsal/lab/state";
import { machinesForProxmox as machines } from "../../rehearsal/machines";
import { Machine } from "../../rehearsal/machines/machine";
import { runInNetwork } from "../../rehearsal/machines/network";
import { until } from "../../rehearsal/machines/poll";

/** A machine of its own, cloned from a node of the lab that is powered off meanwhile, so that no node is touched. */
describe("the rehearsal's machines", () => {
  const origin = 3006;
  const vmId = 9006;
  let address: string;

  const on = (script: string) => ssh(address, script, 15);
  const booted = () => until("the machine to boot", 60, async () => (await on("echo up")) !== "");

  before(async () => {
    address = (await Machine.byVmId(origin)).record.address;
    await machines.clone(origin, undefined, vmId, "spare");
    await machines.shutdown(origin);
    await machines.start(vmId);
    // A clone starts what its origin ran; as a node it would answer for the origin.
    await booted();
    await on("sudo systemctl disable --now rke2-agent; sudo rke2-killall.sh >/dev/null 2>&1 || true");
  });

  after(async () => {
    await machines.remove(vmId);
    const since = new Date();
    await machines.start(origin);
    // The next file's tests begin with a cluster that nothing moves in any more.
    await waitHealthy(await readState(), since);
  });

  it("boots a real systemd, with journald, sudo and a clone's name", async () => {
    await until("systemd", 30, async () => (await on("systemctl is-system-running")).trim() === "running");
    assert.equal((await on("sudo -n id -u")).trim(), "0");
    assert.match(await on("sudo journalctl --boot --lines=1 --no-pager"), /spare|proj-k8sw03/);
  });

  it("rolls its disk back to a snapshot taken while it ran, and boots anew", async () => {
    const boot = await on("cat /proc/sys/kernel/random/boot_id");
    await on("echo before | sudo tee /root/file; sudo rm -f /etc/debian_version");
    await machines.snapshot(vmId, "before");
    await on("echo after | sudo tee /root/file; sudo touch /etc/debian_version");
    await machines.rollback(vmId, "before");
    assert.equal((await machines.list()).find((machine) => machine.vmId === vmId)?.running, false);
    await machines.start(vmId);
    await booted();
    assert.equal((await on("sudo cat /root/file")).trim(), "before");
    assert.match(await on("ls /etc/debian_version 2>&1 || true"), /No such file/);
    assert.notEqual(await on("cat /proc/sys/kernel/random/boot_id"), boot);
  });

  it("stands still while frozen and goes on after", async () => {
    await machines.freeze(vmId, async () => {
      await assert.rejects(ssh(address, "true", 2));
      await machines.freeze(vmId, async () => {}); // may be nested
    });
    assert.equal((await on("echo up")).trim(), "up");
  });

  it("does not answer with its link down, or powered off", async () => {
    const reachable = () => answers(address);
    assert.equal(await reachable(), true);
    await machines.setLink(vmId, false);
    assert.equal(await reachable(), false);
    await machines.setLink(vmId, true);
    await until("the link", 10, reachable);
    await machines.stop(vmId);
    assert.equal(await reachable(), false);
    await machines.start(vmId, { linkDown: true });
    await until("its systemd", 20, async () => (await machines.list()).find((m) => m.vmId === vmId)?.pid);
    assert.equal(await reachable(), false);
    await machines.setLink(vmId, true);
    await booted();
  });

  it("reboots and powers off when its own systemd says so", async () => {
    const boot = await on("cat /proc/sys/kernel/random/boot_id");
    await on("sudo systemctl reboot").catch(() => {}); // the connection may end with it
    await until("another boot", 60, async () => (await on("cat /proc/sys/kernel/random/boot_id")) !== boot);
    await on("sudo systemctl poweroff").catch(() => {});
    const machine = await Machine.byVmId(vmId);
    await until("it to power off", 60, async () => !(await machine.running()));
    await machines.start(vmId);
    await booted();
  });

  it("has no way out of its network", async () => {
    await assert.rejects(on("ping -c 1 -W 1 192.0.2.1"));
    await assert.rejects(runInNetwork("ip", ["route", "get", "192.0.2.1"]), /unreachable/);
  });
});

/** Whether the machine's kernel answers at all; its sshd listens on every address. */
function answers(address: string): Promise<boolean> {
  return runInNetwork("timeout", ["1", "bash", "-c", `exec 3<>/dev/tcp/${address}/22`]).then(
    () => true,
    () => false,
  );
}
