import type { Settings } from "../../config";
import type { Finding } from "../finding";
import type { Look } from "../look";
import type { HostFacts } from "../proxmox";

/** What Proxmox VE said, or that it did not answer. */
export function judgeHosts(settings: Settings, looked: Look<HostFacts>): readonly Finding[] {
  if ("missing" in looked) {
    return [
      {
        check: "proxmox: the API answers",
        found: looked.missing,
        wanted: "an answer",
        verdict: "not measured",
        next: `curl ${settings.proxmox.endpoint}/api2/json/version; the token's rights: docs/proxmox.md`,
      },
    ];
  }
  return looked.value.findings;
}
