import { PveError } from "../errors";
import { type Call, isRunning, type Method, onVm, type Site, target } from "../method";
import { listOf, optional, type Rule, text } from "../parameters";

const base = "/nodes/{node}/qemu/{vmid}/agent";

/** What may be read or done through the agent at all. */
const unrestricted = onVm("VM.GuestAgent.Unrestricted");

/** Text for a program's standard input; larger ones do not pass through the agent's channel. */
const input: Rule = { type: "string", maxLength: 1024 * 1024 };

/** Largest part of a file that is read over the API. */
const READ_BYTES = 16 * 1024 * 1024;

/** @throws PveError where the VM is off, has no agent in its config, or its agent does not answer */
async function reachAgent(site: Site, call: Call): Promise<number> {
  const { node, vmId } = target(call);
  const { values } = site.vms.load(node, vmId);
  if (!String(values.agent ?? "").startsWith("1")) throw new PveError("No QEMU guest agent configured");
  if (!(await isRunning(site, vmId))) throw new PveError(`VM ${vmId} is not running`);
  if (site.faults.isOn(`agent-down-${vmId}`) || !(await site.guests.agentUp(vmId))) {
    throw new PveError("QEMU guest agent is not running");
  }
  return vmId;
}

/** The guest agent: whether it is there, programs that it runs, files that it reads. */
export const agentMethods: readonly Method[] = [
  {
    method: "POST",
    path: `${base}/ping`,
    permission: onVm("VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"),
    async run(site, call) {
      await reachAgent(site, call);
      return { result: {} };
    },
  },
  {
    method: "POST",
    path: `${base}/exec`,
    parameters: { command: listOf(text), "input-data": optional(input) },
    permission: unrestricted,
    async run(site, call) {
      const vmId = await reachAgent(site, call);
      if (site.faults.isOn(`agent-exec-blocked-${vmId}`)) {
        throw new PveError("Agent error: Command guest-exec has been disabled: the command is not allowed");
      }
      const command = call.values.command as readonly string[];
      return { pid: site.guestPrograms.start(vmId, command, String(call.values["input-data"] ?? "")) };
    },
  },
  {
    method: "GET",
    path: `${base}/exec-status`,
    parameters: { pid: { type: "integer" } },
    permission: unrestricted,
    async run(site, call) {
      const vmId = await reachAgent(site, call);
      const pid = Number(call.values.pid);
      const program = site.guestPrograms.status(vmId, pid);
      if (!program) throw new PveError(`Agent error: Invalid parameter 'pid'`);
      const { ended } = program;
      if (!ended) return { exited: 0 };
      return {
        ...{ exited: 1, exitcode: ended.code },
        ...(ended.stdout && { "out-data": ended.stdout }),
        ...(ended.stderr && { "err-data": ended.stderr }),
      };
    },
  },
  {
    method: "GET",
    path: `${base}/file-read`,
    parameters: { file: text },
    permission: onVm("VM.GuestAgent.FileRead", "VM.GuestAgent.Unrestricted"),
    async run(site, call) {
      const vmId = await reachAgent(site, call);
      const file = String(call.values.file);
      const { code, stdout } = await site.guests.execute(vmId, ["cat", "--", file], "");
      if (code !== 0) throw new PveError(`can't open file: failed to open file '${file}' (mode: 'r')`);
      const content = stdout.slice(0, READ_BYTES);
      return { content, "bytes-read": content.length, ...(content !== stdout && { truncated: 1 }) };
    },
  },
];
