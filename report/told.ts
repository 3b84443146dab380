/** What was told, as evidence; and what GLPI's inventory is still to be told. Pure. */

import type { Telling } from "../notify/log";
import { plainText } from "../notify/plainText";
import type { Evidence } from "./evidenceSchema";
import type { ReportRecord } from "./reportSchema";

type Told = NonNullable<Evidence["notifications"]>[number];

/** Field by field: texts and files that went along stay in the log. */
export const toldOfLog = (tellings: readonly Telling[]): Told[] =>
  tellings.map(({ channel, message, outcome, tries, endedAt, detail }) => ({
    at: message.at,
    channel,
    kind: message.kind,
    node: message.node,
    subject: message.subject,
    to: message.to,
    outcome,
    tries,
    endedAt,
    detail,
  }));

/** The versions that were proven and that no message before has for the inventory; undefined where there are none. */
export function inventoryOwed(
  { nodes }: Pick<ReportRecord, "nodes">,
  tellings: readonly Telling[],
): Record<string, string> | undefined {
  const proven = nodes.filter(({ after }) => after !== "not measured");
  const versions = Object.fromEntries(proven.map(({ name, after }) => [name, after]));
  const last = tellings.filter(({ message }) => message.kind === "inventory").at(-1);
  // What GLPI refused, for a Computer that it does not know, is told anew: somebody may have added it.
  const known =
    last?.outcome !== "refused" && JSON.stringify(last?.message.versions) === JSON.stringify(versions);
  return proven.length === 0 || known ? undefined : versions;
}

/** What became of one, in a line: `start by smtp: not delivered, connection refused, 5 tries`. */
export function toldLine({ kind, node, channel, outcome, detail, tries: count }: Told): string {
  const what = `${kind}${node ? ` of ${node}` : ""} by ${channel}: ${outcome}`;
  return plainText([what, ...(detail ? [detail] : []), tries(count)].join(", "));
}

/** How often it was tried, in words. */
export const tries = (count: number): string => (count === 1 ? "1 try" : `${count} tries`);
