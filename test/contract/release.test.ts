import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { AppsV1Api, KubeConfig } from "@kubernetes/client-node";
import { parseReleases } from "../../observe/releases";
import { packChart, packRepository } from "../../rehearsal/charts/packed";
import { KubernetesApi } from "./kubernetesApi";
import { type Properties, ProviderUnderTest } from "./providerUnderTest";
import { PulumiProject } from "./pulumiProject";
import { binary } from "./toolchain";

const release = "kubernetes:helm.sh/v3:Release";
const [OLD, NEW] = ["v1.21.1", "v1.21.2"];

/** Adopts the release as the program does; its hook, which nobody would run, is left out. */
const ADOPTS = `
import * as k8s from "@pulumi/kubernetes";
import { readFileSync } from "node:fs";
const cluster = new k8s.Provider("cluster", { kubeconfig: readFileSync("kubeconfig", "utf8") });
const version = process.env.VERSION;
new k8s.helm.v3.Release(
  "adopted",
  {
    ...{ name: "adopted", namespace: "adopted", chart: \`cert-manager-\${version}.tgz\`, version, timeout: 300 },
    values: { replicaCount: 1 },
    ...(process.env.MOVES && { disableCRDHooks: true, skipAwait: true }),
  },
  { provider: cluster, import: "adopted/adopted", retainOnDelete: true },
);
`;

async function up(project: PulumiProject, version: string | undefined, moves = false) {
  Object.assign(project.variables, { VERSION: version, MOVES: moves ? "true" : "" });
  return project.pulumi("up", "--yes", "--skip-preview", "--color=never");
}

/**
 * What the program relies on in a Helm release of version 4.34.2 of the Kubernetes plugin, on a real API server. No
 * controller runs there: what waits for workloads is left to the lab, but for where it must give up.
 */
describe("Kubernetes plugin: a Helm release", function () {
  this.timeout(30_000);

  const api = new KubernetesApi();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contract-charts-"));
  const home = path.join(folder, "helm");
  let plugin: ProviderUnderTest;
  let repository: http.Server;

  before(async function () {
    // The first run may build Kubernetes and the toolchain.
    this.timeout(30 * 60_000);
    await api.start();
    packRepository("cert-manager", [OLD, NEW], folder);
    repository = http.createServer((request, response) => {
      fs.createReadStream(path.join(folder, path.basename(request.url ?? "")))
        .on("error", () => response.writeHead(404).end())
        .pipe(response);
    });
    await new Promise<void>((resolve) => repository.listen(0, "127.0.0.1", resolve));
    plugin = await ProviderUnderTest.start(binary("KUBERNETES_PLUGIN", "pulumi-resource-kubernetes"), {
      HELM_CACHE_HOME: home,
      HELM_CONFIG_HOME: home,
      HELM_DATA_HOME: home,
    });
    await plugin.configure({ kubeconfig: api.kubeconfig() });
  });

  after(async () => {
    await plugin?.stop();
    repository?.close();
    await api.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Inputs as Check completes them, of an archive where nothing else is said. */
  async function checked(name: string, changes: Properties = {}, version = OLD): Promise<Properties> {
    const { inputs, failures } = await plugin.check(release, {
      name,
      namespace: name,
      chart: path.join(folder, `cert-manager-${version}.tgz`),
      createNamespace: true,
      skipAwait: true,
      ...changes,
    });
    assert.deepEqual(failures, []);
    return inputs;
  }

  const deployment = async (namespace: string) => {
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig());
    return config.makeApiClient(AppsV1Api).readNamespacedDeployment({ name: "cert-manager", namespace });
  };

  /** helm's own record of the last revision, by its Secret, as look-releases.sh prints it. */
  async function live(name: string) {
    const { items } = await api
      .client()
      .core.listNamespacedSecret({ namespace: name, labelSelector: `owner=helm,name=${name}` });
    const rows = items.map(({ metadata, data }) => ({
      revision: Number(metadata?.labels?.version),
      line: [
        `${name}/${name}`,
        metadata?.labels?.version,
        metadata?.labels?.status,
        Buffer.from(data?.release ?? "", "base64").toString(),
      ].join("\t"),
    }));
    const last = rows.sort((a, b) => b.revision - a.revision)[0]?.line ?? "";
    return parseReleases(last).get(`${name}/${name}`);
  }

  it("is checked: the timeout is 300 s where it waits, the version that of the chart", async () => {
    const inputs = await checked("checked", { skipAwait: false });
    assert.deepEqual([inputs.timeout, inputs.version], [300, OLD]);
  });

  it("refuses a chart that is not there, before anything is made", async () => {
    const { failures } = await plugin.check(release, {
      name: "gone",
      namespace: "gone",
      chart: "/no/such/chart",
    });
    assert.match(failures.join(), /\/no\/such\/chart.*check the chart name and repository configuration/s);
  });

  it("finds a chart's exact version in a repository", async () => {
    const { port } = repository.address() as { port: number };
    const repositoryOpts = { repo: `http://127.0.0.1:${port}` };
    const asked = { name: "repo", namespace: "repo", chart: "cert-manager", repositoryOpts };
    const found = await plugin.check(release, { ...asked, version: NEW });
    assert.deepEqual([found.failures, found.inputs.version], [[], NEW]);
    const missing = await plugin.check(release, { ...asked, version: "v9.9.9" });
    assert.match(missing.failures.join(), /v9\.9\.9/);
  });

  it("is installed, upgraded, read and uninstalled", async () => {
    const inputs = await checked("life");
    const { id, state } = await plugin.create(release, inputs);
    assert.equal(id, "life/life");
    const { labels, annotations } = (await deployment("life")).metadata ?? {};
    assert.equal(labels?.["app.kubernetes.io/version"], OLD);
    assert.equal(annotations?.["meta.helm.sh/release-name"], "life");
    assert.deepEqual(state.status, {
      ...{ name: "life", namespace: "life", chart: "cert-manager", version: OLD },
      ...{ appVersion: OLD, revision: 1, status: "deployed" },
    });
    const changed = await checked("life", { disableCRDHooks: true, values: { replicaCount: 2 } }, NEW);
    const after = await plugin.update(release, state, changed);
    assert.equal((await deployment("life")).spec?.replicas, 2);
    assert.deepEqual(await live("life"), {
      revision: 2,
      status: "deployed",
      chart: "cert-manager",
      version: NEW,
    });
    assert.equal((await plugin.read(release, id, after, changed)).id, id);
    await plugin.delete(release, id, after);
    await assert.rejects(deployment("life"), /404/);
    assert.equal((await plugin.read(release, id, after, changed)).id, "");
  });

  it("makes nothing in a preview, where its status is not known", async () => {
    const { id } = await plugin.create(release, await checked("preview"), true);
    assert.equal(id, "");
    assert.equal(await live("preview"), undefined);
  });

  it("refuses a name that is in use, whoever installed it", async () => {
    const inputs = await checked("used");
    await plugin.create(release, inputs);
    await assert.rejects(plugin.create(release, inputs), /cannot re-use a name that is still in use/);
  });

  it("is imported by namespace/name with its values, its chart where the program's folder has it", async () => {
    const values = { replicaCount: 3 };
    await plugin.create(release, await checked("import", { values }));
    const local = `cert-manager-${OLD}.tgz`;
    packChart("cert-manager", OLD, process.cwd());
    try {
      const { id, inputs } = await plugin.read(release, "import/import", {}, {});
      assert.equal(id, "import/import");
      assert.deepEqual(inputs, {
        ...{ name: "import", namespace: "import", chart: local, version: OLD, values, timeout: 300 },
      });
      // What the program asks for where it adopts, completed: nothing differs.
      const asked = await plugin.check(release, {
        ...{ name: "import", namespace: "import", chart: local, version: OLD, values, timeout: 300 },
      });
      assert.equal((await plugin.diff(release, inputs, asked.inputs)).changes, false);
    } finally {
      fs.rmSync(local);
    }
  });

  it("is updated in place by version and values, and made anew under another name or in another namespace", async () => {
    const before = await checked("diff");
    const changed = await checked("diff", { values: { replicaCount: 2 } }, NEW);
    assert.deepEqual(await plugin.diff(release, before, changed), {
      ...{ changes: true, replaces: [], deleteBeforeReplace: false },
    });
    const moved = await plugin.diff(release, before, { ...before, namespace: "elsewhere" });
    assert.deepEqual(moved.replaces, ["namespace"]);
  });

  it("says why an upgrade failed, leaves the revision failed and goes on from there", async () => {
    const inputs = await checked("hook");
    const { state } = await plugin.create(release, inputs);
    // Nobody runs the hook's Job here.
    const changed = await checked("hook", { timeout: 2 }, NEW);
    await assert.rejects(
      plugin.update(release, state, changed),
      /Helm release "hook\/hook" failed to initialize completely.*pre-upgrade hooks failed/s,
    );
    assert.equal((await live("hook"))?.status, "failed");
    await plugin.update(release, state, { ...changed, disableCRDHooks: true });
    const { status, revision } = (await live("hook")) ?? {};
    assert.deepEqual([status, revision], ["deployed", 3]);
  });

  it("is adopted by the engine, untouched where nothing differs, else upgraded at once; later it is no import any more", async function () {
    this.timeout(120_000);
    const values = { replicaCount: 1 };
    await plugin.create(release, await checked("adopted", { values }));
    const project = new PulumiProject(ADOPTS);
    try {
      for (const version of [OLD, NEW]) packChart("cert-manager", version, project.directory);
      project.write("kubeconfig", api.kubeconfig());
      await project.pulumi("stack", "init", "test");
      const same = await up(project, OLD);
      assert.equal(same.code, 0, same.output);
      assert.match(same.output, /1 imported/);
      assert.equal((await live("adopted"))?.revision, 1);
      const moved = await up(project, NEW, true);
      assert.equal(moved.code, 0, moved.output);
      const { version, revision } = (await live("adopted")) ?? {};
      assert.deepEqual([version, revision], [NEW, 2]);
      // Gone from the state, not from the cluster, as after a way back; now with another version at once.
      await project.pulumi("destroy", "--yes", "--skip-preview");
      const again = await up(project, OLD, true);
      assert.equal(again.code, 0, again.output);
      const back = (await live("adopted")) ?? {};
      assert.deepEqual(back, { revision: 3, status: "deployed", chart: "cert-manager", version: OLD });
    } finally {
      project.remove();
    }
  });

  it("keeps an install that did not become ready in time, with its failure", async () => {
    await assert.rejects(
      plugin.create(release, await checked("slow", { skipAwait: false, timeout: 2 })),
      /Helm release "slow\/slow" was created, but failed to initialize completely/,
    );
    assert.equal((await live("slow"))?.status, "failed");
  });
});
