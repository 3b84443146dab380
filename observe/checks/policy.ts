import {
  etcdCrossing,
  etcdOf,
  judgeStable,
  kubernetesMinor,
  latestStable,
  MINORS_BEHIND,
  parseVersion,
  type RunningNode,
  type Settings,
  skewFaults,
} from "../../config";
import type { Facts } from "../facts";
import { type Finding, must, should } from "../finding";
import { unknown } from "../unmeasured";

/** Version policy: N-2, skew at every moment of the run, and what etcd's version means for going back. */
export function judgeVersionPolicy(settings: Settings, facts: Facts): Finding[] {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!from || !to) return [];
  return [
    ...judgeNMinusTwo(settings, facts.at),
    judgeSkew(settings, facts),
    ...(settings.acceptedVersion === settings.rke2Version ? [] : [judgeEtcdVersion(settings)]),
  ];
}

/** At most two minors behind the latest stable (procedure §3.1); on the way there one minor at a time is allowed. */
function judgeNMinusTwo(settings: Settings, at: Date): Finding[] {
  const check = "version: at most two minors behind the latest stable";
  const latest = latestStable(settings, at);
  const look =
    "look at https://github.com/rancher/rke2/releases, then: pulumi config set --path 'rke2-upgrade:latestStable.version' vX.Y.Z+rke2rN, and latestStable.checkedOn";
  if (!latest) {
    return [
      {
        check,
        found: "latestStable is not set",
        wanted: "latestStable, looked up",
        verdict: "warn",
        next: look,
      },
    ];
  }
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!from || !to) return [];
  const { behind, oldest, verdict } = judgeStable(from, to, latest.version);
  const target = kubernetesMinor(to);
  const finding = {
    check,
    found: `${target} is ${behind > 0 ? `${behind} behind` : "not behind"} ${latest.name}, looked up ${latest.ageDays} days ago`,
    wanted: `${oldest} or later (N-${MINORS_BEHIND}), looked up within ${settings.limits.latestStableMaxAgeDays} days`,
  };
  if (verdict === "tooOld") {
    return [
      { ...finding, verdict: "fail", next: `upgrade to the next minor instead, and on until ${oldest}` },
    ];
  }
  if (verdict === "stepping") {
    return [
      { ...finding, verdict: "warn", next: `go on from ${target}, one minor at a time, until ${oldest}` },
    ];
  }
  if (latest.ageDays > settings.limits.latestStableMaxAgeDays)
    return [{ ...finding, verdict: "warn", next: look }];
  return [{ ...finding, verdict: "pass" }];
}

/** Skew between all that will meet, from what really runs: a run may have stopped half-way, or a hand been at work. */
function judgeSkew(settings: Settings, { nodes }: Facts): Finding {
  const to = parseVersion(settings.rke2Version);
  const running = settings.nodes.flatMap(({ name, role }): RunningNode[] => {
    const seen = nodes.get(name);
    // A process that is down speaks to nobody; what is installed is what will run.
    const text = seen && "value" in seen ? seen.value.versionRunning || seen.value.versionOnDisk : "";
    const version = parseVersion(text);
    return version ? [{ name, role, version }] : [];
  });
  const faults = to ? skewFaults(running, to) : [];
  const question = {
    check: "version: skew, now and at every step",
    wanted: "API servers one minor apart at most, no kubelet newer than one, none over three minors older",
  };
  const unread = settings.nodes
    .map(({ name }) => name)
    .filter((one) => !running.some(({ name }) => name === one));
  if (faults.length === 0 && unread.length > 0) {
    const next = "rke2 --version there; every node's version is judged with every other's";
    return unknown(question, `not known what runs on ${unread.join(", ")}`, next);
  }
  const minors = (role: string) =>
    [
      ...new Set(running.filter((node) => node.role === role).map(({ version }) => kubernetesMinor(version))),
    ].join(" and ");
  const found =
    faults.map(({ text }) => text).join("; ") ||
    `API servers ${minors("server")}, agents' kubelets ${minors("agent")}`;
  // As after a way back of one server, beside agents that are done: only its turn ends that.
  const ending = faults.length > 0 && faults.every(({ ends }) => ends);
  const next = ending
    ? "go on: the servers' turns come first and end it; until then leave the agents alone"
    : "bring the named node to the others' version by itself first: skew breaks what asks the older API";
  return { ...question, found, ...(ending ? should : must)(faults.length === 0, next) };
}

/** What etcd's version before and after means for going back. */
function judgeEtcdVersion(settings: Settings): Finding {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  const [before, after] = [from && etcdOf(from), to && etcdOf(to)];
  const crossing = from && to ? etcdCrossing(from, to) : "unknown";
  const found = `${before ?? "unknown"} → ${after ?? "unknown"}`;
  const check = "version: etcd before and after";
  const wanted = "the same minor, else its snapshot is the only way back";
  if (crossing === "same") return { check, found, wanted, verdict: "pass" };
  const next = `going back takes the etcd snapshot on all servers at once; never reinstall ${settings.acceptedVersion} over it (docs/goBack.md)`;
  return { check, found: `${found} (${crossing})`, wanted, verdict: "warn", next };
}
