/**
 * The GPU node in a version bump (procedure §3.3.4): its GPU is not offered after, then NVIDIA's policy is not ready, then the job
 * that uses the GPU fails; each is a stop at that node alone, and the run goes on once it is mended. One story in order.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { AGENTS, areWell, NEW, SERVERS, upWell } from "../e2e/back";
import { versions } from "../e2e/history";
import { configure, kubectl, ok, up } from "../e2e/operator";

const NODE = "proj-k8sw04";
/** Nothing of it is run: the rehearsal's containers are simulated, and end as the command `true` or `false` would. */
const IMAGE = "rehearsal/simulated-gpu-job:1.0";
const JOB = "rke2-upgrade-gpu-cr-2026-041-3007";

interface Pod {
  metadata: { name: string; ownerReferences?: { name: string }[] };
  spec: { nodeName?: string };
  status: { phase: string; startTime?: string };
}
interface Event {
  reason: string;
  involvedObject: { kind: string; name: string };
  message: string;
  metadata: { creationTimestamp: string };
}

/** What the cluster itself told of a Job and its pods, by reason. */
async function told(reason: string): Promise<Event[]> {
  const { items } = await kubectl<{ items: Event[] }>("-n", "default", "get", "events");
  return items.filter((event) => event.reason === reason && event.involvedObject.name.startsWith(JOB));
}

/** The pods of the job that holds the GPU all day. */
async function training(): Promise<Pod[]> {
  const { items } = await kubectl<{ items: Pod[] }>("-n", "research", "get", "pods");
  return items.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ name }) => name === "galaxy-classifier"),
  );
}

async function node(): Promise<{ unschedulable: boolean; mark: string }> {
  const { spec, metadata } = await kubectl<{
    spec: { unschedulable?: boolean };
    metadata: { annotations: Record<string, string> };
  }>("get", "node", NODE);
  return {
    unschedulable: spec.unschedulable === true,
    mark: metadata.annotations["rke2-upgrade/working"] ?? "",
  };
}

/** `up` stops with these words; the node is then still drained, and in its turn. */
async function stopsWith(words: RegExp): Promise<void> {
  const { code, output } = await up();
  assert.notEqual(code, 0, output);
  assert.match(output, words);
  assert.deepEqual(await node(), { unschedulable: true, mark: "CR-2026-041" });
  assert.ok((await training()).every(({ spec }) => spec.nodeName === undefined));
}

describe("the GPU node of an upgrade", function () {
  this.timeout(15 * 60_000);
  this.bail(true);

  before(async () => {
    await upWell();
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "limits.gpuSeconds": "30",
      "limits.podsSeconds": "30",
      "restoreTest.enabled": "false",
      "gpuTest.image": IMAGE,
      "gpuTest.command[0]": "/bin/false",
      "gpuTest.timeoutSeconds": "60",
      rke2Version: NEW,
    });
    await setFault(["gpu-lost", NODE, "on"]);
  });

  it("stops there where its GPU is offered no more, every other node upgraded", async () => {
    assert.equal((await training())[0]?.spec.nodeName, NODE);
    await stopsWith(
      /proj-k8sm01: gpu-after: after 30 s: nvidia\.com\/gpu allocatable on proj-k8sw04 is 0, wanted 1\n\s*next: .*its kernel, \d.*§4\.2 "GPU/,
    );
    const now = await versions();
    assert.deepEqual(
      [...SERVERS, ...AGENTS].map((name) => now[name]),
      [...SERVERS, ...AGENTS].map(() => NEW),
    );
  });

  it("stops where NVIDIA's ClusterPolicy is not ready", async () => {
    await setFault(["gpu-lost", NODE, "off"]);
    await setFault(["cluster-policy", "on"]);
    await stopsWith(/after 30 s: ClusterPolicy cluster-policy is notReady, wanted ready\n\s*next: /);
    assert.deepEqual(await told("SuccessfulCreate"), []);
  });

  it("stops where the job that uses the GPU fails, and tells why", async () => {
    await setFault(["cluster-policy", "off"]);
    await stopsWith(
      /job default\/rke2-upgrade-gpu-cr-2026-041-3007 did not complete within 60 s: Failed BackoffLimitExceeded.*; exit code: 1; its log ends: .*\n\s*next: kubectl -n default describe job/,
    );
  });

  it("goes on to the end once the job completes", async () => {
    await configure({ "gpuTest.command[0]": "/bin/true" });
    const { output } = await upWell();
    assert.match(output, /used a GPU|running job default\/rke2-upgrade-gpu/);
    await areWell(() => NEW);
  });

  it("ran the job on that node to its end, and left none of it", async () => {
    const completed = await told("Completed");
    assert.equal(completed.length, 1);
    const placed = await told("Scheduled");
    assert.equal(placed.length, 2);
    for (const { message } of placed) assert.match(message, new RegExp(`to ${NODE}$`));
    const left = await ok("kubectl", "-n", "default", "get", "jobs,pods", "--output=name");
    assert.doesNotMatch(left, new RegExp(JOB));
  });

  it("has what used the GPU before run there again, from the uncordon on", async () => {
    const pods = await training();
    const [running] = pods.filter(({ spec, status }) => spec.nodeName === NODE && status.phase === "Running");
    assert.ok(running?.status.startTime, JSON.stringify(pods));
    // It has a place from the uncordon on, and the job had ended by then.
    const [done] = await told("Completed");
    assert.ok(done && Date.parse(done.metadata.creationTimestamp) <= Date.parse(running.status.startTime));
  });
});
