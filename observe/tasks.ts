/** What was done in Proxmox VE in a span of time, and by whom: its hosts' own task lists. */
import { z } from "zod";
import type { Settings } from "../config";
import { listHosts } from "../proxmox/cluster";
import { withProxmox } from "../proxmox/connect";
import { missingPrivileges } from "../proxmox/permissions";
import { type HostTask, listHostTasks } from "../proxmox/tasks";
import type { Span } from "./logins";
import { type Look, look } from "./look";

export const taskSchema = z.strictObject({
  upid: z.string(),
  type: z.string().describe("qmsnapshot, qmrollback, vncproxy (a console), vncshell (a host's own) …"),
  vmId: z.number().int().optional().describe("Absent for what is about the host."),
  user: z.string().describe("user@realm, or user@realm!token."),
  startedAt: z.iso.datetime().describe("By the host's clock."),
  endedAt: z.iso.datetime().optional().describe("Absent where it still ran."),
  status: z.string().describe("How it ended, in Proxmox VE's word: OK, or why not."),
});
export type AccessTask = z.infer<typeof taskSchema>;

/** Looks at every host: the tasks about the cluster's VMs and about the host itself. @throws where the API does not answer */
export async function lookAtTasks(
  settings: Settings,
  tokenSecret: string,
  span: Span,
): Promise<Map<string, Look<readonly AccessTask[]>>> {
  return withProxmox(settings, tokenSecret, async (client) => {
    const vms = new Set([...settings.nodes.map(({ vmId }) => vmId), settings.restoreTest.vmId]);
    const isOurs = ({ id }: HostTask) => !/^\d+$/.test(id) || vms.has(Number(id));
    const looks = (await listHosts(client)).map(async (host) => {
      const seen = await look(async () => {
        const needs = [{ path: `/nodes/${host}`, privileges: ["Sys.Audit"] }];
        if ((await missingPrivileges(client, needs)).length > 0)
          throw new Error(`the token sees its own tasks alone: it lacks Sys.Audit on /nodes/${host}`);
        const tasks = await listHostTasks(client, host, new Date(span.from), new Date(span.until));
        return tasks.filter(isOurs).map(asRecord).reverse();
      });
      return [host, seen] as const;
    });
    return new Map(await Promise.all(looks));
  });
}

const asRecord = ({ upid, type, id, user, startedAt, endedAt, exitStatus }: HostTask): AccessTask => ({
  upid,
  type,
  ...(/^\d+$/.test(id) && { vmId: Number(id) }),
  user,
  startedAt: startedAt.toISOString(),
  ...(endedAt && { endedAt: endedAt.toISOString() }),
  status: exitStatus ?? "running",
});
