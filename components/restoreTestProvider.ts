import type * as pulumi from "@pulumi/pulumi";
import { operatorLog } from "./operatorLog";
import { configure, providerContext } from "./providerConfig";
import { type RestoreFinding, testRestore } from "./restoreTestRun";

export interface RestoreTestInputs {
  readonly enabled: boolean;
  /** The server whose snapshot is tested. */
  readonly node: string;
  readonly accepted: string;
  readonly changeId: string;
  /** UUID of the change's state: what marks the test VM as ours. */
  readonly owner: string;
}

/** The provider behind {@link RestoreTest}. A test that passed is not run again in the same change. */
export const provider: pulumi.dynamic.ResourceProvider<
  RestoreTestInputs,
  RestoreTestInputs & RestoreFinding
> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    const fields = ["enabled", "node", "accepted", "changeId"] as const;
    return { changes: fields.some((field) => olds[field] !== news[field]) };
  },
  async create(inputs) {
    return { id: `restore-test-${inputs.changeId}`, outs: { ...inputs, ...(await run(inputs)) } };
  },
  async update(_id, _olds, news) {
    return { outs: { ...news, ...(await run(news)) } };
  },
  async delete() {},
};

async function run(inputs: RestoreTestInputs): Promise<RestoreFinding> {
  const found = await testRestore(providerContext(), inputs);
  if (found.result === "passed") await operatorLog.info(`restore test passed: ${found.why}`);
  else await operatorLog.warn(`restore test not run: ${found.why}`);
  return found;
}
