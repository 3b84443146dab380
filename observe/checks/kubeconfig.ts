import type { Settings } from "../../config";
import type { Facts } from "../facts";
import { type Finding, must } from "../finding";
import { unknown } from "../unmeasured";

/**
 * The configured kubeconfig against the one on the first server that was seen (procedure §3.2: refresh it). Silent
 * where none is configured: it is then read from a server each time.
 */
export function judgeKubeconfig({ servers, limits }: Settings, { kubeconfig, nodes }: Facts): Finding[] {
  if (!kubeconfig) return [];
  const looks = servers.flatMap(({ name }) => nodes.get(name) ?? []);
  const ca = looks.flatMap((looked) => ("value" in looked ? looked.value.server?.kubeconfigCa || [] : []))[0];
  const question = {
    check: "kubeconfig: the configured one",
    wanted: `the authority in rke2.yaml, valid for ${limits.certificateDays} days`,
  };
  const days = kubeconfig.expires ? (kubeconfig.expires.getTime() - Date.now()) / 86_400_000 : undefined;
  const lasts = days === undefined || days >= limits.certificateDays;
  if (!ca && lasts) {
    const next = "sudo cat /etc/rancher/rke2/rke2.yaml on a server, and compare certificate-authority-data";
    return [unknown(question, "no server's own authority could be read", next)];
  }
  const sameCluster = kubeconfig.caSha256 === ca;
  const found = [
    !ca
      ? "its authority not compared"
      : sameCluster
        ? "the cluster's own authority"
        : "another cluster's authority, or an old one",
    days === undefined ? "no client certificate" : `its client certificate ends in ${Math.floor(days)} days`,
  ];
  return [
    {
      ...question,
      found: found.join(", "),
      ...must(
        sameCluster && lasts,
        "ssh to a server, sudo cat /etc/rancher/rke2/rke2.yaml, put the API's address for 127.0.0.1, then pulumi config set --secret rke2-upgrade:kubeconfig",
      ),
    },
  ];
}
