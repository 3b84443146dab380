/** The stack's config, typed and validated, and the policy that follows from it alone. */
export * from "./compatible";
export { isConsented } from "./consents";
export type { RawConfig } from "./decode";
export {
  type Estimate,
  estimate,
  type Measured,
  type Turn,
  totalSeconds,
  withExpectations,
} from "./durations";
export { type EtcdCrossing, etcdCrossing, etcdOf } from "./etcd";
export {
  backNeedsRestore,
  goingBackTakesEtcd,
  isWholeCluster,
  nodesGoingBack,
  restoresEtcd,
  versionsToGoTo,
} from "./goBackPolicy";
export { loadSettings, type Secrets } from "./load";
export { ConfigError, type Mistake, NAMESPACE } from "./mistakes";
export { SNAPSHOT_PREFIX, snapshotName } from "./names";
export { NOTIFIED, STAKEHOLDERS } from "./notificationSchema";
export {
  describeRpo,
  dueAfterMs,
  type Objective,
  objectiveOf,
  restoreTestNode,
  type Scenario,
} from "./objectives";
export {
  describeMoves,
  describeMovesBack,
  movesOf,
  type OperatorMove,
  type OperatorSeen,
} from "./operatorMoves";
export { gpuOperatorNamespace, isGpuOperator } from "./operatorRules";
export type { Operator } from "./operatorsSchema";
export { giveUpRound, hasTurn, isChanging, isDrained, isPatched, isRound, patchedNodes } from "./osPatch";
export { type ParseOptions, parseSettings } from "./parse";
export { describePlan, duration, PHASES, type Phase, type Step } from "./plan";
export { exportedVersion, judgeRancherMove, type Rancher, type RancherMove } from "./rancher";
export { REMOVALS_KNOWN_TO, type RemovedApi, removedBetween } from "./removedApis";
export { scannerOf } from "./scanSchema";
export { RESTORE_TEST_VM_ID, SECRET_KEYS, SETTING_KEYS, type SecretKey } from "./schema";
export { judgeSecrets, wantedSecrets } from "./secrets";
export type { ClusterNode, GoBack, Limits, Settings } from "./settings";
export { type RunningNode, skewFaults } from "./skew";
export { judgeStable, latestStable, MINORS_BEHIND } from "./stable";
export { type AllowedMove, judgeMove, type RefusedMove } from "./versionPolicy";
export * from "./versions";
export { settingsWarnings, type Warning } from "./warnings";
export { fellowsOf, isSerial, maxUnavailable, type Wave, waveOf, wavesOf } from "./waves";
export {
  describeBackupToGoTo,
  describeLoss,
  describeWaysBack,
  goBackCommands,
  type Situation,
  type WayBackChoice,
  wayBackHint,
  waysBack,
} from "./waysBack";
export { describeWindow, type MaintenanceWindow, nextAfter, openAt, type Span, utc } from "./windows";
