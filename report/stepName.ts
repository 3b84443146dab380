/** Which step of a plan a resource is. Pure. */

/** Components that stand in their steps' names before the step's own: `way-back-restore-test`. A node's do not. */
const COMPONENT = /^(artifacts|way-back|charts|validation|settled|recovery)-/;

/**
 * The ID of the step that a resource of this name is; undefined where it is none. By nothing but the whole name: with nodes
 * w1 and gpu-w1, gpu-w1-drain is no step of w1. The version manifest is a ConfigMap.
 */
export function stepOf(name: string, ids: { has(id: string): boolean }): string | undefined {
  return [name, name.replace(COMPONENT, ""), name.replace(/-configmap$/, "")].find((id) => ids.has(id));
}
