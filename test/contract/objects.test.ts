/** The listing scripts against a real API server, with its own kubectl. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareCensus, parseCensus } from "../../observe/census";
import { parseWritten } from "../../observe/written";
import { until } from "../../rehearsal/machines/poll";
import { type BareScript, bareText } from "../../scripts";
import { built, KubernetesApi } from "./kubernetesApi";

describe("scripts/lib-objects.sh on a real API server", function () {
  this.timeout(300_000);
  const api = new KubernetesApi();
  const own = (name: string) => join(api.directory, name);
  const began = new Date();
  before(async () => {
    await api.start();
    mkdirSync(own("rke2/bin"), { recursive: true });
    const kubectl = join(built().kubernetes, "kubectl");
    assert.ok(existsSync(kubectl), kubectl);
    symlinkSync(kubectl, own("rke2/bin/kubectl"));
    writeFileSync(own("kubeconfig.yaml"), api.kubeconfig());
    // A server that is ready goes on for a moment to make objects of its own.
    let last = "";
    await until("the server to make no more objects", 60, async () => {
      const { kinds } = census();
      const [before, priorities] = [last, kinds["PriorityClass.scheduling.k8s.io"]?.count];
      last = JSON.stringify(kinds);
      return priorities === 2 && last === before;
    });
  });
  after(() => api.stop());

  /** Runs a script as on a server, whose places are here. */
  function run(script: BareScript): string {
    const { port } = new URL(JSON.parse(api.kubeconfig()).clusters[0].cluster.server);
    const input = bareText(script)
      .replace("RKE2_DATA=/var/lib/rancher/rke2", `RKE2_DATA=${own("rke2")}`)
      .replace("KUBECONFIG_FILE=/etc/rancher/rke2/rke2.yaml", `KUBECONFIG_FILE=${own("kubeconfig.yaml")}`)
      .replaceAll(":6443", `:${port}`);
    return execFileSync("bash", ["-s", "--", script], { input, encoding: "utf8" });
  }
  const census = () => parseCensus(run("look-census"), new Date());

  it("counts what nobody owns, tells any change of what is held, and prints no value", async () => {
    const { core } = api.client();
    const secret = (name: string, value: string, owner?: string) => ({
      metadata: {
        name,
        ownerReferences: owner ? [{ apiVersion: "v1", kind: "Secret", name: "a", uid: owner }] : undefined,
      },
      stringData: { key: value },
    });
    const namespace = "default";
    const { metadata } = await core.createNamespacedSecret({ namespace, body: secret("a", "sup3r\nsecret") });
    await core.createNamespacedSecret({ namespace, body: secret("owned", "x", metadata?.uid) });
    const before = census();
    assert.equal(before.kinds.Secret?.count, 1);
    assert.ok((before.kinds.Namespace?.count ?? 0) >= 4);
    assert.equal(before.kinds["PriorityClass.scheduling.k8s.io"]?.count, 2);
    assert.match(before.kinds.Secret?.content ?? "", /^[0-9a-f]{64}$/);
    assert.equal(before.kinds["Deployment.apps"]?.count, 0);
    assert.ok(!("Event" in before.kinds) && !("Lease.coordination.k8s.io" in before.kinds));
    assert.deepEqual(compareCensus(before, census()).differing, []);
    const text = run("look-census");
    for (const never of ["sup3r", Buffer.from("sup3r\nsecret").toString("base64")])
      assert.ok(!text.includes(never), never);

    await core.replaceNamespacedSecret({ namespace, name: "a", body: secret("a", "other") });
    assert.deepEqual(
      compareCensus(before, census()).differing.map(({ kind }) => kind),
      ["Secret"],
    );
  });

  it("lists what was written since, by the same rule", () => {
    const { created } = parseWritten(run("look-written"), began);
    assert.ok(created.includes("Secret default/a"), String(created));
    assert.ok(!created.includes("Secret default/owned"));
  });
});
