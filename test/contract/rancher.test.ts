/**
 * The scripts for Rancher, and the rehearsal's rancher-backup, against a real API with the cluster's own kubectl. No kubelet
 * and no controller run: the test plays them.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRancher } from "../../observe/rancher";
import { bareText, stepText } from "../../scripts";
import { AsOnServer } from "./asOnServer";
import { installChart } from "./chartInstalled";
import { built, KubernetesApi } from "./kubernetesApi";
import type { ProviderUnderTest } from "./providerUnderTest";
import { root } from "./toolchain";

const VERSION = "2.14.3";
const NAMESPACE = "cattle-resources-system";

describe("Rancher's scripts and the rehearsal's rancher-backup", function () {
  this.timeout(60_000);
  const api = new KubernetesApi();
  const folder = mkdtempSync(join(tmpdir(), "contract-rancher-"));
  const volume = join(folder, "volume");
  let server: AsOnServer;
  let plugin: ProviderUnderTest;
  let operator: ChildProcess;
  let file = "";

  const kubectl = (args: string[], input?: string): string =>
    execFileSync(
      join(built().kubernetes, "kubectl"),
      ["--kubeconfig", join(api.directory, "kubeconfig.yaml"), ...args],
      { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] },
    );
  const setting = (name: string) =>
    kubectl(["get", "settings.management.cattle.io", name, "-o", "jsonpath={.value}"]);
  /** @param meanwhile what happens once it has looked and waits */
  const exported = (seconds: string, meanwhile = ":") =>
    server.run(
      bareText("rancher-export").replace("sleep 1\n", `${meanwhile}\nsleep 1\n`),
      "rancher-export",
      "rke2up-cr-1",
      "rancher-resource-set-full",
      seconds,
      "",
    );
  const restored = (seconds: string) =>
    server.step(
      stepText("rancher-restore"),
      ...["rancher-restore", "CR_1", "cattle-system", "rancher", VERSION, file, seconds, ""],
    );

  before(async function () {
    this.timeout(30 * 60_000);
    await api.start();
    server = new AsOnServer(api);
    plugin = await installChart(
      api,
      { name: "rancher", namespace: "cattle-system", version: VERSION },
      folder,
    );
  });

  after(async () => {
    if (operator?.exitCode === null && operator.kill("SIGKILL")) await once(operator, "exit");
    await plugin?.stop();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("see a Rancher without rancher-backup", () => {
    const { code, stdout, stderr } = server.run(
      bareText("look-rancher"),
      "look-rancher",
      "cattle-system",
      "rancher",
    );
    assert.equal(code, 0, stderr);
    const { version, clusters, resourceSets, replicas } = parseRancher(stdout);
    assert.ok(replicas);
    assert.equal(version, `v${VERSION}`);
    assert.deepEqual(
      clusters.map(({ name, called, there }) => `${name} ${called} ${there}`),
      ["c-m-x7z2kq4p telescope true", "local local true"],
    );
    assert.equal(resourceSets, undefined);
    assert.match(exported("1").stderr, /rancher-backup is not installed/);
  });

  it("see rancher-backup once it runs", () => {
    const manifest = join(root, "rehearsal/rancher-backup/operator.yaml");
    // Kinds first: objects of one that has just been declared are known a moment later.
    declareKinds(manifest);
    kubectl(["apply", "-f", manifest]);
    const pod = {
      ...{ apiVersion: "v1", kind: "Pod" },
      metadata: { name: "one", namespace: NAMESPACE, labels: { "app.kubernetes.io/name": "rancher-backup" } },
      spec: {
        nodeName: "proj-k8sm03",
        containers: [{ name: "rancher-backup", image: "rehearsal/rehearsal-rancher-backup:v1" }],
        volumes: [{ name: "pv-storage", persistentVolumeClaim: { claimName: "rancher-backup-1" } }],
      },
    };
    kubectl(["create", "-f", "-"], JSON.stringify(pod));
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    kubectl([
      ...["-n", NAMESPACE, "patch", "pod", "one", "--subresource=status", "--type=merge"],
      ...["-p", JSON.stringify({ status })],
    ]);
    const { stdout } = server.run(bareText("look-rancher"), "look-rancher", "cattle-system", "rancher");
    const { resourceSets, backupPods, backupVolume } = parseRancher(stdout);
    assert.deepEqual([resourceSets?.length, backupPods], [2, 1]);
    assert.deepEqual(backupVolume, { name: "rancher-backup", node: "proj-k8sm03", isFolder: true });
    assert.match(exported("1").stderr, /has not completed .* nobody has looked at it/);
  });

  it("export: what the volume refuses is told in rancher-backup's words, and the same Backup is completed after", () => {
    const { port } = new URL(JSON.parse(api.kubeconfig()).clusters[0].cluster.server);
    writeFileSync(volume, "no folder");
    operator = spawn("bash", [join(root, "rehearsal/rancher-backup/operator.sh")], {
      env: {
        ...{ PATH: process.env.PATH, API: `https://127.0.0.1:${port}`, TOKEN: "contract", FOLDER: volume },
        KUBECTL: join(built().kubernetes, "kubectl"),
      },
      stdio: "ignore",
    });
    const { code, stderr } = exported("8");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /has not completed rke2up-cr-1-2\.14\.3 after 8 s: Reconciling=True .*Ready=Unknown/,
    );
    const uid = () =>
      kubectl(["get", "backups.resources.cattle.io", "rke2up-cr-1-2.14.3", "-o", "jsonpath={.metadata.uid}"]);
    const before = uid();
    // Not before: one that is complete already would be made anew.
    const good = exported("20", `[ ! -f ${volume} ] || mv ${volume} ${volume}.away`);
    assert.equal(good.code, 0, good.stderr);
    assert.equal(uid(), before);
    const [name = "", node, path, version] = good.stdout.trim().split("\t");
    file = name;
    assert.match(file, /^rke2up-cr-1-2\.14\.3-[0-9a-f-]{36}-[-0-9TZ]+\.tar\.gz$/);
    assert.deepEqual(
      [node, path, version],
      ["proj-k8sm03", `/var/lib/rancher-backups/${file}`, `v${VERSION}`],
    );
    const inside = execFileSync("tar", ["-tzf", join(volume, file)], { encoding: "utf8" });
    assert.match(inside, /clusters\.management\.cattle\.io#v3\/c-m-x7z2kq4p\.json/);
    assert.match(inside, /filters\/filters\.json/);
  });

  it("export: another one is another file", () => {
    const { stdout, stderr } = exported("20");
    assert.notEqual(stdout.split("\t")[0], file, stderr);
    assert.ok(existsSync(join(volume, file)));
  });

  it("ready: says that nobody answers /ping", () => {
    const { stderr } = server.step(
      stepText("rancher-ready"),
      ...["rancher-ready", "cattle-system", "rancher", VERSION, "1", "0"],
    );
    assert.match(stderr, /Rancher is not well after 1 s: \/ping: Error from server/);
  });

  it("restore: puts Rancher at rest and its data back, what came since pruned, once", () => {
    const newer = ["patch", "settings.management.cattle.io", "server-version", "--type=merge", "-p"];
    kubectl([...newer, '{"value":"v2.15.1"}']);
    const since = { apiVersion: "management.cattle.io/v3", kind: "Setting", metadata: { name: "since" } };
    kubectl(["create", "-f", "-"], JSON.stringify(since));
    const { code, stderr } = restored("20");
    assert.equal(code, 0, stderr);
    assert.equal(setting("server-version"), `v${VERSION}`);
    assert.equal(setting("server-url"), "https://rancher.radioastronomy.io");
    assert.throws(() => setting("since"), /NotFound/);
    const replicas = [
      "-n",
      "cattle-system",
      "get",
      "deployment",
      "rancher",
      "-o",
      "jsonpath={.spec.replicas}",
    ];
    assert.equal(kubectl(replicas), "0");
    kubectl(["create", "-f", "-"], JSON.stringify(since));
    assert.equal(restored("20").code, 0);
    assert.equal(setting("since"), "", "a rerun puts nothing back");
  });

  /** Declares the manifest's kinds, and waits until they are known. */
  function declareKinds(manifest: string): void {
    try {
      kubectl(["apply", "-f", manifest]);
    } catch {
      // Its objects of those kinds follow.
    }
    const kinds = ["backups", "restores", "resourcesets"].map((kind) => `crd/${kind}.resources.cattle.io`);
    kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...kinds]);
  }
});
