import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDirectory } from "../machines/paths";
import { until } from "../machines/poll";
import type { Fault } from "./fault";
import { required } from "./fault";
import { Kubectl } from "./kubectl";
import { STRANGER } from "./rke2Faults";
import { readState } from "./state";

const kubectl = async () => new Kubectl(await readState());

/** What kubectl does beside applying and deleting the objects. */
interface Beside {
  /** After they were applied. */
  readonly on?: readonly string[];
  /** Before they are deleted; they may be gone. */
  readonly off?: readonly string[];
}

/** A fault that consists of objects in the cluster: those of rehearsal/faults/NAME.yaml. */
function objects(name: string, effect: string, beside: Beside = {}): Fault {
  const manifest = () => readFile(join(projectDirectory, "rehearsal", "faults", `${name}.yaml`), "utf8");
  return {
    usage: name,
    effect,
    async set(on) {
      const client = await kubectl();
      const text = await manifest();
      if (on) {
        // An object of a kind that has just been declared is known a moment later.
        await until(`the objects of ${name}`, 15, () => client.apply(text).then(() => true));
        if (beside.on) await client.run(beside.on);
        return;
      }
      if (beside.off) await client.run(beside.off).catch(() => {});
      // Asked again and again: among other faults an API server may just have lost its etcd. An unknown kind is gone.
      const gone = async () => {
        const request = ["delete", "--filename=-", "--ignore-not-found", "--wait=false"];
        await client.run(request, text).catch(() => {});
        return !(await isThere(client, text));
      };
      await until(`the objects of ${name} to go`, 90, gone, 1000);
    },
    active: async () => ((await isThere(await kubectl(), await manifest()).catch(() => false)) ? [name] : []),
  };
}

const HELD = ["pod", "fault-terminating", "--namespace=research"];

/** As external-attacher writes a driver's error. */
const ATTACH_ERROR = {
  time: "2026-01-01T00:00:00Z",
  message: "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
};

async function isThere(client: Kubectl, manifest: string): Promise<boolean> {
  // A kind that the cluster does not know has no objects.
  const listed = await client
    .run(["get", "--filename=-", "--ignore-not-found", "--output=name"], manifest)
    .catch((error: Error) => {
      if (/no matches for kind|have a resource type/.test(error.message)) return "";
      throw error;
    });
  return listed.trim() !== "";
}

const cordoned: Fault = {
  usage: "cordoned <node>",
  effect: "somebody has cordoned that node",
  async set(on, node) {
    await (await kubectl()).run([on ? "cordon" : "uncordon", required(node, this.usage)]);
  },
  async active() {
    const output = "--output=jsonpath={.items[?(@.spec.unschedulable==true)].metadata.name}";
    const names = (await (await kubectl()).run(["get", "nodes", output]).catch(() => "")).split(" ");
    return names.filter(Boolean).map((name) => `cordoned ${name}`);
  },
};

const LEASE = ["lease", "rke2-upgrade", "--namespace=kube-system"];

const heldByAnother: Fault = {
  usage: "held-by-another",
  effect: "another change holds the cluster (refused where a change does so already)",
  async set(on) {
    const client = await kubectl();
    const isOurs = (await this.active()).length > 0;
    if (on === isOurs) return;
    // A change's own Lease is neither overwritten nor deleted.
    if (!on) return void (await client.run(["delete", ...LEASE]));
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "rke2-upgrade", namespace: "kube-system" },
      spec: { holderIdentity: STRANGER, acquireTime: "2026-01-01T00:00:00.000000Z" },
    };
    await client.run(["create", "--filename=-"], JSON.stringify(lease));
  },
  async active() {
    const output = "--output=jsonpath={.spec.holderIdentity}";
    const holder = await (await kubectl())
      .run(["get", ...LEASE, "--ignore-not-found", output])
      .catch(() => "");
    return holder === STRANGER ? ["held-by-another"] : [];
  },
};

const POLICY = ["clusterpolicies.nvidia.com", "cluster-policy"];

/** Nobody reconciles it here: what is set stays. */
const clusterPolicy: Fault = {
  usage: "cluster-policy",
  effect: "NVIDIA's ClusterPolicy says notReady",
  async set(on) {
    const patch = JSON.stringify({ status: { state: on ? "notReady" : "ready" } });
    await (await kubectl()).run([
      "patch",
      ...POLICY,
      "--subresource=status",
      "--type=merge",
      `--patch=${patch}`,
    ]);
  },
  async active() {
    const state = await (await kubectl())
      .run(["get", ...POLICY, "--output=jsonpath={.status.state}"])
      .catch(() => "");
    return state === "notReady" ? ["cluster-policy"] : [];
  },
};

/** Faults that are objects in the cluster, by name. */
export const objectFaults: Readonly<Record<string, Fault>> = {
  cordoned,
  "pending-csr": objects("pending-csr", "somebody waits for a certificate to be approved"),
  "pod-crashloops": objects("pod-crashloops", "a pod of research ends as soon as it has begun"),
  "pod-pending": objects("pod-pending", "a pod of research asks for more than any node has"),
  "pod-terminating": objects("pod-terminating", "a deleted pod of research is held by a finalizer", {
    on: ["delete", ...HELD, "--wait=false"],
    off: ["patch", ...HELD, "--type=merge", '--patch={"metadata":{"finalizers":null}}'],
  }),
  "pod-failed": objects("pod-failed", "a job of research has failed for good"),
  "helm-job-fails": objects("helm-job-fails", "one of RKE2's helm-install jobs fails again and again"),
  "agents-full": objects("agents-full", "the agents are so full that none can take another's pods"),
  "one-an-agent": objects("one-an-agent", "each agent has a pod that may share none with its like"),
  "server-full": objects("server-full", "a pod leaves proj-k8sm02 with less than 30 % free"),
  "second-budget": objects("second-budget", "the pods of research/observations have two budgets"),
  "upgrade-plan": objects("upgrade-plan", "Rancher's system-upgrade-controller has a Plan for the servers"),
  "drain-hurts": objects("drain-hurts", "pods on agents that a drain would hurt, each in its own way"),
  "components-old": objects(
    "components-old",
    "a GPU operator, a cert-manager and an ingress-nginx that are not known to go with the next minor",
  ),
  "budget-unmet": objects("budget-unmet", "a budget of research lacks the pod that it demands"),
  "unknown-node": objects(
    "unknown-node",
    "the cluster has a node proj-k8sw09 that is not in nodes, and down",
  ),
  "volume-degraded": objects("volume-degraded", "a volume of Longhorn lacks a replica"),
  "volume-unattached": objects("volume-unattached", "a volume cannot be attached to proj-k8sw01", {
    on: [
      ...["patch", "volumeattachment", "fault-archive", "--subresource=status", "--type=merge"],
      `--patch=${JSON.stringify({ status: { attached: false, attachError: ATTACH_ERROR } })}`,
    ],
  }),
  "held-by-another": heldByAnother,
  "cluster-policy": clusterPolicy,
};
