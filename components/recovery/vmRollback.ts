import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, snapshotName } from "../../config";
import { withProxmox } from "../../proxmox/connect";
import { ownMark } from "../../proxmox/mark";
import { rollBack } from "../../proxmox/rollback";
import { currentCode } from "../currentCode";
import type { ProviderContext } from "../providerConfig";
import { beganAtOf } from "./record";

/** Inputs of {@link VmRollback}. */
export interface RollbackInputs {
  /** Name of the node. */
  readonly node: pulumi.Input<string>;
  readonly attempt: pulumi.Input<number>;
}

/** A node's VM put back to the change's snapshot and powered on; a server comes up with RKE2 at rest. Once an attempt. */
export class VmRollback extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: RollbackInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/recovery/vmRollbackProvider"),
      name,
      { ...inputs },
      opts,
      "rke2",
      "VmRollback",
    );
  }
}

/** Rolls a node's VM back, once an attempt. @returns which snapshot it went to */
export async function rollBackNode(
  { settings, proxmoxTokenSecret }: ProviderContext,
  node: ClusterNode,
  attempt: number,
): Promise<{ snapshot: string; takenAt: string }> {
  const { acceptedVersion, changeId, limits } = settings;
  const beganAt = await beganAtOf(settings, attempt);
  return withProxmox(settings, proxmoxTokenSecret, async (client) => {
    const wish = {
      vmId: node.vmId,
      name: snapshotName(acceptedVersion, changeId),
      mark: ownMark(acceptedVersion),
      atRest: node.role === "server",
      // Tasks tell whole seconds.
      since: new Date(Math.floor(new Date(beganAt).getTime() / 1000) * 1000),
    };
    const deadline = new Date(Date.now() + limits.snapshotSeconds * 1000);
    const { name, takenAt } = await rollBack(client, wish, deadline);
    return { snapshot: name, takenAt: takenAt.toISOString() };
  });
}
