import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "../components/currentCode";

/** Inputs of {@link VmSnapshot}. */
export interface VmSnapshotInputs {
  /** The snapshot's name: from the accepted version and the change, so that it is never replaced. */
  readonly name: string;
  readonly vmId: number;
  /** The version that the VM must still run; its guest is asked by the gate before. */
  readonly acceptedVersion: string;
  readonly description: string;
  /** The change's UUID: with it a server is held again before another is taken in place of one that is gone. */
  readonly owner?: pulumi.Input<string>;
}

/**
 * A VM's snapshot in Proxmox VE, which the vendor's provider does not have. Use with `retainOnDelete`: only acceptance
 * deletes it. A moved VM or another description changes nothing.
 */
export class VmSnapshot extends pulumi.dynamic.Resource {
  /** The task that made it; empty where Proxmox VE no longer knows. */
  declare readonly upid: pulumi.Output<string>;

  constructor(name: string, inputs: VmSnapshotInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("proxmox/vmSnapshotProvider"),
      name,
      { ...inputs, upid: undefined },
      opts,
      "rke2",
      "VmSnapshot",
    );
  }
}
