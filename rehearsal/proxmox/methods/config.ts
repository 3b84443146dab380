import { requireAny } from "../access";
import { parameterError } from "../errors";
import { type Call, isRunning, type Method, onVm, type Site, target } from "../method";
import { count, flag, optional, text } from "../parameters";
import { type ConfigValues, checkLock } from "../vms";
import { mayUseBridge } from "./bridges";

const cards = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`net${i}`, optional(text)]));

/** What changing an option needs, by the option. */
function privilegeOf(option: string): string {
  return option.startsWith("net") ? "VM.Config.Network" : "VM.Config.Options";
}

/** Whether a network card's cable is out, as its config says. */
export const isLinkDown = (card: unknown): boolean => /(^|,)link_down=1(,|$)/.test(String(card ?? ""));

/** Pulls and plugs the cable of a machine that runs, as its config says now. The machines here have one card. */
async function plug({ guests }: Site, vmId: number, values: ConfigValues): Promise<void> {
  await guests.setLink(vmId, !isLinkDown(values.net0));
}

/** Changing a VM's config: the options that the rehearsal needs. Any other is refused, not ignored. */
export const configMethods: readonly Method[] = [
  {
    method: "POST",
    path: "/nodes/{node}/qemu/{vmid}/config",
    parameters: {
      ...cards,
      ...{ name: optional(text), description: optional(text), onboot: optional(flag) },
      background_delay: optional(count),
    },
    permission: onVm("VM.Config.Network", "VM.Config.Options"),
    run(site, call: Call) {
      const { node, vmId } = target(call);
      const { cluster, who } = call;
      const { node: _node, vmid: _vmid, background_delay: _delay, ...wish } = call.values;
      const changes = wish as ConfigValues;
      for (const [option, value] of Object.entries(changes)) {
        requireAny(cluster, who, `/vms/${vmId}`, [privilegeOf(option)]);
        if (!option.startsWith("net")) continue;
        if (!/^(virtio|e1000)(=[0-9A-F:]{17})?(,|$)/i.test(String(value))) {
          throw parameterError({ [option]: "invalid format - format error\n" });
        }
        mayUseBridge(call, String(value));
      }
      checkLock(site.vms.load(node, vmId));
      return site.tasks.start(node, "qmconfig", String(vmId), who, async () => {
        const { values } = site.vms.update(node, vmId, (config) => {
          checkLock(config);
          config.values = { ...config.values, ...changes };
        });
        if (await isRunning(site, vmId)) await plug(site, vmId, values);
      });
    },
  },
];
