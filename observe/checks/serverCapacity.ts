import type { Settings } from "../../config";
import { type Facts, inTurn, nameOf } from "../facts";
import type { Finding } from "../finding";
import { allocatable, askedOn } from "../scheduling";

/** Free capacity on servers (procedure §3.1: 30 %), by what pods ask for and by what the machine says is in use. */
export function judgeServerCapacity(settings: Settings, facts: Facts): Finding[] {
  const { cluster } = facts;
  if (!("value" in cluster)) return [];
  const { nodes, pods } = cluster.value;
  return settings.servers.flatMap(({ name }) => {
    const node = nodes.find((one) => nameOf(one) === name);
    const looked = facts.nodes.get(name);
    if (!node || !looked || "missing" in looked || inTurn(settings, cluster, name)) return [];
    const asked = askedOn(name, pods);
    const offered = allocatable(node);
    const share = (resource: string) => (asked.get(resource) ?? 0) / (offered.get(resource) ?? Number.NaN);
    const { memoryMiB, memoryFreeMiB, server } = looked.value;
    const used = {
      "cpu asked for": share("cpu"),
      "memory asked for": share("memory"),
      "memory in use": 1 - memoryFreeMiB / memoryMiB,
    };
    const load = server?.cpuUsed;
    const limit = 1 - settings.limits.serverFreePercent / 100;
    const over = Object.entries(used).filter(([, value]) => !(value <= limit));
    const figures = [...Object.entries(used), ["cpu in use", load ?? Number.NaN] as const];
    const verdict = over.length > 0 ? "fail" : load !== undefined && load > limit ? "warn" : "pass";
    return [
      {
        check: `${name}: free capacity`,
        found: figures
          .map(
            ([what, value]) => `${what} ${Number.isNaN(value) ? "unknown" : `${Math.round(value * 100)} %`}`,
          )
          .join(", "),
        wanted: `at most ${100 - settings.limits.serverFreePercent} % each`,
        verdict,
        ...(verdict === "pass"
          ? {}
          : {
              next: `kubectl describe node ${name} (Allocated resources); kubectl top pods -A; move pods away from the servers, or give the VM more`,
            }),
      },
    ];
  });
}
