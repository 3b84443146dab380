import { isChanging, type Settings } from "../../config";
import type { Facts } from "../facts";
import { type Finding, must } from "../finding";
import { installed } from "../installed";
import { unknown } from "../unmeasured";
import { API_SILENT, SEE_API } from "./api";

const QUESTION = {
  check: "cluster: Rancher exported before",
  wanted: "where Rancher runs, an export before any change (procedure §6.1)",
};

/** Refused where Rancher runs and nobody has said whether it is exported: unless it moves itself, it is not by default. Pure. */
export function judgeRancherExport(settings: Settings, { cluster }: Pick<Facts, "cluster">): Finding[] {
  if (settings.rancher.backup.enabled || !isChanging(settings)) return [];
  if ("missing" in cluster) return [unknown(QUESTION, API_SILENT, SEE_API)];
  const rancher = installed(cluster.value.pods).find(({ component }) => component === "rancher");
  if (!rancher) return [];
  const { declined } = settings.rancher.backup;
  return [
    {
      ...QUESTION,
      found: `Rancher runs in ${rancher.namespace}, and ${declined ? "rancher.backup.enabled: false wants none" : "no export is asked for"}`,
      ...must(
        declined,
        "install rancher-backup where it is not, then: pulumi config set --path 'rke2-upgrade:rancher.backup.enabled' true (docs/rancher.md); to do without: the same with false",
      ),
    },
  ];
}
