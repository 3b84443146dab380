/** Rancher on the lab as a helm release, with rancher-backup beside it; the lab runs the first without helm, the other not. */
import { join } from "node:path";
import { packChart } from "../../rehearsal/charts/packed";
import { projectDirectory } from "../../rehearsal/machines/paths";
import { configure, kubectl, ok, run } from "./operator";

/** As their makers publish them: 2.14 refuses Kubernetes 1.36, 2.15 takes it and the one before. */
export const OLD_RANCHER = "2.14.3";
export const NEW_RANCHER = "2.15.1";

/** Where rancher-backup's volume is. */
export const KEEPER = "proj-k8sm03";

/** What the stack's state says of Rancher's export. */
export interface Export {
  readonly file: string;
  readonly restore: string;
  readonly sha256: string;
  readonly version: string;
}

/** Takes Rancher's Deployment away, so that a release can come in its place, and installs rancher-backup. */
export async function makeRancher(): Promise<void> {
  await ok("kubectl", "-n", "cattle-system", "delete", "deployment", "rancher", "--wait");
  const manifest = join(projectDirectory, "rehearsal", "rancher-backup", "operator.yaml");
  const kinds = ["backups", "restores", "resourcesets"].map((kind) => `crd/${kind}.resources.cattle.io`);
  // Objects of a kind that has just been declared are known a moment later.
  await run(["kubectl", "apply", "--filename", manifest]);
  await ok("kubectl", "wait", "--for=condition=Established", "--timeout=60s", ...kinds);
  await ok("kubectl", "apply", "--filename", manifest);
  await ok(
    ...["kubectl", "-n", "cattle-resources-system", "rollout", "status", "deployment/rancher-backup"],
    "--timeout=120s",
  );
  await configure({ "rancher.backup.enabled": "true", "rancher.backup.timeoutSeconds": "60" });
}

/** Asks for a version of Rancher, by a chart that is packed into a folder. */
export const askForRancher = (version: string, folder: string): Promise<void> =>
  configure({
    rancherVersion: version,
    "rancher.chart": packChart(
      "rancher",
      version,
      folder,
      version === OLD_RANCHER ? "< 1.36.0-0" : "< 1.37.0-0",
    ),
  });

/** The image that its pods run, how many are ready, and the version that its setting says. */
export async function rancherRuns(): Promise<[string | undefined, number, string]> {
  const { spec, status } = await kubectl<{
    spec: { template: { spec: { containers: { image: string }[] } } };
    status: { availableReplicas?: number };
  }>("-n", "cattle-system", "get", "deployment", "rancher");
  const setting = await kubectl<{ value: string }>("get", "settings.management.cattle.io", "server-version");
  return [spec.template.spec.containers[0]?.image, status.availableReplicas ?? 0, setting.value];
}

/** What `rancherRuns` says of a version that serves. */
export const rancherAt = (version: string): [string, number, string] => [
  `rancher/rancher:v${version}`,
  3,
  `v${version}`,
];

/** The export that the stack's state holds. */
export async function exported(): Promise<Export | undefined> {
  const { deployment } = JSON.parse(await ok("pulumi", "stack", "export")) as {
    deployment: { resources: { type: string; outputs?: Export }[] };
  };
  return deployment.resources.find(({ type }) => type.endsWith("rke2:RancherBackup"))?.outputs;
}
