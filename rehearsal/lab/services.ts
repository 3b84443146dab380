import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runInNetwork } from "../machines/network";
import { proxmoxDirectory } from "../machines/paths";
import { until } from "../machines/poll";
import { Daemon, typescript } from "./daemon";
import { faultFile } from "./fault";
import { infoFile } from "./info";
import { loadBalancer } from "./loadBalancer";
import { labAddresses } from "./stack";
import type { LabState } from "./state";

/** Port of the Proxmox VE API, as everywhere. */
export const proxmoxPort = 8006;

function releaseServer({ stack, builds }: LabState): Daemon {
  const limit = stack.knobs.downloadBytesPerSecond;
  return new Daemon(
    "releases",
    typescript(
      "rehearsal/releases/main.ts",
      ...["--listen", `${labAddresses(stack).releases}:80`],
      ...["--scan", builds.scan, "--releases", builds.releases, "--fault-file", faultFile("install-500")],
      ...["--dashboard-fault-file", faultFile("dashboards-down")],
      ...(limit ? ["--bytes-per-second", String(limit)] : []),
    ),
  );
}

function proxmox({ stack }: LabState): Daemon {
  return new Daemon(
    "proxmox",
    typescript(
      "rehearsal/proxmox/main.ts",
      ...["--listen", `${labAddresses(stack).proxmox}:${proxmoxPort}`],
      ...["--state", proxmoxDirectory, "--stack", infoFile],
    ),
  );
}

/** Starts a daemon and waits until it accepts connections. */
async function startAndWait(daemon: Daemon, address: string, port: number): Promise<void> {
  await daemon.start();
  try {
    await until(`${daemon.name} at ${address}:${port}`, 30, async () => {
      await runInNetwork("bash", ["-c", `exec 3<>/dev/tcp/${address}/${port}`], {
        timeoutMilliseconds: 2000,
      });
      return true;
    });
  } catch (error) {
    throw new Error(
      `${error instanceof Error ? error.message : error}\nits log ends:\n${await daemon.tail()}`,
    );
  }
}

/** Starts the load balancer, the release server and the Proxmox VE API; returns when they accept connections. */
export async function startServices(state: LabState): Promise<void> {
  await mkdir(join(proxmoxDirectory, "faults"), { recursive: true });
  const addresses = labAddresses(state.stack);
  await Promise.all([
    startAndWait(await loadBalancer(state.stack), addresses.api, 6443),
    startAndWait(releaseServer(state), addresses.releases, 80),
    startAndWait(proxmox(state), addresses.proxmox, proxmoxPort),
  ]);
}
