import type * as pulumi from "@pulumi/pulumi";
import { nothingTouched } from "./nothingTouched";
import { operatorLog } from "./operatorLog";
import { configure, type ProviderContext, providerContext } from "./providerConfig";
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

type Outs = RestoreTestInputs & RestoreFinding;

/** What the provider goes by, so that it can be tried without a cluster. */
interface World {
  context(): ProviderContext;
  nothingTouched: typeof nothingTouched;
  test: typeof testRestore;
}

/** {@link provider}, before a cluster of one's own. */
export function providerBefore(world: World): pulumi.dynamic.ResourceProvider<RestoreTestInputs, Outs> {
  async function run(inputs: RestoreTestInputs): Promise<RestoreFinding> {
    // A change that goes back before it was tested: what its snapshots are worth is being found out.
    if (world.context().settings.goBack)
      return { result: "not run", why: "the change goes back", clone: "", evidence: {}, seconds: 0 };
    const found = await world.test(world.context(), inputs);
    if (found.result === "passed") await operatorLog.info(`restore test passed: ${found.why}`);
    else await operatorLog.warn(`restore test not run: ${found.why}`);
    return found;
  }
  return {
    configure,
    async diff(_id, olds, news) {
      if (world.context().settings.goBack) return { changes: false };
      const fields = ["enabled", "node", "accepted", "changeId"] as const;
      if (fields.some((field) => olds[field] !== news[field])) return { changes: true };
      // What kept it from being run may have been mended since.
      const open = news.enabled && olds.result !== "passed";
      return { changes: open && (await world.nothingTouched(world.context(), news)) };
    },
    async create(inputs) {
      return { id: `restore-test-${inputs.changeId}`, outs: { ...inputs, ...(await run(inputs)) } };
    },
    async update(_id, olds, news) {
      // It is asked for before the first node is touched alone: after, what was found stays.
      const found = (await world.nothingTouched(world.context(), news)) ? await run(news) : {};
      return { outs: { ...olds, ...news, ...found } };
    },
  };
}

/** The provider behind {@link RestoreTest}. A test that passed is not run again in the same change. */
export const provider = providerBefore({ context: providerContext, nothingTouched, test: testRestore });
