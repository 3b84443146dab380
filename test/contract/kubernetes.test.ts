import * as assert from "node:assert/strict";
import { until } from "../../rehearsal/machines/poll";
import { KubernetesApi } from "./kubernetesApi";
import { type Properties, ProviderUnderTest, unknown } from "./providerUnderTest";
import { freePort } from "./sshServer";
import { binary } from "./toolchain";

const configMap = "kubernetes:core/v1:ConfigMap";
const job = "kubernetes:batch/v1:Job";

/**
 * What the program relies on in version 4.34.2 of the Kubernetes plugin, on a real API server. KUBERNETES_PLUGIN names
 * the binary to test, by default the stand-in.
 */
describe("Kubernetes plugin", function () {
  this.timeout(20_000);

  const api = new KubernetesApi();
  let plugin: ProviderUnderTest;
  const plugins: ProviderUnderTest[] = [];

  before(async function () {
    // The first run may build Kubernetes and the toolchain.
    this.timeout(30 * 60_000);
    await api.start();
    plugin = await configured({ kubeconfig: api.kubeconfig() });
  });

  after(async () => {
    await Promise.all(plugins.map((started) => started.stop()));
    await api.stop();
  });

  async function configured(settings: Properties): Promise<ProviderUnderTest> {
    const started = await ProviderUnderTest.start(binary("KUBERNETES_PLUGIN", "pulumi-resource-kubernetes"));
    plugins.push(started);
    await started.configure(settings);
    return started;
  }

  /** Inputs as Check completes them. */
  async function checked(type: string, inputs: Properties): Promise<Properties> {
    return (await plugin.check(type, inputs)).inputs;
  }

  const manifest = (name: string, data: Record<string, string>) =>
    checked(configMap, { metadata: { name, namespace: "default" }, data });

  const smokeTest = (name: string, annotations: Record<string, string> = {}) =>
    checked(job, {
      metadata: { name, namespace: "default", annotations },
      spec: {
        template: { spec: { restartPolicy: "Never", containers: [{ name: "test", image: "busybox" }] } },
      },
    });

  /** Does to a Job what the Job controller would do. */
  async function finish(name: string, condition: { type: string; reason?: string; message?: string }) {
    const { batch } = api.client();
    const finished = await batch.readNamespacedJob({ name, namespace: "default" });
    const now = new Date();
    const conditions =
      condition.type === "Complete"
        ? [{ type: "SuccessCriteriaMet", status: "True", lastTransitionTime: now }]
        : [{ type: "FailureTarget", status: "True", lastTransitionTime: now }];
    finished.status = {
      startTime: now,
      ...(condition.type === "Complete" && { completionTime: now, succeeded: 1 }),
      conditions: [...conditions, { ...condition, status: "True", lastTransitionTime: now }],
    };
    await batch.replaceNamespacedJobStatus({ name, namespace: "default", body: finished });
  }

  const shown = (message: RegExp) => async () =>
    plugin.log.some((line) => line.status && message.test(line.message));

  describe("check", () => {
    it("names what has no name, by its resource's, and puts it into the kubeconfig's namespace", async () => {
      const { metadata } = await checked(configMap, { data: {} });
      const { name, namespace, annotations } = metadata as Record<string, unknown>;
      assert.match(String(name), /^step-[0-9a-f]{8}$/);
      assert.deepEqual([namespace, annotations], ["default", { "pulumi.com/autonamed": "true" }]);
    });

    it("keeps that name in later runs", async () => {
      const first = await checked(configMap, { data: {} });
      const { inputs } = await plugin.check(configMap, { data: { a: "1" } }, first);
      assert.deepEqual(inputs.metadata, first.metadata);
    });

    it("refuses a type that it does not cover", async () => {
      await assert.rejects(
        plugin.check("kubernetes:apps/v1:Deployment", {}),
        /kubernetes:apps\/v1:Deployment/,
      );
    });
  });

  describe("a ConfigMap", () => {
    it("is made, read, changed and deleted", async () => {
      const { core } = api.client();
      const inputs = await manifest("life", { version: "1" });
      const { id, state } = await plugin.create(configMap, inputs);
      assert.equal(id, "default/life");
      const changed = await manifest("life", { version: "2" });
      await plugin.update(configMap, state, changed);
      assert.deepEqual((await core.readNamespacedConfigMap({ name: "life", namespace: "default" })).data, {
        version: "2",
      });
      const read = await plugin.read(configMap, id, state, inputs);
      assert.deepEqual(read.inputs.data, { version: "2" });
      await plugin.delete(configMap, id, state);
      assert.equal((await plugin.read(configMap, id, state, inputs)).id, "");
      await plugin.delete(configMap, id, state);
    });

    it("is replaced when its data change, and deleted first since its name is fixed", async () => {
      const diff = await plugin.diff(
        configMap,
        await manifest("fixed", { a: "1" }),
        await manifest("fixed", { a: "2" }),
      );
      assert.deepEqual(diff, { changes: true, replaces: ["data.a"], deleteBeforeReplace: true });
    });

    it("is not taken over when it exists already, unless the provider is told to", async () => {
      const inputs = await manifest("found", { a: "1" });
      const { state } = await plugin.create(configMap, inputs);
      await assert.rejects(
        plugin.create(configMap, inputs),
        /^Error: resource default\/found was not successfully created by the Kubernetes API server.*already exists/,
      );
      const upserting = await configured({
        kubeconfig: api.kubeconfig(),
        upsertExistingObjects: "true",
        enablePatchForce: "true",
      });
      assert.equal((await upserting.create(configMap, inputs)).id, "default/found");
      await plugin.delete(configMap, "default/found", state);
    });

    it("is only tried out in a preview", async () => {
      const { id, state } = await plugin.create(configMap, await manifest("tried", { a: "1" }), true);
      assert.deepEqual([id, state.data], ["", { a: "1" }]);
      const inputs = await manifest("tried", { a: unknown });
      assert.deepEqual((await plugin.create(configMap, inputs, true)).state.data, { a: unknown });
      assert.equal((await plugin.read(configMap, "default/tried", {}, {})).id, "");
    });
  });

  describe("a Job", () => {
    it("is waited for until it is complete", async () => {
      const created = plugin.create(job, await smokeTest("completes"));
      await until("the plugin to wait for it", 10, shown(/^\[1\/2\] Waiting for Job "completes" to start$/));
      await finish("completes", { type: "Complete" });
      assert.equal((await created).id, "default/completes");
    });

    it("fails when it fails, with the reason", async () => {
      const created = plugin.create(job, await smokeTest("fails"));
      const failed = assert.rejects(created, {
        message: "Resource 'fails' was created but failed to initialize",
      });
      await until("the plugin to wait for it", 10, shown(/Waiting for Job "fails"/));
      await finish("fails", { type: "Failed", reason: "BackoffLimitExceeded", message: "too often" });
      await failed;
    });

    it("times out when it does not end", async () => {
      await assert.rejects(plugin.create(job, await smokeTest("hangs"), false, 1), {
        message: "'hangs' timed out waiting to be Ready",
      });
    });

    it("is not waited for when it says so", async () => {
      const inputs = await smokeTest("skips", { "pulumi.com/skipAwait": "true" });
      assert.equal((await plugin.create(job, inputs)).id, "default/skips");
    });

    it("is replaced when its template changes", async () => {
      const inputs = await smokeTest("template");
      const changed = structuredClone(inputs);
      Object.assign((changed.spec as { template: { spec: object } }).template.spec, {
        restartPolicy: "OnFailure",
      });
      const diff = await plugin.diff(job, inputs, changed);
      assert.deepEqual(diff.replaces, ["spec.template.spec.restartPolicy"]);
    });

    it("is replaced when it has not completed and asks for that", async () => {
      const inputs = await smokeTest("hangs", { "pulumi.com/replaceUnready": "true" });
      const diff = await plugin.diff(job, inputs, inputs);
      assert.deepEqual(diff.replaces, ['.metadata.annotations["pulumi.com/replaceUnready"]']);
    });
  });

  describe("a cluster out of reach", () => {
    let cut: ProviderUnderTest;

    before(async () => {
      const kubeconfig = api.kubeconfig().replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${await freePort()}`);
      cut = await configured({ kubeconfig });
    });

    it("does not stop a preview", async () => {
      const inputs = await manifest("planned", { a: "1" });
      assert.deepEqual((await cut.create(configMap, inputs, true)).state.data, { a: "1" });
    });

    it("fails what needs it, and says why", async () => {
      const inputs = await manifest("planned", { a: "1" });
      await assert.rejects(
        cut.create(configMap, inputs),
        /configured Kubernetes cluster is unreachable: .*connection refused/,
      );
      await assert.rejects(cut.read(configMap, "default/planned", {}, {}), /due to unreachable cluster/);
      await assert.rejects(cut.delete(configMap, "default/planned", inputs), /PULUMI_K8S_DELETE_UNREACHABLE/);
    });
  });
});
