import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";

const POLL_MS = 1000;

/** An agent that is busy or a host that is slow may miss a question; this many in a row are no accident. */
const MISSES = 10;

const started = z.object({ pid: z.number() });
const status = z.object({
  exited: z.union([z.boolean(), z.number()]).transform(Boolean),
  exitcode: z.number().optional(),
  signal: z.number().optional(),
  "out-data": z.string().optional(),
  "err-data": z.string().optional(),
});

/** How a program in a guest ended. */
export interface GuestResult {
  /** Its exit code; 255 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A VM where it is. */
interface Guest {
  readonly host: string;
  readonly vmId: number;
}

/**
 * Waits until the guest's agent answers: the guest has booted.
 * @throws ProxmoxError at the deadline, with the API's last answer
 */
export async function waitForAgent(client: ProxmoxClient, guest: Guest, deadline: Date): Promise<void> {
  for (;;) {
    const refusal = await client.ask(`${pathOf(guest)}/ping`, {}, z.unknown()).then(
      () => undefined,
      (error: ProxmoxError) => error,
    );
    if (!refusal) return;
    // Neither a right that is missing nor the VM's option comes by waiting.
    const isVain = refusal.status === 403 || /No QEMU guest agent configured/i.test(refusal.said);
    if (isVain || Date.now() > deadline.getTime()) {
      const next = "is qemu-guest-agent installed, and the agent switched on in the VM's options?";
      throw new ProxmoxError(refusal.status, `VM ${guest.vmId}: ${refusal.said}`, refusal.next ?? next);
    }
    await pause(POLL_MS);
  }
}

/**
 * Runs a program in the guest, as root, and waits for its end.
 * @param input for its standard input: a script for `bash -s`, say. Less than 48 KiB: the agent's channel is narrow.
 * @throws ProxmoxError at the deadline (the program goes on), or where the agent answers no more
 */
export async function runInGuest(
  client: ProxmoxClient,
  guest: Guest,
  { command, input, deadline }: { command: readonly string[]; input: string; deadline: Date },
): Promise<GuestResult> {
  const path = pathOf(guest);
  const asked = client.ask(`${path}/exec`, { command, "input-data": input }, started);
  const { pid } = await asked.catch((error: ProxmoxError): never => {
    // The agent's own words for what its distribution's defaults forbid: Red Hat's and its like.
    if (!/guest-exec has been disabled/.test(error.said)) throw error;
    const next =
      "allow guest-exec and guest-exec-status in /etc/sysconfig/qemu-ga on the servers, or set restoreTest.enabled to false (docs/proxmox.md)";
    throw new ProxmoxError(error.status, `VM ${guest.vmId}: ${error.said}`, next);
  });
  for (let misses = 0; ; ) {
    try {
      const seen = await client.get(`${path}/exec-status?pid=${pid}`, status);
      misses = 0;
      if (seen.exited) {
        return {
          code: seen.exitcode ?? 255,
          stdout: seen["out-data"] ?? "",
          stderr: seen["err-data"] ?? (seen.signal ? `ended by signal ${seen.signal}` : ""),
        };
      }
    } catch (error) {
      misses += 1;
      if (misses === MISSES) throw error;
    }
    if (Date.now() > deadline.getTime()) {
      throw new ProxmoxError(200, `VM ${guest.vmId}: ${command[0]} still runs after the time given to it`);
    }
    await pause(POLL_MS);
  }
}

const pathOf = ({ host, vmId }: Guest): string => `/nodes/${host}/qemu/${vmId}/agent`;
