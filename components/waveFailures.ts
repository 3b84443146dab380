import type { Failures } from "./waveRun";

/** What has failed in this run: its turns and their waves' ends share one process, which ends with the run. */
export const failuresOfThisRun: Failures = new Map();
