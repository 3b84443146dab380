/** A status in words: said once, for the terminal and for the page. Pure. */
import { duration } from "../../config";
import type { Status } from "./status";

type Api = Status["api"][number];
type Node = Status["nodes"][number];

/** `4 min 10 s of about 6 min`; what is over its time says so. */
export function ofAbout(elapsed: number | undefined, expected: number): string {
  // A forecast of many minutes has no seconds.
  const about = duration(expected > 600 ? Math.ceil(expected / 60) * 60 : expected);
  if (elapsed === undefined) return `about ${about}`;
  return `${duration(elapsed)} of about ${about}${elapsed > expected && expected > 0 ? ", longer" : ""}`;
}

/** A node's own turn. */
export const turn = ({ state, elapsedSeconds, expectedSeconds }: Node): string =>
  state === "done"
    ? elapsedSeconds === undefined
      ? "done before this run"
      : `took ${duration(elapsedSeconds)}`
    : ofAbout(elapsedSeconds, expectedSeconds);

/** What a target answers now. */
export const answer = ({ ms, error }: Api): string =>
  ms === undefined ? `no good answer: ${error ?? "not asked yet"}` : `${ms} ms`;

/** By the API server's own check. */
export const etcd = ({ etcd }: Api): string => (etcd === undefined ? "not measured" : etcd ? "ok" : "fails");

export const longestGap = (value: number | undefined): string =>
  value === undefined ? "not measured" : value === 0 ? "none" : `${value} s`;

/** A clock that has been set back counts as no age. */
export function snapshot({ ifItFails: { snapshotAgeSeconds: age, objectiveSeconds } }: Status): string {
  const objective = `the objective is ${duration(objectiveSeconds)}`;
  if (age === undefined) return `no etcd snapshot off its node yet; ${objective}`;
  const late = age > objectiveSeconds ? ", older than it should be" : "";
  return `the latest etcd snapshot is ${duration(Math.max(0, age))} old${late}; ${objective}`;
}

export const windowLeft = ({ ifItFails: { windowMinutesLeft: left, window } }: Status): string =>
  left === undefined ? window : `${left} min left`;

export function pods({ podsNotRunning: found, podsMissing }: Status): string {
  if (found === undefined) return `not measured: ${podsMissing ?? "not asked yet"}`;
  return found.length === 0 ? "none" : `${found.length}: ${found.join(", ")}`;
}
