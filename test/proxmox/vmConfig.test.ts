import assert from "node:assert/strict";
import { hardwareAddressesIn, isAgentOn, memoryOf, storagesIn, type VmConfig } from "../../proxmox/vmConfig";

describe("proxmox/vmConfig", () => {
  it("reads the cards' own addresses, lower case as a node tells them, of any model", () => {
    const values = {
      net0: "virtio=BC:24:11:00:0B:B9,bridge=vmbr0,tag=20",
      net10: "e1000=bc:24:11:00:0b:ba,bridge=vmbr1,link_down=1",
      network: "virtio=BC:24:11:00:0B:BB",
      description: "net0: BC:24:11:00:0B:BC",
    };
    assert.deepEqual(hardwareAddressesIn(values), ["bc:24:11:00:0b:b9", "bc:24:11:00:0b:ba"]);
    assert.deepEqual(hardwareAddressesIn({ hostpci0: "mapping=nic0" }), []);
  });

  it("reads memory in either form, and 512 MiB where it is left out", () => {
    const written: VmConfig[] = [{ memory: 16384 }, { memory: "16384" }, { memory: "current=16384" }, {}];
    assert.deepEqual(written.map(memoryOf), [16384, 16384, 16384, 512]);
  });

  it("knows whether the guest agent is on", () => {
    for (const agent of [1, "1", "enabled=1,type=virtio", "type=virtio,enabled=1"])
      assert.ok(isAgentOn({ agent }), String(agent));
    const off: VmConfig[] = [{}, { agent: 0 }, { agent: "enabled=0" }, { agent: "0,fstrim_cloned_disks=1" }];
    for (const values of off) assert.ok(!isAgentOn(values), JSON.stringify(values));
  });

  it("names each storage that holds a disk, once, and none of a CD", () => {
    const values = {
      scsi0: "nvme:vm-1-disk-0,size=32G",
      scsi1: "nvme:vm-1-disk-1",
      tpmstate0: "ceph:vm-1-disk-2",
      ide2: "local:iso/debian.iso,media=cdrom",
      ide3: "none,media=cdrom",
      scsihw: "virtio-scsi-single",
    };
    assert.deepEqual(storagesIn(values), ["nvme", "ceph"]);
  });
});
