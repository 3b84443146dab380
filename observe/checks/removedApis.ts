import {
  isAtLeastMinor,
  kubernetesMinor,
  parseVersion,
  REMOVALS_KNOWN_TO,
  removedBetween,
  type Settings,
} from "../../config";
import { describeApi } from "../deprecatedApis";
import { type Facts, inTurn } from "../facts";
import type { Finding } from "../finding";
import { unknown } from "../unmeasured";
import { API_SILENT, SEE_API } from "./api";

/**
 * API versions that the target no longer serves and that somebody still asks for, by each API server's own count
 * since its start. Who mended the client waits for that count to end with a restart, or acknowledges the API by name.
 */
export function judgeRemovedApis(settings: Settings, { nodes, cluster }: Facts): Finding[] {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!from || !to || from.minor === to.minor) return [];
  const check = "compatibility: APIs that the target removes";
  const wanted = `none that ${to.major}.${to.minor} no longer serves`;
  const looked = settings.servers.map(({ name }) => {
    const seen = nodes.get(name);
    return { name, apis: seen && "value" in seen ? seen.value.deprecatedApis : undefined };
  });
  // The API server of one in its turn may be down.
  const unread = looked
    .filter(({ name, apis }) => apis === undefined && !inTurn(settings, cluster, name))
    .map(({ name }) => name);
  const removed = new Set(
    looked
      .flatMap(({ apis }) => apis ?? [])
      .filter(({ removedRelease }) => {
        const [major = 0, minor = 0] = removedRelease.split(".").map(Number);
        return isAtLeastMinor(to, major, minor);
      })
      .map(describeApi),
  );
  const open = [...removed].filter((api) => !settings.acknowledge.includes(api));
  const said = [...removed].map((api) => (open.includes(api) ? api : `${api} (acknowledged)`));
  const found = `${said.join(", ") || "none asked for"}${unread.length > 0 ? `; not read: ${unread.join(", ")}` : ""}`;
  if (open.length > 0) {
    const next = `find who asks (audit log, kubectl get ${open[0]?.split(" ")[1]} -A -o yaml --show-managed-fields) and move it to the next version; once that is done: pulumi config set --path 'rke2-upgrade:acknowledge[${settings.acknowledge.length}]' '${open[0]}'`;
    return [{ check, found, wanted, verdict: "fail", next }];
  }
  if (unread.length > 0) {
    const next = `kubectl get --raw /metrics | grep apiserver_requested_deprecated_apis, on ${unread.join(", ")}`;
    return [unknown({ check, wanted }, found, next)];
  }
  if (removed.size > 0) {
    return [{ check, found, wanted, verdict: "warn", next: "watch its clients after the servers' upgrade" }];
  }
  return [{ check, found, wanted, verdict: "pass" }];
}

/**
 * Objects that lie in etcd under a version which the target removes, with no other version switched on that serves them:
 * nobody needs to ask for them, and after the change nobody can.
 */
export function judgeStrandedObjects(settings: Settings, { cluster }: Facts): Finding[] {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!from || !to || from.minor === to.minor) return [];
  const question = {
    check: "compatibility: objects that the target cannot serve",
    wanted: `none in a version that ${kubernetesMinor(to)} removes alone`,
  };
  if (to.minor > REMOVALS_KNOWN_TO) {
    const found = `removals are known up to ${to.major}.${REMOVALS_KNOWN_TO}`;
    const next = `read https://kubernetes.io/docs/reference/using-api/deprecation-guide/ for ${kubernetesMinor(to)}, and kubectl get what it removes`;
    return [{ ...question, found, verdict: "warn", next }];
  }
  if (removedBetween(from, to).length === 0) return [];
  if (!("value" in cluster)) return [unknown(question, API_SILENT, SEE_API)];
  const { stranded } = cluster.value;
  const open = stranded.filter(({ api }) => !settings.acknowledge.includes(api));
  const tell = ({ api, names }: (typeof stranded)[number]) =>
    `${api}: ${names.join(", ")}${settings.acknowledge.includes(api) ? " (acknowledged)" : ""}`;
  const finding = {
    ...question,
    found: stranded.map(tell).join("; ") || "none",
  };
  if (stranded.length === 0) return [{ ...finding, verdict: "pass" }];
  const [first] = open;
  if (!first)
    return [{ ...finding, verdict: "warn", next: "delete them before, or they stay in etcd unread" }];
  const [groupVersion = "", resource = ""] = first.api.split(" ");
  const [group, version] = groupVersion.split("/");
  const next = `kubectl get ${resource}.${version}.${group} -o yaml: switch a later version on (kube-apiserver-arg runtime-config) and write them anew, or delete them; to lose them: pulumi config set --path 'rke2-upgrade:acknowledge[${settings.acknowledge.length}]' '${first.api}'`;
  return [{ ...finding, verdict: "fail", next }];
}
