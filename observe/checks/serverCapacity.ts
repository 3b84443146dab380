import type { Settings } from "../../config";
import { type Facts, inTurn, nameOf } from "../facts";
import type { Finding } from "../finding";
import { allocatable, askedOn } from "../scheduling";
import { unknown } from "../unmeasured";

/** Free capacity on servers (procedure §3.1: 30 %), by what pods ask for and by what the machine says is in use. */
export function judgeServerCapacity(settings: Settings, { nodes, cluster }: Facts): Finding[] {
  const most = 100 - settings.limits.serverFreePercent;
  return settings.servers.flatMap(({ name }): Finding[] => {
    const looked = nodes.get(name);
    if (!looked || inTurn(settings, cluster, name)) return [];
    const question = { check: `${name}: free capacity`, wanted: `at most ${most} % each` };
    if ("missing" in looked) return [unknown(question, `see "${name}: answers over SSH"`, `ssh ${name}`)];
    const { memoryMiB, memoryFreeMiB, server } = looked.value;
    const figures = {
      ...askedFor(name, cluster),
      "memory in use": 1 - memoryFreeMiB / memoryMiB,
      "cpu in use": server?.cpuUsed,
    };
    const told = Object.entries(figures)
      .map(([what, value]) => `${what} ${isKnown(value) ? `${Math.round(value * 100)} %` : "unknown"}`)
      .join(", ");
    const { "cpu in use": load, ...lasting } = figures;
    const over = (value: number | undefined) => isKnown(value) && value > most / 100;
    const next = `kubectl describe node ${name} (Allocated resources); kubectl top pods -A; top on it; move pods away from the servers, or give the VM more`;
    if (Object.values(lasting).some(over)) return [{ ...question, found: told, verdict: "fail", next }];
    if (!Object.values(lasting).every(isKnown)) return [unknown(question, told, next)];
    // The processor's time of one second only warns, and so does one that the kernel does not tell.
    if (!isKnown(load) || over(load)) return [{ ...question, found: told, verdict: "warn", next }];
    return [{ ...question, found: told, verdict: "pass" }];
  });
}

const isKnown = (value: number | undefined): value is number => value !== undefined && !Number.isNaN(value);

/** Shares of what a node offers that its pods ask for; undefined where the API does not tell. */
function askedFor(name: string, cluster: Facts["cluster"]) {
  const node = "value" in cluster ? cluster.value.nodes.find((one) => nameOf(one) === name) : undefined;
  const [asked, offered] = [
    "value" in cluster ? askedOn(name, cluster.value.pods) : new Map<string, number>(),
    node && allocatable(node),
  ];
  const share = (resource: string) =>
    offered && (asked.get(resource) ?? 0) / (offered.get(resource) ?? Number.NaN);
  return { "cpu asked for": share("cpu"), "memory asked for": share("memory") };
}
