import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { liveDirectory, proxmoxDirectory } from "../machines/paths";
import { operator } from "./operator";
import { labAddresses, type StackNode } from "./stack";
import type { LabState } from "./state";

/** The rehearsal as `info` prints it: where everything is and how to get in. */
export interface Info {
  readonly nodes: readonly {
    readonly name: string;
    readonly role: StackNode["role"];
    readonly gpu: boolean;
    readonly ssh: {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly privateKeyFile: string;
      /** In authorized_keys form. */
      readonly hostKey: string;
    };
    readonly vmId: number;
    readonly proxmoxNode: string;
  }[];
  /** Path of the operator's kubeconfig. */
  readonly kubeconfig: string;
  readonly proxmox: {
    readonly endpoint: string;
    readonly tokenId: string;
    readonly tokenSecret: string;
    readonly caFile: string;
  };
  readonly releases: { readonly url: string; readonly versions: readonly string[] };
  /** The stand-in for kube-bench, as the config's `scan` wants it. */
  readonly scan: { readonly url: string; readonly sha256: string };
  readonly pulumi: { readonly stack: string; readonly backendUrl: string };
}

/** The rehearsal's info as a file; the Proxmox VE stand-in starts from it. Holds a secret, as `info`'s output does. */
export const infoFile = join(liveDirectory, "info.json");

/** Where the Proxmox VE stand-in keeps the certificate of its own authority. */
export const proxmoxCaFile = join(proxmoxDirectory, "pve-root-ca.pem");

/** As rehearsal/scan/build.sh names it. */
const SCAN_ARCHIVE = "kube-bench_linux_amd64.tar.gz";

/** Name of the stack that the rehearsal generates. */
export const rehearsalStack = "rehearsal";

/** Writes the info file of a new rehearsal, with a new token for Proxmox VE. */
export async function writeInfo(state: LabState): Promise<void> {
  const { stack, hostKeys, builds } = state;
  const addresses = labAddresses(stack);
  const info: Info = {
    nodes: stack.nodes.map(({ name, role, gpu, address, vmId, proxmoxNode }) => ({
      name,
      role,
      gpu,
      ssh: {
        host: address,
        port: 22,
        user: stack.ssh.user,
        privateKeyFile: operator.privateKey,
        hostKey: hostKeys[name]?.[0] ?? "",
      },
      vmId,
      proxmoxNode,
    })),
    kubeconfig: operator.kubeconfig,
    proxmox: {
      endpoint: `https://${addresses.proxmox}:8006`,
      tokenId: stack.proxmox.tokenId,
      tokenSecret: randomUUID(),
      caFile: proxmoxCaFile,
    },
    releases: {
      url: `http://${addresses.releases}`,
      versions: (await readdir(builds.releases)).filter((name) => name.startsWith("v")).sort(),
    },
    scan: {
      url: `http://${addresses.releases}/kube-bench/${SCAN_ARCHIVE}`,
      sha256: (await readFile(join(builds.scan, "checksums.txt"), "utf8")).split(" ")[0] ?? "",
    },
    pulumi: { stack: rehearsalStack, backendUrl: `file://${operator.pulumiBackend}` },
  };
  await writeFile(infoFile, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
}

/** @throws Error that says how to start one when no rehearsal is there. */
export async function readInfo(): Promise<Info> {
  if (!existsSync(infoFile))
    throw new Error("no rehearsal runs here: start one with `npm run rehearsal -- up`");
  return JSON.parse(await readFile(infoFile, "utf8")) as Info;
}
