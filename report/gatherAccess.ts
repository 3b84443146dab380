/** Collects who had access in a change's time, from the nodes and from Proxmox VE. */
import type { SecretKey, Settings } from "../config";
import { lookAtAccess } from "../observe/access";
import { atMost } from "../observe/atMost";
import { type Look, look } from "../observe/look";
import { lookAtTasks } from "../observe/tasks";
import { type Collected, joinAccess, restOf, spanOf } from "./access";
import type { Access } from "./accessSchema";
import type { Evidence } from "./evidenceSchema";
import { type StackChoice, stackSecret } from "./pulumi";

/** As many nodes at once as every other look takes. */
const AT_ONCE = 8;

/** All that is known now; undefined where the change has not run. What does not answer is told with its reason. */
export async function gatherAccess(
  choice: StackChoice,
  settings: Settings,
  evidence: Evidence,
  before: Access | undefined,
): Promise<Access | undefined> {
  const span = spanOf(evidence, new Date());
  if (!span) return undefined;
  const [sshPrivateKey, token] = await Promise.all([
    secret(choice, "sshPrivateKey"),
    secret(choice, "proxmoxTokenSecret"),
  ]);
  const due = settings.nodes.flatMap((node) => {
    const rest = restOf(before, node.name, span);
    return rest ? [{ node, rest }] : [];
  });
  const [nodes, tasks] = await Promise.all([
    atMost(AT_ONCE, due, async ({ node, rest }) => {
      const seen =
        "missing" in sshPrivateKey
          ? sshPrivateKey
          : await look(() => lookAtAccess(node, sshPrivateKey.value, rest));
      return [node.name, seen] as const;
    }),
    "missing" in token ? token : look(() => lookAtTasks(settings, token.value, span)),
  ]);
  const hosts: Collected["hosts"] =
    "value" in tasks
      ? tasks.value
      : new Map([...hostsOf(before, settings)].map((name) => [name, tasks] as const));
  const vmIds = new Map(settings.nodes.map(({ name, vmId }) => [name, vmId] as const));
  const collected = { nodes: new Map(nodes), hosts, ownUser: settings.proxmox.tokenId, vmIds };
  return joinAccess(before, evidence.changeId, span, collected);
}

/** Where nobody can say which hosts there are: those of before, else the API's own address. */
const hostsOf = (before: Access | undefined, { proxmox }: Settings): readonly string[] =>
  before?.hosts.length ? before.hosts.map(({ name }) => name) : [proxmox.endpoint];

const secret = (choice: StackChoice, key: SecretKey): Promise<Look<string>> =>
  look(async () => {
    const value = await stackSecret(key, choice);
    if (value === undefined) throw new Error(`pulumi config get does not give ${key}`);
    return value;
  });
