/** The end that every interrupted story must come to, asked from outside the program. */
import assert from "node:assert/strict";
import { info, proxmox, snapshots, versions } from "../e2e/history";
import { kubectl, ok, onNode, run } from "../e2e/operator";

const WITNESS = ["configmap", "rke2-upgrade-witness", "--namespace=research"] as const;
const WITNESS_TEXT = "what was there before the change";

/** Something in etcd from before the change. */
export async function plantWitness(): Promise<void> {
  await ok("kubectl", "create", ...WITNESS, `--from-literal=text=${WITNESS_TEXT}`);
}

/** @throws with what is not as it was, but for the version of the nodes */
export async function proveEnd(version: string): Promise<void> {
  const { nodes } = await info();
  assert.deepEqual(await versions(), Object.fromEntries(nodes.map(({ name }) => [name, version])));
  await ok("kubectl", "wait", "node", "--all", "--for=condition=Ready", "--timeout=60s");
  await ok(
    "kubectl",
    "wait",
    "deployment",
    "--all",
    "--all-namespaces",
    "--for=condition=Available",
    "--timeout=180s",
  );

  const live = await kubectl<{
    items: { metadata: { name: string; annotations?: object }; spec: { unschedulable?: boolean } }[];
  }>("get", "nodes");
  for (const { metadata, spec } of live.items) {
    const ours = Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith("rke2-upgrade/"));
    assert.deepEqual([ours, spec.unschedulable ?? false], [[], false], `${metadata.name}: marks, cordon`);
  }
  assert.deepEqual(await snapshots(), [], "VM snapshots are left");
  const lease = await run(["kubectl", "-n", "kube-system", "get", "lease", "rke2-upgrade"]);
  assert.match(lease.output, /not found/i, "the Lease is left");
  // No lock; no hold, no placed etcd snapshot, nothing that says where to join.
  const files = ["owner", "hold", "restore"].map((name) => `/var/lib/rke2-upgrade/${name}`);
  const dropIns = [
    "/etc/rancher/rke2/config.yaml.d/95-rke2-upgrade*",
    "/etc/systemd/system/rke2-*.service.d/*rke2-upgrade*",
  ];
  const look = `sudo sh -c 'find ${[...files, ...dropIns].join(" ")} -type f 2>/dev/null || true'`;
  for (const { name } of nodes) assert.equal((await onNode(name, look)).trim(), "", name);
  const vms = await proxmox<{ vmid: number }[]>("/cluster/resources?type=vm");
  assert.deepEqual(
    vms.map(({ vmid }) => vmid).toSorted(),
    nodes.map(({ vmId }) => vmId).toSorted(),
    "a VM is left over, or gone",
  );

  const witness = await kubectl<{ data: { text: string } }>("get", ...WITNESS);
  assert.equal(witness.data.text, WITNESS_TEXT);
  await proveEtcd(nodes.filter(({ role }) => role === "server").map(({ name }) => name));
}

/** Every server's member is a voter of one cluster, and all hold the same keys at one revision, by etcd's own hash. */
async function proveEtcd(servers: readonly string[]): Promise<void> {
  const ask = (server: string, path: string, body = "{}") =>
    onNode(
      server,
      `sudo sh -c 'cd /var/lib/rancher/rke2/server/tls/etcd && curl -sSf --cacert server-ca.crt --cert server-client.crt --key server-client.key -d '"'"'${body}'"'"' https://127.0.0.1:2382${path}'`,
    ).then((said) => JSON.parse(said));
  const [first = ""] = servers;
  const { members } = await ask(first, "/v3/cluster/member/list");
  assert.equal(members.length, servers.length, "etcd's members");
  assert.ok(!members.some((member: { isLearner?: boolean }) => member.isLearner), "a learner is left");
  const { header } = await ask(first, "/v3/maintenance/status");
  const hashes = await Promise.all(
    servers.map((server) => ask(server, "/v3/maintenance/hashkv", `{"revision":"${header.revision}"}`)),
  );
  const seen = hashes.map(({ hash, header: { cluster_id } }) => `${cluster_id}/${hash}`);
  assert.equal(new Set(seen).size, 1, `etcd's members differ: ${seen.join(", ")}`);
}
