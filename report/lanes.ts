/** Which row of the report's timeline a resource belongs to, by its name. Pure. */

/** Steps of a node's own turn; its snapshot and its release files come before. */
const TURN =
  /^(.*)-(turn-gate|gate-cluster|gate-node|gpu-before|cordon|drain|patch|reboot|backup-config|install|restart|verify-node|scan-turn|verify-cluster|gpu-after|uncordon)$/;

/** The node whose turn it is part of. */
export const turnOf = (name: string): string | undefined =>
  name.includes("-back-") ? undefined : TURN.exec(name)?.[1];

const AROUND: readonly (readonly [RegExp, string])[] = [
  [/^settled(-|$)|-verify$|-scan-accept$|^(accept|release)$/, "Acceptance"],
  [/(^|-)(back-\w+|wake|member-remove|vm-rollback|place-snapshot|verify-back|recovered)$/, "Going back"],
  [/(^|-)(preflight|scan-before)(-join)?$/, "Preflight"],
  [/-fetch-artifacts$/, "Artifacts"],
  [
    /(^|-)(restore-point|leader-away|vm-snapshot|release-hold|check-health|restore-test|etcd-backup|rancher-backup)$/,
    "The way back",
  ],
  [/^charts/, "Charts settle"],
  [/(^|-)(wave-\d+-end|canary-soak)$/, "Between waves"],
  [/(^|-)(validate|smoke-test|scan-after)(-join)?$/, "Validation"],
  [/^manifest/, "Manifest"],
];

/** The row: a node's name for its turn, else what it is part of. */
export const laneOfStep = (name: string): string =>
  turnOf(name) ?? AROUND.find(([pattern]) => pattern.test(name))?.[1] ?? "Around";

/** Whether a step is part of a node's own turn, by its phase in the plan. */
export const isTurn = ({ phase }: { readonly phase: string }): boolean =>
  ["servers", "agents", "back-servers", "back-agents"].includes(phase);

/** Whether a step only asks: where it fails, the run was held before it touched anything. */
export const isGate = (id: string): boolean => /(^|-)(preflight|turn-gate|gate-cluster|gate-node)$/.test(id);
