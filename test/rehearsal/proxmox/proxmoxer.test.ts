import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { ADMIN_ID, ADMIN_SECRET, ProxmoxLab } from "./lab";

const run = promisify(execFile);

describe("Proxmox VE stand-in, driven by proxmoxer", () => {
  const auditor = { id: "admin@pve!auditor", secret: randomUUID() };
  let lab: ProxmoxLab;
  let python: string;

  before(async function () {
    this.timeout(120_000); // the first time, it is installed
    python = (await run(join(__dirname, "proxmoxer.sh"))).stdout.trim().split("\n").at(-1) ?? "";
    lab = await ProxmoxLab.start();
    const { clusterFile } = lab.standIn.site;
    const { tokens, acl } = clusterFile.read();
    clusterFile.change({
      tokens: { ...tokens, [auditor.id]: { secret: auditor.secret, privsep: true } },
      acl: [...acl, { path: "/", ugid: auditor.id, roleid: "PVEAuditor", propagate: true }],
    });
  });
  after(() => lab.end());

  for (const suite of ["Reading", "Snapshots", "Clones", "Refusals"]) {
    it(`passes ${suite}`, async function () {
      this.timeout(30_000);
      await run(python, [join(__dirname, "proxmoxer_client.py"), suite], {
        env: {
          ...process.env,
          PVE_PORT: new URL(lab.standIn.endpoint).port,
          PVE_CA: lab.standIn.caFile,
          PVE_TOKEN_ID: ADMIN_ID,
          PVE_TOKEN_SECRET: ADMIN_SECRET,
          PVE_AUDITOR_SECRET: auditor.secret,
        },
      });
    });
  }
});
