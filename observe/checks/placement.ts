import type { Settings } from "../../config";
import type { VmPlace } from "../../proxmox/vms";
import type { Finding } from "../finding";
import { PLACEMENT } from "./hosts";

/**
 * Servers on different Proxmox hosts, from where they are now (procedure §3.2): two that share one go down with it, and
 * the quorum with them. Refused, unless the operator has named that host in `consents.sharedHost`. Pure.
 */
export function judgePlacement({ servers, consents }: Settings, vms: readonly VmPlace[]): Finding[] {
  if (servers.length < 2) return [];
  const places = servers.flatMap(({ name, vmId }) => {
    const place = vms.find((vm) => vm.vmId === vmId);
    return place ? [{ name, host: place.host }] : [];
  });
  const hosts = places.map(({ host }) => host);
  const shared = [...new Set(hosts)].filter((host) => hosts.filter((one) => one === host).length > 1);
  const finding = { ...PLACEMENT, found: hosts.join(", ") };
  if (shared.length === 0) return [{ ...finding, verdict: "pass" }];
  const [open] = shared.filter((host) => !consents.sharedHost.includes(host));
  const together = (host?: string) =>
    places.flatMap((place) => (place.host === host ? [place.name] : [])).join(", ");
  if (!open) {
    const next = `allowed: consents.sharedHost names ${shared.join(", ")}; if it fails, ${together(shared[0])} go down with it`;
    return [{ ...finding, verdict: "warn", next }];
  }
  const next = `qm migrate one of ${together(open)} to another host: ${open} would take the quorum along; where there is no other: pulumi config set --path 'rke2-upgrade:consents.sharedHost[${consents.sharedHost.length}]' ${open}`;
  return [{ ...finding, verdict: "fail", next }];
}
