import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { fullName, nameOf } from "../facts";
import { type Finding, must } from "../finding";

/** Images that install Kubernetes when Rancher's system-upgrade-controller runs a Plan. */
const INSTALLS_KUBERNETES = /(rke2|k3s)-upgrade|system-agent/;

/** Others who change the cluster or wait for somebody: upgrade Plans that would fight this change, pending CSRs. */
export function judgeStrangers(_: Settings, { upgradePlans, signingRequests }: ClusterFacts): Finding[] {
  const rivals = upgradePlans.filter(({ spec }) => INSTALLS_KUBERNETES.test(spec?.upgrade?.image ?? ""));
  const pending = signingRequests.filter(({ status }) => !status?.conditions?.length).map(nameOf);
  return [
    {
      check: "cluster: no upgrade Plan of Rancher's",
      found:
        rivals.map((plan) => `${fullName(plan)} (${plan.spec?.version ?? "a channel"})`).join(", ") || "none",
      wanted: "none that installs Kubernetes",
      ...must(
        rivals.length === 0,
        `its controller would install its own version over this one: kubectl -n ${rivals[0]?.metadata?.namespace} delete plan ${rivals[0] && nameOf(rivals[0])}; in Rancher, switch the imported cluster's version management off`,
      ),
    },
    {
      check: "cluster: certificate signing requests",
      found: pending.length ? `pending: ${pending.join(", ")}` : "none pending",
      wanted: "none pending",
      ...must(
        pending.length === 0,
        `kubectl describe csr ${pending[0]}, then kubectl certificate approve or deny it. §4.2 "Node fails to join cluster": check certificates, firewall rules, token`,
      ),
    },
  ];
}
