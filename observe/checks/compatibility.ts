import { COMPONENTS, judgeCompatibility, kubernetesMinor, parseVersion, type Settings } from "../../config";
import type { Facts } from "../facts";
import type { Finding } from "../finding";
import { installed } from "../installed";
import { ROWS } from "../rows";
import { unmeasured } from "../unmeasured";
import { API_SILENT, SEE_API } from "./api";

/**
 * Whether what runs in the cluster goes with the wanted Kubernetes minor (procedure §3.1, §3.2). Where the minor
 * stays, a pair that nobody has published is what the cluster lives with already: told, not refused.
 */
export function judgeComponents(settings: Settings, { cluster }: Facts): Finding[] {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!from || !to) return [];
  const kubernetes = kubernetesMinor(to);
  const wanted = `known to go with ${kubernetes}`;
  if ("missing" in cluster) {
    // Nobody knows which of them there are.
    const questions = COMPONENTS.map((component) => ({ check: `compatibility: ${component}`, wanted }));
    return unmeasured(questions, API_SILENT, SEE_API);
  }
  const crosses = kubernetesMinor(from) !== kubernetes;
  return installed(cluster.value.pods).map(({ component, namespace, version: live }) => {
    // Rancher is upgraded before Kubernetes: what it becomes is what must go with it.
    const becomes = component === "rancher" ? settings.rancherVersion : undefined;
    const version = becomes ?? live;
    const { verdict, pair, published } = judgeCompatibility(component, version, kubernetes);
    const acknowledged = settings.acknowledge.includes(pair);
    const finding = {
      check: `compatibility: ${component}`,
      found: `${becomes && becomes !== live ? `${live ?? "unknown"} → ` : ""}${version ?? "a version that neither image nor label tells"} in ${namespace}; on record: ${published}${acknowledged && verdict === "unknown" ? "; acknowledged" : ""}`,
      wanted,
    };
    if (verdict === "compatible") return { ...finding, verdict: "pass" };
    // The GPU operator's own upgrade comes after the cluster's.
    const row = component === "gpu-operator" ? `${ROWS.gpu}. ` : "";
    if (verdict === "incompatible") {
      const next = row
        ? `${row}Before it, have a release of it that goes with ${kubernetesMinor(from)} and ${kubernetes} both`
        : `upgrade ${component} first, to a release that goes with ${kubernetes}`;
      return { ...finding, verdict: crosses ? "fail" : "warn", next };
    }
    const next = acknowledged
      ? `${row}Watch it after the upgrade: ${pair} was acknowledged`
      : `${row}Read its makers' notes and try it in the rehearsal, then: pulumi config set --path 'rke2-upgrade:acknowledge[${settings.acknowledge.length}]' '${pair}'`;
    return { ...finding, verdict: crosses && !acknowledged ? "fail" : "warn", next };
  });
}
