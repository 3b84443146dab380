import { existsSync } from "node:fs";
import { rehearsalName } from "./paths";
import { type RunOptions, run, succeeds } from "./run";

/**
 * The lab's network on one machine: an outer network namespace with a bridge,
 * and a namespace for each machine with a cable to it. The outer one has no
 * interface to the host, so nothing in it can reach beyond.
 */
const bridge = "lab0";

/** Path of the outer namespace, as nsenter and setns take it. */
export const networkNamespacePath = `/run/netns/${rehearsalName}`;

const ip = (...args: string[]) => run("ip", args);
const inside = (...args: string[]) => run("ip", ["-n", rehearsalName, ...args]);

/** Runs a program in the outer network, where the operator's workstation stands; see `run`. */
export function runInNetwork(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return run("nsenter", [`--net=${networkNamespacePath}`, program, ...args], options);
}

/** Whether the outer network is laid. */
export const networkExists = (): boolean => existsSync(networkNamespacePath);

/**
 * Lays the outer network.
 * @param addresses with prefix length (10.25.20.1/24): the bridge's own and those of the services behind it.
 */
export async function createNetwork(addresses: readonly string[]): Promise<void> {
  await ip("netns", "add", rehearsalName);
  await inside("link", "set", "lo", "up");
  await inside("link", "add", bridge, "type", "bridge");
  for (const address of addresses) await inside("address", "add", address, "dev", bridge);
  await inside("link", "set", bridge, "up");
}

/** Removes the outer network and every machine's; their cables go with them. */
export async function removeNetworks(): Promise<void> {
  const namespaces = (await ip("netns", "list")).split("\n").map((line) => line.split(" ")[0] ?? "");
  for (const name of namespaces) {
    if (name === rehearsalName || name.startsWith(`${rehearsalName}-`))
      await succeeds("ip", ["netns", "delete", name]);
  }
}

/** A machine's network card: its namespace and the cable to the bridge. */
export class NetworkCard {
  readonly namespace: string;
  private readonly cable: string;

  /** @param vmId names the bridge's end of the cable, and makes the card's address. */
  constructor(
    machine: string,
    private readonly vmId: number,
  ) {
    this.namespace = `${rehearsalName}-${machine}`;
    this.cable = `vm${vmId}`;
  }

  get namespacePath(): string {
    return `/run/netns/${this.namespace}`;
  }

  /**
   * Plugs the card in and gives it its address. Done at each power-on: a
   * machine that is off must not answer, and a namespace without processes
   * still would.
   */
  async plugIn(address: string, gateway: string, linkUp: boolean): Promise<void> {
    await this.remove();
    await ip("netns", "add", this.namespace);
    await inside(
      ...["link", "add", this.cable, "type", "veth"],
      ...["peer", "name", "eth0", "address", hardwareAddress(this.vmId), "netns", this.namespace],
    );
    await inside("link", "set", this.cable, "master", bridge);
    if (linkUp) await this.setLink(true);
    const machine = (...args: string[]) => run("ip", ["-n", this.namespace, ...args]);
    await machine("link", "set", "lo", "up");
    await machine("address", "add", address, "dev", "eth0");
    await machine("link", "set", "eth0", "up");
    await machine("route", "add", "default", "via", gateway);
  }

  /** Takes the carrier away at the bridge's end, as a switch does, or gives it back. */
  async setLink(up: boolean): Promise<void> {
    await inside("link", "set", this.cable, up ? "up" : "down");
  }

  async remove(): Promise<void> {
    // The cable outlives the namespace for a moment when that is still in use: pull it first.
    await succeeds("ip", ["-n", rehearsalName, "link", "delete", this.cable]);
    await succeeds("ip", ["netns", "delete", this.namespace]);
  }
}

/**
 * A VM's hardware address, as Proxmox VE gives one out under its own prefix: the same for a machine over all its restarts, so
 * that no neighbour's ARP table is ever stale.
 */
export function hardwareAddress(vmId: number): string {
  const bytes = vmId.toString(16).padStart(6, "0").slice(-6).toUpperCase().match(/../g) ?? [];
  return ["BC", "24", "11", ...bytes].join(":");
}
