import type { Settings } from "../../config";
import { parseSettings } from "../../config";
import { lab as config } from "../config/lab";
import { type ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";

/** The lab's config as it would stand in a stack of the stand-in, without its secrets. */
export function rawConfigFor({ access }: ProxmoxLab, changes: Record<string, unknown> = {}) {
  const { endpoint, tokenId, caCertificate } = access;
  return config({ proxmox: { endpoint, tokenId, caCertificate }, ...changes });
}

/** The lab's settings, cut to the VMs that the stand-in has. */
export function settingsFor(lab: ProxmoxLab): Settings {
  const settings = parseSettings(rawConfigFor(lab));
  const known = new Set(lab.guests.guests.keys());
  return { ...settings, nodes: settings.nodes.filter(({ vmId }) => known.has(vmId)) };
}

/** What the engine hands to a dynamic provider's `configure`. @param changes what else the stack's config says */
export function configureRequest(lab: ProxmoxLab, changes: Record<string, unknown> = {}) {
  const values: Record<string, string> = {
    ...rawConfigFor(lab, { limits: { snapshotSeconds: 10 }, ...changes }),
    sshPrivateKey: "not used here",
    ...(typeof changes.sshPrivateKey === "string" && { sshPrivateKey: changes.sshPrivateKey }),
    proxmoxTokenSecret: TOKEN_SECRET,
  };
  const get = (key: string) => values[key.replace("rke2-upgrade:", "")];
  const require = (key: string) => {
    const value = get(key);
    if (value === undefined) throw new Error(`missing ${key}`);
    return value;
  };
  return { config: { get, require } };
}
