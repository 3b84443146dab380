/** A change as Pulumi and the nodes would leave it, in their own forms: made from the lab's config and its plan. */
import { planOf } from "../../components/plan";
import { parseSettings, type Settings, snapshotName } from "../../config";
import type { Login } from "../../observe/logins";
import type { Seen } from "../../observe/seen";
import type { Access } from "../../report/accessSchema";
import { evidenceOf } from "../../report/evidence";
import type { Run } from "../../report/evidenceSchema";
import { type PlanInputs, planRecord } from "../../report/plan";
import { type PlanRecord, planSchema } from "../../report/planSchema";
import type { HistoryEntry, StateResource } from "../../report/state";
import { shellWord } from "../../scripts";
import { lab } from "../config/lab";

export const FROM = "v1.35.4+rke2r1";
export const TO = "v1.36.3+rke2r1";
export const OWNER = "b099f419-34a6-44e2-b429-164a2a89b20a";

export const settingsOf = (changes: Record<string, unknown> = {}): Settings =>
  parseSettings(lab({ rke2Version: TO, changeId: "CR-1", ...changes }));

/** What a preview saw: every node on the accepted version, one check that does not hold. */
export function seenOf(settings: Settings, more: Partial<Seen> = {}): Seen {
  const node = { versionOnDisk: FROM, versionRunning: FROM, service: "active", bootId: "b" };
  return {
    at: "2026-11-24T11:00:00.000Z",
    findings: [
      { check: "proj-k8sm01: memory", found: "21156 of 24105 MiB free", wanted: "512 MiB", verdict: "pass" },
      {
        check: "compatibility: traefik",
        found: "v3.9 in <kube|system>; on record: nothing",
        wanted: "known to go with 1.36",
        verdict: "fail",
        next: "pulumi config set 'a|b' `x`",
      },
    ],
    nodes: Object.fromEntries(settings.nodes.map(({ name }) => [name, node])),
    steps: { "proj-k8sm01-restart": { expectedSeconds: 42, expectedFrom: "measured" } },
    wayBack: ["The way back, until acceptance", "  VM snapshots of every node"],
    cost: { sshSessions: 36, apiCalls: 275, seconds: 31 },
    ...more,
  };
}

/** The inputs of a change request. */
export function inputsOf(settings: Settings, more: Partial<PlanInputs> = {}): PlanInputs {
  const operations = new Map(planOf(settings).map(({ id }) => [id, "create"] as const));
  return {
    stack: "lab",
    settings,
    configKeys: { "rke2-upgrade:rke2Version": "1".repeat(64), "rke2-upgrade:nodes": "2".repeat(64) },
    files: { "index.ts": "3".repeat(64), "scripts/restart.sh": "4".repeat(64) },
    commit: { commit: "c".repeat(40), uncommitted: [] },
    preview: { plan: '{"resourcePlans":{}}', pulumiVersion: "v3.259.0", operations, seen: seenOf(settings) },
    ...more,
  };
}

/** A change request, as it is read again from its file. */
export const planned = (settings: Settings, more: Partial<PlanInputs> = {}): PlanRecord =>
  planSchema.parse(JSON.parse(JSON.stringify(planRecord(inputsOf(settings, more)))));

const BEGIN = Date.parse("2026-11-24T12:00:00Z");
const at = (seconds: number): string => new Date(BEGIN + seconds * 1000).toISOString();
const urn = (type: string, name: string): string => `urn:pulumi:lab::rke2-upgrade::${type}::${name}`;

/** What stands in state beside the steps: the stack with its outputs, and the change. */
function around(settings: Settings, attempt: number): StateResource[] {
  const { rke2Version: wanted, acceptedVersion: accepted, changeId, nodes } = settings;
  const manifest = Object.fromEntries(
    nodes.map(({ name }) => [name, { before: FROM, after: TO, when: "2026-11-24T12:30:00Z" }]),
  );
  const change = {
    ...{ wanted, accepted, changeId, attempt, from: FROM, mode: "forward", movedUnder: changeId },
    ...{ round: settings.osPatch.round ?? "", acceptedRound: settings.osPatch.acceptedRound ?? "" },
    ...{ owner: OWNER, goBack: "", __provider: "exports.handler = __f0;" },
  };
  return [
    {
      urn: urn("pulumi:pulumi:Stack", "lab"),
      type: "pulumi:pulumi:Stack",
      custom: false,
      outputs: { manifest },
    },
    dynamic("Change", "change", change, 0),
  ];
}

const dynamic = (
  kind: string,
  name: string,
  outputs: Record<string, unknown>,
  seconds: number,
): StateResource => {
  const type = `pulumi-nodejs:dynamic/rke2:${kind}`;
  return { urn: urn(type, name), type, custom: true, created: at(seconds), modified: at(seconds), outputs };
};

/**
 * The state after the first steps of the plan have succeeded, ten seconds each.
 * @param count how many; all of them unless told otherwise
 */
export function stateOf(
  settings: Settings,
  { attempt = 2, count = Number.POSITIVE_INFINITY } = {},
): StateResource[] {
  const { changeId, acceptedVersion, rke2Version } = settings;
  const gate = {
    ...{ changeId, attempt, owner: OWNER, askedBy: "root (sudo by alice) at ops1, logged in from 10.0.0.9" },
    cost: { sshSessions: 1, apiCalls: 2, seconds: 3 },
  };
  const found = [" 1. ok  a: b (wanted c)", " 2. WARN  d: e (wanted f; next: g)"];
  const done = planOf(settings).slice(0, count);
  const steps = done.flatMap(({ id, node, planned }, i): StateResource[] => {
    const end = (i + 1) * 10;
    if (planned) {
      const version = planned.script === "gate-node" ? FROM : rke2Version;
      const drained = planned.script === "drain" && {
        evicted: 3,
        budgets: 1,
        headroom: i,
        budget: "shop/web",
      };
      const line = { step: planned.script, node, startedAt: at(end - 10), seconds: 9.5, version, ...drained };
      const words = planned.args.map((word) => shellWord(String(word))).join(" ");
      const create = `sudo -n bash -s -- ${planned.script} ${OWNER} ${words} # ${changeId} attempt ${attempt}`;
      const outputs = {
        create,
        stdout: `working\n${JSON.stringify(line)}`,
        stdin: "#!/usr/bin/env bash",
        connection: SECRET,
      };
      const type = "command:remote:Command";
      return [{ urn: urn(type, id), type, custom: true, created: at(end), modified: at(end), outputs }];
    }
    if (id.endsWith("-turn-gate"))
      return [dynamic("TurnGate", id, { ...gate, found, askedAt: at(end) }, end)];
    if (/^wave-\d+-end$/.test(id)) return [dynamic("WaveEnd", id, { ...gate, found, askedAt: at(end) }, end)];
    if (id === "preflight") return [dynamic("Preflight", id, { ...gate, found, askedAt: at(end) }, end)];
    if (id.endsWith("-vm-snapshot")) {
      const taken = {
        vmId: 3001,
        takenAt: at(end - 5),
        seconds: 1.5,
        crashConsistent: id.includes("m02"),
        upid: "UPID:a",
      };
      const name = snapshotName(acceptedVersion, changeId);
      return [dynamic("VmSnapshot", id, { ...taken, name, acceptedVersion, description: "d" }, end)];
    }
    if (id === "restore-test") {
      const passed = {
        result: "passed",
        why: "boots and serves",
        seconds: 60,
        node: "proj-k8sm01",
        changeId,
        owner: OWNER,
      };
      return [dynamic("RestoreTest", "way-back-restore-test", passed, end)];
    }
    if (id === "etcd-backup") {
      const file = {
        file: "/b/etcd.age",
        sha256: "a".repeat(64),
        bytes: 5,
        takenAt: at(end - 4),
        server: "proj-k8sm01",
      };
      return [
        dynamic("EtcdBackup", "way-back-etcd-backup", { ...file, version: acceptedVersion, changeId }, end),
      ];
    }
    return [];
  });
  return [...around(settings, attempt), ...steps];
}

/** A secret as it stands in an export: never in clear. */
const SECRET = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "v1:abc",
};

/** Pulumi's word on one run. */
export const historyEntry = (
  settings: Settings,
  startedSeconds: number,
  result: "succeeded" | "failed",
  more: Record<string, string> = {},
): HistoryEntry => ({
  kind: "update",
  startTime: at(startedSeconds),
  endTime: at(startedSeconds + 100),
  result,
  resourceChanges: { create: 3 },
  environment: {
    "git.head": "c".repeat(40),
    "git.dirty": "false",
    "pulumi.version": "v3.259.0",
    updatePlan: "false",
  },
  config: Object.fromEntries(
    Object.entries({
      changeId: settings.changeId,
      rke2Version: settings.rke2Version,
      acceptedVersion: settings.acceptedVersion,
      goBack: "{}",
      osPatch: JSON.stringify(settings.osPatch),
      ...more,
    }).map(([key, value]) => [`rke2-upgrade:${key}`, { value, secret: false }]),
  ),
});

/** A run that `change apply` began. */
export const runAt = (startedSeconds: number, more: Partial<Run> = {}): Run => ({
  startedAt: at(startedSeconds),
  endedAt: at(startedSeconds + 101),
  by: "alice at ops1",
  digest: "d".repeat(64),
  approvedBy: "CAB",
  approval: "by the config",
  code: 1,
  errors: ["proj-k8sm01: restart: it did not come up"],
  ...more,
});

/** What was collected of access: a person on the first node, one in Proxmox VE, one audit log of three. */
export function accessOf({ nodes, servers, proxmox }: Settings): Access {
  const [first, last, until] = [at(10), at(20), at(300)];
  const times = { first, last };
  const login = (how: Login["how"], user: string, more: Partial<Login>): Login => ({
    ...{ how, user, refused: false, programKey: false, times: 1, ...times },
    ...more,
  });
  const own = [
    login("ssh", "admin", { from: "10.0.0.9", proof: "publickey ED25519 SHA256:own", programKey: true }),
    login("sudo", "admin", { as: "root", command: "/usr/bin/bash", times: 40 }),
  ];
  const people = [
    login("ssh", "alice", { from: "10.0.0.7", proof: "password" }),
    login("sudo", "alice", { as: "root", command: "/usr/bin/id", terminal: "pts/0", times: 2 }),
    login("ssh", "mallory", { from: "<b>", proof: "password", refused: true, times: 3 }),
  ];
  const task = { type: "qmsnapshot", vmId: 3001, startedAt: first, endedAt: last, status: "OK" };
  return {
    ...{ kind: "access", version: 1, changeId: "CR-1", from: at(0), until, ownUser: proxmox.tokenId },
    nodes: nodes.map(({ name, vmId }, i) => ({
      ...{ name, until, vmId, notes: [] },
      logins: i === 0 ? [...own, ...people] : own,
    })),
    servers: servers.map(({ name }, i) =>
      i === 0
        ? {
            ...{ name, until, notes: [] },
            requests: [
              {
                ...{ user: "alice@example.org", agent: "kubectl", verb: "delete", resource: "pods" },
                ...{ ...times, times: 4 },
              },
            ],
          }
        : { name, notes: ["the API server keeps no audit log"], requests: [] },
    ),
    hosts: [
      { name: "node01", until, tasks: [{ ...task, upid: "UPID:a", user: proxmox.tokenId }] },
      { name: "node03", until, tasks: [{ ...task, upid: "UPID:b", user: "bob@pve" }] },
    ],
  };
}

/** What state and history say of a change, nothing of its runs kept. */
export const evidenceWith = (settings: Settings, history: readonly HistoryEntry[]) =>
  evidenceOf({ changeId: "CR-1", stack: "lab", resources: stateOf(settings), history, runs: [] });
