import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./currentCode";
import type { RestoreTestInputs } from "./restoreTestProvider";

/**
 * The proof that the way back can be used (procedure §6.1, §5.1): a server's VM snapshot is cloned and booted with its
 * network cable out, an etcd snapshot is restored in it, and the clone is destroyed. One operation, not a VM that is a
 * resource: whatever happens, nothing of it is to stay. What was found are its outputs; where it fails the run stops.
 */
export class RestoreTest extends pulumi.dynamic.Resource {
  constructor(
    name: string,
    inputs: { [K in keyof RestoreTestInputs]: pulumi.Input<RestoreTestInputs[K]> },
    opts?: pulumi.CustomResourceOptions,
  ) {
    super(currentCode("components/restoreTestProvider"), name, { ...inputs }, opts, "rke2", "RestoreTest");
  }
}
