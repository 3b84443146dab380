/** The validated config of a stack, as the rest of the program reads it. docs/config.md explains every key. */
import type { Operator } from "./operatorsSchema";
import type { Rancher } from "./rancher";
import type { ParsedSettings } from "./schema";

/** One machine of the cluster, with the user and port that it inherits from `ssh` where it has none of its own. */
export type ClusterNode = Omit<ParsedSettings["nodes"][number], "user" | "port" | "internalIp"> & {
  readonly user: string;
  readonly port: number;
  /** Its InternalIP in Kubernetes, at which servers join and etcd's members know one another: `address` unless given. */
  readonly internalIp: string;
};

/** The stack's config, validated, defaults filled in. Holds no secret. */
export type Settings = Omit<ParsedSettings, "nodes" | "agents" | "operators" | "rancher"> & {
  /** All nodes in the order of the config. */
  readonly nodes: readonly ClusterNode[];
  /** The servers, in the order in which they are upgraded. At least one. */
  readonly servers: readonly ClusterNode[];
  /** The agents, in the order in which they are upgraded. May be empty. */
  readonly agents: readonly ClusterNode[];
  /** The key `agents`: how many of them go at once, and which first (waves.ts). */
  readonly waves: ParsedSettings["agents"];
  /** The Helm releases that go with the change, in order; where `rancherVersion` is set Rancher is the first (rancher.ts). */
  readonly operators: readonly Operator[];
  readonly rancher: Rancher;
};

/** Limits of time and age; each key's name ends in its unit. */
export type Limits = Settings["limits"];

/** How to go back, while that is asked for. */
export type GoBack = NonNullable<Settings["goBack"]>;
