import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StandIn, startStandIn } from "../../../rehearsal/proxmox/standIn";
import { MemoryGuests } from "./guests";

export const TOKEN_ID = "rke2-upgrade@pve!operator";
export const TOKEN_SECRET = "11111111-2222-3333-4444-555555555555";

/** A token of the same user that may do anything, for what the operator's may not. */
export const ADMIN_ID = "admin@pve!all";
export const ADMIN_SECRET = "99999999-8888-7777-6666-555555555555";

const nodes = [
  { name: "proj-k8sm01", vmId: 3001, proxmoxNode: "node01" },
  { name: "proj-k8sm02", vmId: 3002, proxmoxNode: "node03" },
  { name: "proj-k8sw04", vmId: 3007, proxmoxNode: "node07", gpu: true },
];

/** A stand-in on a loopback port over real HTTPS, its machines in memory. */
export class ProxmoxLab {
  private constructor(
    readonly state: string,
    readonly guests: MemoryGuests,
    public standIn: StandIn,
  ) {}

  static async start(): Promise<ProxmoxLab> {
    const state = mkdtempSync(join(tmpdir(), "proxmox-"));
    const guests = new MemoryGuests(nodes.map(({ vmId }) => vmId));
    const lab = new ProxmoxLab(state, guests, await ProxmoxLab.serve(state, guests));
    const { clusterFile } = lab.standIn.site;
    const { tokens, acl } = clusterFile.read();
    clusterFile.change({
      tokens: { ...tokens, [ADMIN_ID]: { secret: ADMIN_SECRET, privsep: false } },
      acl: [...acl, { path: "/", ugid: "admin@pve", roleid: "Administrator", propagate: true }],
    });
    return lab;
  }

  private static serve(state: string, guests: MemoryGuests): Promise<StandIn> {
    const topology = { nodes, proxmox: { tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET } };
    return startStandIn({ topology, state, address: "127.0.0.1", port: 0, guests });
  }

  /** Ends the server and starts another on the state that it left. */
  async restart(): Promise<void> {
    await this.standIn.close();
    this.standIn = await ProxmoxLab.serve(this.state, this.guests);
  }

  /** What a client needs to connect. */
  get access() {
    const caCertificate = readFileSync(this.standIn.caFile, "utf8");
    return { endpoint: this.standIn.endpoint, caCertificate, tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET };
  }

  /** When a fault was switched on, milliseconds since the epoch. */
  faultTime(name: string): number {
    return statSync(join(this.state, "faults", name)).mtimeMs;
  }

  fault(name: string, text = ""): void {
    writeFileSync(join(this.state, "faults", name), text);
  }

  heal(name: string): void {
    rmSync(join(this.state, "faults", name), { force: true });
  }

  /** What `qm unlock` does. */
  unlock(node: string, vmId: number): void {
    this.standIn.site.vms.update(node, vmId, (config) => {
      delete config.lock;
    });
  }

  /** Migrates a VM. */
  move(vmId: number, from: string, to: string): void {
    const file = (node: string) => join(this.state, "nodes", node, "qemu-server", `${vmId}.json`);
    this.standIn.site.vms.save(to, vmId, this.standIn.site.vms.load(from, vmId));
    renameSync(file(from), file(to));
  }

  async end(): Promise<void> {
    await this.standIn.close();
    rmSync(this.state, { recursive: true, force: true });
  }
}
