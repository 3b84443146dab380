import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";

/** Inputs of {@link RancherBackup}; what is exported, where it goes and for whom it reads from the stack's config. */
export interface RancherBackupInputs {
  readonly changeId: pulumi.Input<string>;
  /** `rke2Version`. */
  readonly wanted: pulumi.Input<string>;
  /** The version of Rancher that is wanted; empty where it is left alone. */
  readonly rancherVersion: pulumi.Input<string>;
}

/**
 * Rancher's configuration (procedure §6.1): what rancher-backup exports, streamed off its volume through age into the backup
 * directory. Made once for each thing that a change asks for, before it, by the run that asks for it, and anew where that run
 * has stopped before Rancher moved, or before any node was touched, and the export has grown old; never deleted.
 */
export class RancherBackup extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: RancherBackupInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/rancherBackupProvider"),
      name,
      { ...inputs },
      opts,
      "rke2",
      "RancherBackup",
    );
  }
}
