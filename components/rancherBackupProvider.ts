import type * as pulumi from "@pulumi/pulumi";
import { isChanging } from "../config";
import { lookAtRancher } from "../observe";
import { nothingTouched } from "./nothingTouched";
import { configure, type ProviderContext, providerContext } from "./providerConfig";
import { type TakenRancherBackup, takeRancherBackup } from "./rancherBackupFile";

interface Inputs {
  readonly changeId: string;
  readonly wanted: string;
  readonly rancherVersion: string;
}

type Outs = Inputs & TakenRancherBackup;

/** What the provider goes by, so that it can be tried without a cluster. */
interface World {
  context(): ProviderContext;
  /** What Rancher's server says that it is; undefined where none has run yet. @throws where no server answers */
  running(context: ProviderContext): Promise<string | undefined>;
  take(context: ProviderContext): Promise<TakenRancherBackup>;
  nothingTouched: typeof nothingTouched;
}

/** {@link provider}, before a cluster of one's own. */
export function providerBefore(world: World): pulumi.dynamic.ResourceProvider<Inputs, Outs> {
  /**
   * Whether the export is no way back any more: the run that took it stopped before Rancher moved, and going back to it would
   * lose what was changed in Rancher since. Once Rancher has moved there is no newer one; nor is there where it goes back,
   * its data being half put back perhaps. Where Rancher stays as it is, the nodes are what moves: as with their snapshots
   * there is no newer one once any is touched.
   */
  const isStale = async ({ rancherVersion }: Inputs, { takenAt, version }: Outs): Promise<boolean> => {
    const context = world.context();
    const { settings } = context;
    const { limits, rancher, acceptedVersion: accepted, changeId } = settings;
    const fresh = Date.now() - Date.parse(takenAt) <= limits.snapshotMaxAgeHours * 3_600_000;
    if (!version || fresh || rancher.restore !== undefined) return false;
    const stays = !rancherVersion || version === `v${rancherVersion}`;
    if (stays && !(isChanging(settings) && (await world.nothingTouched(context, { accepted, changeId }))))
      return false;
    return (await world.running(context)) === version;
  };
  return {
    configure,
    async diff(_id, olds, news) {
      // A file that somebody put elsewhere is still one.
      const replaces = (["changeId", "wanted", "rancherVersion"] as const).filter(
        (field) => olds[field] !== news[field],
      );
      if (replaces.length > 0) return { changes: true, replaces };
      // Where nobody answers, the update asks again, and stops with that.
      return { changes: await isStale(news, olds).catch(() => true) };
    },
    async create(inputs) {
      const taken = await world.take(world.context());
      return { id: taken.file || "none", outs: { ...inputs, ...taken } };
    },
    async update(_id, olds, news) {
      const taken = (await isStale(news, olds)) ? await world.take(world.context()) : {};
      return { outs: { ...olds, ...news, ...taken } };
    },
  };
}

/** The provider behind {@link RancherBackup}. It has no delete: an export is the operator's to remove. */
export const provider = providerBefore({
  context: providerContext,
  running: async ({ settings, sshPrivateKey }) => (await lookAtRancher(settings, sshPrivateKey)).version,
  take: takeRancherBackup,
  nothingTouched,
});
