import type { V1Pod } from "@kubernetes/client-node";
import { COMPONENTS, type Component } from "../config";
import { nameOf } from "./facts";

/** A component that runs in the cluster. */
export interface Installed {
  readonly component: Component;
  readonly namespace: string;
  /** As its image's tag, else its chart's label, says; undefined where neither does. */
  readonly version?: string;
}

/** Their images, whatever registry they come from. What RKE2 brings itself it also upgrades itself. */
const IMAGES: Readonly<Record<Component, RegExp>> = {
  rancher: /(^|\/)rancher\/rancher(:|@|$)/,
  "gpu-operator": /(^|\/)nvidia\/gpu-operator(:|@|$)/,
  "cert-manager": /(^|\/)cert-manager-controller(:|@|$)/,
  traefik: /(^|\/)traefik(:|@|$)/,
  "ingress-nginx": /(^|\/)ingress-nginx\/controller(:|@|$)/,
};

/** Labels that their charts give to pods; a mirrored image may be named anything. */
const NAME = "app.kubernetes.io/name";
const VERSION = "app.kubernetes.io/version";

/** The components that run, one entry for each version of each; none of RKE2's own. Pure. */
export function installed(pods: readonly V1Pod[]): Installed[] {
  const found = new Map<string, Installed>();
  for (const pod of pods) {
    if (pod.metadata?.namespace === "kube-system" || nameOf(pod).startsWith("helm-install-")) continue;
    for (const component of COMPONENTS) {
      const one = identify(component, pod);
      if (one) found.set(`${component} ${one.namespace} ${one.version}`, one);
    }
  }
  return [...found.values()];
}

function identify(component: Component, pod: V1Pod): Installed | undefined {
  const labels = pod.metadata?.labels ?? {};
  const image = pod.spec?.containers
    .map((container) => container.image ?? "")
    .find((name) => IMAGES[component].test(name));
  const main = labels["app.kubernetes.io/component"] ?? "controller";
  if (image === undefined && !(labels[NAME] === component && main === "controller")) return undefined;
  const tag = image && /:v?(\d+\.\d+[^@]*)(@|$)/.exec(image)?.[1];
  const version = tag ?? labels[VERSION]?.replace(/^v/, "");
  return {
    component,
    namespace: pod.metadata?.namespace ?? "",
    version: version && /^\d+\.\d+/.test(version) ? version : undefined,
  };
}
