import type { Method } from "../method";
import { agentMethods } from "./agent";
import { cloneMethods } from "./clone";
import { clusterMethods } from "./cluster";
import { configMethods } from "./config";
import { nodeMethods } from "./nodes";
import { powerMethods } from "./power";
import { snapshotMethods } from "./snapshots";
import { taskMethods } from "./tasks";
import { vmMethods } from "./vms";

/** Every method that the stand-in answers; any other is answered 501, as an unknown one is by Proxmox VE. */
export const methods: readonly Method[] = [
  ...clusterMethods,
  ...nodeMethods,
  ...taskMethods,
  ...vmMethods,
  ...configMethods,
  ...agentMethods,
  ...powerMethods,
  ...snapshotMethods,
  ...cloneMethods,
];
