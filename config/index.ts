/** The stack's config, typed and validated, and the policy that follows from it alone. */

export { loadSettings, type Secrets } from "./load";
export * from "./mistakes";
export { type ParseOptions, parseSettings, type RawConfig } from "./parse";
export { SECRET_KEYS, type SecretKey } from "./schema";
export type { ClusterNode, Limits, Settings } from "./settings";
export * from "./versions";
