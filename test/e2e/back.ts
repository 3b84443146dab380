/** What the tests of going back ask of the cluster, from outside the program. */
import assert from "node:assert/strict";
import { checkpoint, listCheckpoints, restore } from "../../rehearsal/lab/checkpoint";
import { operator } from "../../rehearsal/lab/operator";
import { versions } from "./history";
import { cancel, type Ended, killAll, kubectl, ok, onNode, run, startUp, up } from "./operator";

export const OLD = "v1.35.4+rke2r1";
export const NEW = "v1.36.3+rke2r1";
export const NEWER = "v1.36.3+rke2r2";
export const SERVERS = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"] as const;
export const AGENTS = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03", "proj-k8sw04"] as const;
export const NODES = [...SERVERS, ...AGENTS];

/** The seed of the instants at which the engine is killed; printed, and taken from SEED to repeat a run. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** A generator of numbers in [0, 1) from a seed (mulberry32). */
export function random(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Asks for a way back, as docs/goBack.md says. */
export async function askForWayBack(strategy: string, nodes: readonly string[] = []): Promise<void> {
  const set = (path: string, value: string) =>
    ok("pulumi", "config", "set", "--path", `rke2-upgrade:${path}`, value);
  // One that was asked for before may name nodes.
  await run(["pulumi", "config", "rm", "rke2-upgrade:goBack"]);
  await set("goBack.strategy", strategy);
  for (const [i, node] of nodes.entries()) await set(`goBack.nodes[${i}]`, node);
  await set("backup.identityFile", operator.backupKey);
}

/** Takes the question back: forward again. */
export async function forwardAgain(): Promise<void> {
  await ok("pulumi", "config", "rm", "rke2-upgrade:goBack");
}

/** `up` that must end well. */
export async function upWell(): Promise<Ended> {
  const ended = await up();
  assert.equal(ended.code, 0, ended.output);
  return ended;
}

/** Kills the engine with all under it once it has printed something, or has ended; then clears the backend's lock. */
export async function killedAt(pattern: RegExp, afterMs = 0): Promise<string> {
  const running = await startUp();
  let over = false;
  running.ended.then(() => {
    over = true;
  });
  const deadline = Date.now() + 15 * 60_000;
  while (!over && !pattern.test(running.output())) {
    assert.ok(Date.now() < deadline, `did not print ${pattern}:\n${running.output().slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(!over, `ended before it printed ${pattern}:\n${running.output().slice(-4000)}`);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  killAll(running, "SIGKILL");
  await running.ended;
  await cancel();
  return running.output();
}

/** A marker in etcd: what was written when. */
export const write = (name: string) =>
  ok("kubectl", "-n", "default", "create", "configmap", name, `--from-literal=name=${name}`);

interface ConfigMap {
  metadata: { name: string; uid: string; resourceVersion: string };
  data: Record<string, string>;
}

/** A marker as it stands, or undefined where it is not there. */
export async function read(name: string): Promise<ConfigMap | undefined> {
  const { items } = await kubectl<{ items: ConfigMap[] }>("-n", "default", "get", "configmaps");
  return items.find(({ metadata }) => metadata.name === name);
}

const ETCD = "/var/lib/rancher/rke2/server/tls/etcd";
const asking = (path: string, body = "{}") =>
  `sudo curl -sf --max-time 5 --cacert ${ETCD}/server-ca.crt --cert ${ETCD}/server-client.crt --key ${ETCD}/server-client.key -d '${body}' https://127.0.0.1:2382${path}`;

/** What each server's own etcd says: its cluster's ID, its members, the hash of its data at one revision. */
export async function etcd(): Promise<{ clusterId: string; members: string[]; hash: string }[]> {
  const first = JSON.parse(await onNode(SERVERS[0], asking("/v3/maintenance/status")));
  return Promise.all(
    SERVERS.map(async (server) => {
      const status = JSON.parse(await onNode(server, asking("/v3/maintenance/status")));
      const listed = JSON.parse(await onNode(server, asking("/v3/cluster/member/list")));
      const body = JSON.stringify({ revision: first.header.revision });
      const hashed = JSON.parse(await onNode(server, asking("/v3/maintenance/hashkv", body)));
      return {
        clusterId: status.header.cluster_id,
        members: listed.members
          .map(
            (member: { name: string; isLearner?: boolean }) => `${member.name}${member.isLearner ? "*" : ""}`,
          )
          .sort(),
        hash: `${hashed.hash}@${hashed.compact_revision}`,
      };
    }),
  );
}

/** One cluster, a voting member a server, the same data in all: judged from outside. */
export async function isOneEtcd(): Promise<string> {
  const seen = await etcd();
  const [first] = seen;
  assert.ok(first);
  for (const one of seen) {
    assert.equal(one.clusterId, first.clusterId);
    assert.deepEqual(one.members, first.members);
    assert.equal(one.members.length, SERVERS.length);
    assert.ok(
      one.members.every((name) => !name.endsWith("*")),
      one.members.join(" "),
    );
    if (one.hash.split("@")[1] === first.hash.split("@")[1]) assert.equal(one.hash, first.hash);
  }
  return first.clusterId;
}

/** Every node Ready on its version; no cordon, mark, hold, join or plain snapshot of ours is left. */
export async function areWell(wanted: (node: string) => string): Promise<void> {
  const found = await versions();
  assert.deepEqual(found, Object.fromEntries(NODES.map((node) => [node, wanted(node)])));
  await ok("kubectl", "wait", "nodes", "--all", "--for=condition=Ready", "--timeout=120s");
  const { items } = await kubectl<{
    items: { metadata: { name: string; annotations: object }; spec: { unschedulable?: boolean } }[];
  }>("get", "nodes");
  for (const { metadata, spec } of items) {
    assert.ok(!spec.unschedulable, `${metadata.name} is cordoned`);
    assert.doesNotMatch(JSON.stringify(metadata.annotations), /rke2-upgrade/, metadata.name);
  }
  await Promise.all(
    NODES.map(async (node) => {
      const left = await onNode(
        node,
        "sudo find /var/lib/rke2-upgrade/hold /var/lib/rke2-upgrade/restore /etc/rancher/rke2/config.yaml.d /etc/systemd/system/rke2-server.service.d /etc/systemd/system/rke2-agent.service.d -type f 2>/dev/null || true",
      );
      assert.equal(left.trim(), "", `${node} still has ${left}`);
    }),
  );
}

/** The stack's outputs of a way back. */
export async function measured(): Promise<{ rtoSeconds: number; rpoSeconds: number; summary: string }> {
  return JSON.parse(await ok("pulumi", "stack", "output", "manifest", "--json"));
}

/** Prints what the way back took and lost, as the stack's outputs say it. */
export async function tell(): ReturnType<typeof measured> {
  const said = await measured();
  console.log(`    ${said.summary}`);
  return said;
}

/** Brings a checkpoint back, which an earlier test, or an earlier file, made. */
export async function from(name: string): Promise<void> {
  assert.ok(
    (await listCheckpoints()).includes(name),
    `no checkpoint ${name}: an earlier test of this story makes it, or test/e2e/upgrade.test.ts`,
  );
  await restore(name);
}
export { checkpoint, run };
