import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../rehearsal/machines/poll";
import { rawConfigFor } from "../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";
import { type Outcome, PulumiProject } from "./pulumiProject";
import { root } from "./toolchain";

const NAME = "rke2-v1-35-4-r1-CR-1";

const program = `
import * as pulumi from "@pulumi/pulumi";
import { VmSnapshot } from "./proxmox/vmSnapshot";

const config = new pulumi.Config("test");
const snapshot = new VmSnapshot(
  "proj-k8sm01-vm-snapshot",
  {
    name: "${NAME}",
    vmId: 3001,
    acceptedVersion: "v1.35.4+rke2r1",
    description: config.get("description") ?? "proj-k8sm01 before CR-1",
  },
  { retainOnDelete: true },
);
export const upid = snapshot.upid;
`;

describe("VmSnapshot on the real engine", function () {
  this.timeout(4 * 60_000); // up to three runs of the engine in a test, each some 5 s on an idle machine
  let lab: ProxmoxLab;
  let project: PulumiProject;

  before(async function () {
    // The first run may build the toolchain.
    this.timeout(15 * 60_000);
    lab = await ProxmoxLab.start();
    project = new PulumiProject(program);
    for (const room of ["proxmox", "components", "config"]) {
      fs.symlinkSync(path.join(root, room), project.file(room));
    }
    await good(project.pulumi("stack", "init", "test"));
    const set = (flag: string, values: Record<string, string>) =>
      Object.entries(values).flatMap(([key, value]) => [flag, `rke2-upgrade:${key}=${value}`]);
    const secrets = { proxmoxTokenSecret: TOKEN_SECRET, sshPrivateKey: "not used here" };
    const all = [...set("--plaintext", rawConfigFor(lab)), ...set("--secret", secrets)];
    await good(project.pulumi("config", "set-all", ...all));
  });
  after(async () => {
    if (project) project.endProcesses();
    project?.remove();
    await lab?.end();
  });

  async function good(command: Promise<Outcome>): Promise<string> {
    const { code, output } = await command;
    assert.equal(code, 0, output);
    return output;
  }
  const up = () => project.pulumi("up", "--yes", "--skip-preview");
  const taken = () => lab.guests.history.filter((what) => what === "snapshot 3001").length;
  const held = () => [...lab.guests.guest(3001).snapshots.keys()];

  it("touches nothing in preview", async () => {
    assert.match(await good(project.pulumi("preview")), /proj-k8sm01-vm-snapshot\s+create/);
    assert.equal(taken(), 0);
  });

  it("says in the engine's own output why none can be taken", async () => {
    lab.fault("task-fails-qmsnapshot", "lvcreate: no space");
    const { code, output } = await up();
    lab.heal("task-fails-qmsnapshot");
    assert.notEqual(code, 0);
    assert.match(output, /VM 3001: lvcreate: no space\. next: read the task/);
  });

  it("adopts the snapshot of an engine that was killed meanwhile", async () => {
    lab.fault("task-seconds", "5");
    const killed = project.start("up", "--yes", "--skip-preview");
    await until(
      "the snapshot to be under way",
      120,
      async () => lab.standIn.site.vms.load("node01", 3001).lock === "snapshot",
    );
    killed.process.kill("SIGKILL");
    project.endProcesses();
    await killed.ended;
    lab.heal("task-seconds");
    await good(project.pulumi("cancel", "--yes"));
    await good(up());
    assert.deepEqual(held(), [NAME]);
    assert.equal(taken(), 1);
    assert.match(String((await project.outputs()).upid), /^UPID:node01:.*:qmsnapshot:3001:/);
  });

  it("changes nothing on a rerun, for another description, or where the VM has moved", async () => {
    await good(project.pulumi("config", "set", "test:description", "edited"));
    lab.move(3001, "node01", "node07");
    assert.match(await good(up()), /2 unchanged/);
    assert.equal(taken(), 1);
  });

  it("keeps neither code nor secret in the state", async () => {
    const state = await good(project.pulumi("stack", "export"));
    assert.doesNotMatch(state, new RegExp(TOKEN_SECRET));
    const [resource] = JSON.parse(state).deployment.resources.filter(
      ({ type }: { type: string }) => type === "pulumi-nodejs:dynamic/rke2:VmSnapshot",
    );
    assert.ok(resource, state);
    const stored = String(resource.outputs.__provider);
    assert.match(stored, /proxmox\/vmSnapshotProvider/);
    assert.doesNotMatch(stored, /takeSnapshot|PVEAPIToken/);
  });

  it("lets the snapshot stay when the stack is destroyed", async () => {
    await good(project.pulumi("destroy", "--yes", "--skip-preview"));
    assert.deepEqual(held(), [NAME]);
  });
});
