import { dueAfterMs, duration } from "../config";
import { takeEtcdBackup } from "./etcdBackupFile";
import { ageMs, isFromFuture, isOlderThan, newestBackup } from "./etcdBackups";
import { engineLives, operatorLog } from "./operatorLog";
import { providerContext } from "./providerConfig";

/** How often it is asked whether a backup is due: often against the objective, whose unit is a minute. */
const LOOK_MS = 5_000;

let started = false;
let tookMs = 0;

/**
 * Keeps the recovery point objective through the whole run: whenever the newest etcd snapshot off its node has become
 * too old, the next one is taken, beside whatever step is at work. Dynamic providers of one run share one process, so this
 * starts once, with the preflight, a turn's gate or the operators'; it ends with that process, or where the engine was killed
 * and left it behind. Single nodes are mended beside it, but the whole cluster does not go back beside it. The first one of a
 * change is EtcdBackup's: before it nothing is changed. A failure is told and tried again, and stops nothing.
 */
export function keepBackedUp(): void {
  if (started) return;
  started = true;
  next(LOOK_MS);
}

function next(afterMs: number): void {
  setTimeout(async () => {
    if (await engineLives()) next(await look());
  }, afterMs).unref();
}

/** @returns after how many milliseconds to look again */
async function look(): Promise<number> {
  const { settings } = providerContext();
  const rpoMs = settings.objectives.rpoMinutes * 60_000;
  const newest = await newestBackup(settings);
  if (!newest || !isOlderThan(newest, dueAfterMs(settings, tookMs))) return LOOK_MS;
  const began = performance.now();
  try {
    const { file, version, server } = await takeEtcdBackup(providerContext());
    tookMs = performance.now() - began;
    await operatorLog.info(`etcd snapshot of ${server} off the node: ${file} (data of ${version})`);
    return LOOK_MS;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const age = ageMs(newest);
    const old = isFromFuture(newest) ? "of a time to come" : `${duration(Math.round(age / 1000))} old`;
    await operatorLog.warn(
      `the newest etcd snapshot is ${old}, at most ${settings.objectives.rpoMinutes} min are wanted${age > rpoMs ? ": the objective is missed" : ""}. ${reason}\n  next: it is tried again by itself; the upgrade goes on`,
    );
    return Math.max(LOOK_MS, rpoMs / 20);
  }
}
