/** What may go wrong or will be felt, each with what is done about it and where it is from. Pure. */
import {
  etcdCrossing,
  hasTurn,
  isChanging,
  parseVersion,
  restoreTestNode,
  type Settings,
  settingsWarnings,
} from "../config";
import type { Seen } from "../observe/seen";
import type { PlanRecord } from "./planSchema";

type Risk = PlanRecord["risks"][number];

/** Every risk that follows from config and findings. Nothing is estimated here: figures are those of their sources. */
export function risksOf(settings: Settings, findings: Seen["findings"]): Risk[] {
  return [
    ...findings
      .filter(({ verdict }) => verdict !== "pass")
      .map(({ check, found, verdict, next }) => ({
        risk: `${check}: ${found}`,
        answer: next ?? "see the finding",
        source: `finding: ${verdict}`,
      })),
    ...settingsWarnings(settings).map(({ path, text }) => ({
      risk: text,
      answer: "told in every preview; nothing stops for it",
      source: `config: ${path}`,
    })),
    ...(settings.goBack ? [] : ofUpgrade(settings)),
  ];
}

function ofUpgrade(settings: Settings): Risk[] {
  const { servers, agents, drain, rke2Version, acceptedVersion } = settings;
  if (!isChanging(settings)) return [];
  const away = servers.filter((node) => hasTurn(settings, node)).length;
  const [from, to] = [parseVersion(acceptedVersion), parseVersion(rke2Version)];
  const minorMoves = from && to && (from.minor !== to.minor || etcdCrossing(from, to) !== "same");
  return [
    ...(away > 0
      ? [
          {
            risk: `each server's API is away while it restarts (${away} of them, one at a time)`,
            answer:
              "the others serve meanwhile; how long the virtual IP was away is not measured before the run",
            source: "procedure §4.1",
          },
        ]
      : []),
    ...(agents.length > 0
      ? [
          {
            risk: `pods of each agent are evicted once, with ${drain.graceSeconds} s of grace at most (GPU: ${drain.gpuGraceSeconds} s)`,
            answer:
              "budgets are honoured; what a drain would hurt is asked before, and stops the run without consent",
            source: "procedure §3.3.2, §3.3.4",
          },
        ]
      : []),
    ...(minorMoves
      ? [
          {
            risk: "going back takes the etcd snapshot: what was written to the cluster after it is lost",
            answer: `one is taken at least every ${settings.objectives.rpoMinutes} min, off its node and encrypted`,
            source: "procedure §6.2; RKE2: no downgrade in place over a minor",
          },
        ]
      : []),
    settings.restoreTest.enabled
      ? {
          risk: "a snapshot that cannot be restored",
          answer: `${restoreTestNode(settings).name}'s is restored in VM ${settings.restoreTest.vmId} before the first server`,
          source: "procedure §6.1",
        }
      : {
          risk: "no snapshot is proven to be restorable: restoreTest.enabled is false",
          answer: "set it to true",
          source: "procedure §6.1",
        },
  ];
}
