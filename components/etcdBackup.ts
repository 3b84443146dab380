import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";

/** Inputs of {@link EtcdBackup}; where it goes and for whom it reads from the stack's config. */
export interface EtcdBackupInputs {
  readonly accepted: pulumi.Input<string>;
  readonly changeId: pulumi.Input<string>;
}

/**
 * An etcd snapshot taken just before the first server, streamed off its node through age into the backup directory,
 * with the server's token in a file of its own: without the token a restore to new hosts cannot be read.
 * Never replaced and never deleted. While the change is under way newer ones join it (backupTimer.ts); each file's name
 * says whose data it holds, since going back a minor takes one from before the first server.
 */
export class EtcdBackup extends pulumi.dynamic.Resource {
  declare readonly file: pulumi.Output<string>;

  constructor(name: string, inputs: EtcdBackupInputs, opts?: pulumi.CustomResourceOptions) {
    super(
      currentCode("components/etcdBackupProvider"),
      name,
      { ...inputs, file: undefined },
      opts,
      "rke2",
      "EtcdBackup",
    );
  }
}
