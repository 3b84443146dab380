import * as pulumi from "@pulumi/pulumi";
import type { ChangeInputs, ChangeState } from "./changePolicy";
import { currentCode } from "./currentCode";

/**
 * The change itself: first in every chain. Refuses illegal moves in preview and in up, and freezes who made the
 * change, from which version, and how often its direction was changed.
 */
export class Change extends pulumi.dynamic.Resource {
  declare readonly attempt: pulumi.Output<ChangeState["attempt"]>;
  declare readonly from: pulumi.Output<ChangeState["from"]>;
  declare readonly mode: pulumi.Output<ChangeState["mode"]>;
  declare readonly movedUnder: pulumi.Output<ChangeState["movedUnder"]>;
  declare readonly owner: pulumi.Output<ChangeState["owner"]>;

  constructor(name: string, inputs: ChangeInputs, opts?: pulumi.CustomResourceOptions) {
    const frozen = {
      attempt: undefined,
      from: undefined,
      mode: undefined,
      movedUnder: undefined,
      owner: undefined,
    };
    super(currentCode("components/changeProvider"), name, { ...inputs, ...frozen }, opts, "rke2", "Change");
  }
}
