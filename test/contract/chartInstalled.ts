import { packChart } from "../../rehearsal/charts/packed";
import type { KubernetesApi } from "./kubernetesApi";
import { ProviderUnderTest } from "./providerUnderTest";
import { binary } from "./toolchain";

/** A release of one of the rehearsal's charts, in a namespace that is made with it. */
export interface Installed {
  readonly name: Parameters<typeof packChart>[0];
  readonly namespace: string;
  readonly version: string;
}

/**
 * Installs a chart as Pulumi's Release does; no workload is waited for, since nothing runs one.
 * @param folder where the chart is packed
 * @returns the plugin, which the caller stops
 */
export async function installChart(
  api: KubernetesApi,
  { name, namespace, version }: Installed,
  folder: string,
): Promise<ProviderUnderTest> {
  const plugin = await ProviderUnderTest.start(binary("KUBERNETES_PLUGIN", "pulumi-resource-kubernetes"));
  await plugin.configure({ kubeconfig: api.kubeconfig() });
  const release = "kubernetes:helm.sh/v3:Release";
  const { inputs } = await plugin.check(release, {
    ...{ name, namespace, chart: packChart(name, version, folder) },
    ...{ createNamespace: true, skipAwait: true },
  });
  await plugin.create(release, inputs);
  return plugin;
}
