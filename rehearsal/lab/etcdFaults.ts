import { Machine } from "../machines/machine";
import { until } from "../machines/poll";
import { type Fault, required } from "./fault";
import { onNode } from "./onNode";
import { ssh } from "./operator";
import { firstServer } from "./stack";
import { readState } from "./state";

const DB = "/var/lib/rancher/rke2/server/db";
const TLS = "/var/lib/rancher/rke2/server/tls/etcd";
const CONFIG = `${DB}/etcd/config`;

/** etcd PATH BODY: asks the server's own member over its JSON gateway. */
const GATEWAY = `etcd() { for port in 2382 2379; do sudo curl -sf --max-time 10 --cacert ${TLS}/server-ca.crt --cert ${TLS}/server-client.crt --key ${TLS}/server-client.key -d "$2" "https://127.0.0.1:$port$1" && return; done; return 1; }`;
const ask = (path: string, body: string) => `etcd ${path} '${body}'`;
const alarm = (body: string) => `${GATEWAY}; ${ask("/v3/maintenance/alarm", body)}`;

const patiently = (proof: string) => `n=0; until ${proof}; do n=$((n + 1)); test $n -le 90; sleep 1; done`;

/** Ends the member; the kubelet starts it anew with the config that lies there now. */
const RESTART = `old=$(pgrep -x etcd); sudo kill $old; ${patiently(
  'new=$(pgrep -x etcd) && test "$new" != "$old" && curl -s --max-time 2 http://127.0.0.1:2381/health | grep -q health',
)}`;

/** Never so while an alarm is raised. */
const HEALTHY = patiently("curl -sf --max-time 2 http://127.0.0.1:2381/health | grep -q true");

/** What a member has raised meanwhile stays until somebody disarms it. */
const DISARM = `${GATEWAY}; for id in $(${ask("/v3/maintenance/alarm", '{"action":"GET"}')} | grep -o '"memberID":"[0-9]*' | grep -o '[0-9]*$'); do etcd /v3/maintenance/alarm "{\\"action\\":\\"DEACTIVATE\\",\\"memberID\\":\\"$id\\",\\"alarm\\":\\"NOSPACE\\"}" >/dev/null; done`;

/** Peer URLs of the learners that etcd knows, with their IDs, asked on the first server. */
async function learners(): Promise<{ id: string; url: string }[]> {
  const { address } = firstServer((await readState()).stack);
  const said = await ssh(address, `${GATEWAY}; ${ask("/v3/cluster/member/list", "{}")}`, 30);
  const { members } = JSON.parse(said) as {
    members: { ID: string; isLearner?: boolean; peerURLs: string[] }[];
  };
  return members
    .filter(({ isLearner }) => isLearner)
    .map(({ ID, peerURLs }) => ({ id: ID, url: peerURLs[0] ?? "" }));
}

const peerUrl = (address: string) => `https://${address}:2380`;

const learner: Fault = {
  usage: "etcd-learner <agent>",
  effect: "that agent was added to etcd as a learner, and never started",
  async set(on, node) {
    const { stack } = await readState();
    const name = required(node, this.usage);
    const url = peerUrl(stack.nodes.find((one) => one.name === name && one.role === "agent")?.address ?? "");
    if (url === peerUrl(""))
      throw new Error(`no agent is named ${name}. usage: fault ${this.usage} [on|off]`);
    const there = (await learners()).find((one) => one.url === url);
    if (on === (there !== undefined)) return;
    const script = there
      ? ask("/v3/cluster/member/remove", JSON.stringify({ ID: there.id }))
      : ask("/v3/cluster/member/add", JSON.stringify({ peerURLs: [url], isLearner: true }));
    const server = firstServer(stack).address;
    // etcd refuses a new member for five seconds after one of its own was away.
    await until(`etcd to take ${name}`, 30, () => ssh(server, `${GATEWAY}; ${script}`, 30), 1000);
  },
  async active() {
    const urls = (await learners().catch(() => [])).map(({ url }) => url);
    const machines = await Machine.all();
    return machines
      .filter(({ record }) => urls.includes(peerUrl(record.address)))
      .map(({ record }) => `etcd-learner ${record.name}`);
  },
};

/** Faults of etcd, by name. */
export const etcdFaults: Readonly<Record<string, Fault>> = {
  "etcd-alarm": onNode({
    name: "etcd-alarm",
    effect: "etcd's alarm NOSPACE: the cluster is read-only (leases too: nodes are lost after 40 s)",
    on: alarm('{"action":"ACTIVATE","alarm":"NOSPACE"}'),
    off: alarm('{"action":"DEACTIVATE","alarm":"NOSPACE"}'),
    test: `sudo test -d ${DB} && { ${alarm('{"action":"GET"}')}; } | grep -q '"alarm":'`,
  }),
  "etcd-quota": onNode({
    name: "etcd-quota",
    effect: "etcd's database on that server fills three quarters of the quota in its member's config",
    on: `size=$(curl -sf http://127.0.0.1:2381/metrics | awk '$1 == "etcd_mvcc_db_total_size_in_bytes" { printf "%.0f", $2 * 1.35 }'); test -n "$size"; echo "quota-backend-bytes: $size" | sudo tee -a ${CONFIG} >/dev/null; ${RESTART}; ${HEALTHY}`,
    off: `sudo sed -i '/^quota-backend-bytes:/d' ${CONFIG}; ${RESTART}; ${DISARM}; ${HEALTHY}`,
    test: `sudo grep -qs '^quota-backend-bytes:' ${CONFIG}`,
  }),
  "etcd-learner": learner,
};
