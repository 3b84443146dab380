import { type ClusterNode, restoreTestNode, type Settings } from "../../config";
import type { Finding } from "../finding";
import type { Look } from "../look";
import type { HostFacts } from "../proxmox";
import { rightsQuestion } from "../proxmoxRights";
import { type Question, unmeasured } from "../unmeasured";
import { fellowQuestions } from "./fellows";
import { snapshotQuestion } from "./snapshot";

export const QUORUM: Question = { check: "proxmox: quorum", wanted: "quorate" };
export const PLACEMENT: Question = {
  check: "proxmox: servers on different hosts",
  wanted: "each on its own",
};
/** Which storages there are, a host must say: until then it is one question. */
const SPACE: Question = { check: "proxmox: room for snapshots", wanted: "room on each storage" };

export const vmQuestion = ({ name, vmId }: ClusterNode): Question => ({
  check: `proxmox: VM ${vmId} (${name})`,
  wanted: "running, unlocked, can be snapshotted",
});

export const restoreTestQuestion = (settings: Settings): Question => ({
  check: `proxmox: the restore test of VM ${restoreTestNode(settings).vmId}`,
  wanted: "its guest agent on, memory for a second one of it",
});

/** What Proxmox VE is asked before a run. */
export const hostQuestions = (settings: Settings): Question[] => [
  rightsQuestion(settings),
  QUORUM,
  ...(settings.servers.length > 1 ? [PLACEMENT] : []),
  ...fellowQuestions(settings),
  ...settings.nodes.map(vmQuestion),
  ...(settings.restoreTest.enabled ? [restoreTestQuestion(settings)] : []),
  SPACE,
];

/** What it is asked before one node's turn. */
export const turnHostQuestions = (settings: Settings, node: ClusterNode): Question[] => [
  rightsQuestion(settings),
  QUORUM,
  ...(settings.servers.length > 1 ? [PLACEMENT] : []),
  ...fellowQuestions(settings, node.name),
  vmQuestion(node),
  SPACE,
  snapshotQuestion(settings, node),
];

/** What could not be asked since another finding stands before it. */
export const unmeasuredHosts = (questions: readonly Question[], { check, next = "" }: Finding): Finding[] =>
  unmeasured(questions, `see "${check}"`, next);

/** What Proxmox VE said, or that it did not answer: then by each name. */
export function judgeHosts(
  settings: Settings,
  looked: Look<HostFacts>,
  questions: readonly Question[],
): readonly Finding[] {
  if ("value" in looked) return looked.value.findings;
  const silent: Finding = {
    check: "proxmox: the API answers",
    found: looked.missing,
    wanted: "an answer",
    verdict: "not measured",
    next: `curl ${settings.proxmox.endpoint}/api2/json/version; the token's rights: docs/proxmox.md`,
  };
  return [silent, ...unmeasuredHosts(questions, silent)];
}
