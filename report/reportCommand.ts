/** `npm run change -- report`: gathers evidence, writes the report; with --verify it only checks what was written. */
import { resolve } from "node:path";
import { readLines, tellings } from "../notify/log";
import { headLine, writeRecords } from "./chain";
import { changeDirectory } from "./directory";
import { evidenceOf, joined } from "./evidence";
import type { Evidence } from "./evidenceSchema";
import { programDigest, readAccess, readEvidence, reportedPlan, reportFiles } from "./files";
import { gatherAccess } from "./gatherAccess";
import { notificationsRecord } from "./grown";
import { historyOf } from "./history";
import { readAvailability } from "./live/readAvailability";
import type { StackOptions } from "./planCommand";
import { chosenStack, pulumiJson, type StackChoice } from "./pulumi";
import { reportRecord } from "./report";
import { isOwn, listRuns, lives, readRuns } from "./runFiles";
import { signOffOf } from "./signOff";
import { readStack, type StackConfig } from "./stackConfig";
import { exportSchema } from "./state";
import { takeIn } from "./takeIn";
import { tellOwed } from "./tell";
import { toldLine, toldOfLog } from "./told";
import { verify } from "./verify";

export interface ReportOptions extends StackOptions {
  readonly verify?: string;
  readonly head?: string;
  /** commander's own for `--no-access`. */
  readonly access?: boolean;
}

/** The command. */
export async function report(options: ReportOptions): Promise<void> {
  if (options.verify !== undefined) return tellVerdict(resolve(options.verify), options.head);
  const stack = await chosenStack(options.stack);
  const config = readStack(stack, options.configFile);
  const { settings } = config;
  const directory = changeDirectory(settings.changeId, options.out);
  const asksAccess = options.access !== false;
  const choice = { stack, configFile: config.file };
  const { evidence, head } = await writeReportAndTell(directory, choice, config, asksAccess);
  const { outcome, steps, nodes, runs, access, told = [] } = await reportOf(directory, evidence);
  const done = steps.filter((step) => step.outcome !== "not done").length;
  console.log(
    [
      `${evidence.changeId}: ${outcome}; ${done} of ${steps.length} steps done, ${nodes.length} nodes, ${runs.length} runs`,
      ...(access?.missing.map(({ what, why }) => `not measured: ${what}: ${why}`) ?? []),
      `written to ${directory}: report.html, report.md, report.json, from evidence.json`,
      ...told.filter((one) => one.outcome !== "delivered").map((one) => `notification ${toldLine(one)}`),
      headLine(head),
    ].join("\n"),
  );
}

const reportOf = async (directory: string, evidence: Evidence) =>
  reportRecord(evidence, await reportedPlan(directory), programDigest(), await readAccess(directory));

/**
 * Writes the report, then tells whom it owes something; where that was tried, the report says so. A run at work tells by
 * itself.
 * @param asksAccess whether nodes and Proxmox VE are asked who had access
 */
export async function writeReportAndTell(
  directory: string,
  choice: StackChoice,
  config: Pick<StackConfig, "file" | "settings">,
  asksAccess = true,
): Promise<{ evidence: Evidence; head: string }> {
  const { settings } = config;
  const reported = { stack: choice.stack, changeId: settings.changeId, signOff: signOffOf(settings) };
  const written = await writeReport(directory, { ...reported, asks: asksAccess ? config : undefined });
  const last = (await listRuns(directory)).at(-1);
  const own = last !== undefined && (await isOwn(last));
  if (last && !own && (await lives(last))) return written;
  const report = await reportOf(directory, written.evidence);
  const tried = await tellOwed(directory, settings, choice, report, { resume: !own });
  return tried ? writeReport(directory, reported) : written;
}

/** Whose report it is. */
interface Reported {
  readonly stack: string;
  readonly changeId: string;
  /** By what nodes and Proxmox VE are asked who had access; absent: nobody is, and it stands there as it was collected before. */
  readonly asks?: Pick<StackConfig, "file" | "settings">;
  /** Operations', as the config states it. */
  readonly signOff?: Evidence["signOff"];
}

/** Gathers what is in the stack now beside what was kept before, and writes the report of both. */
export async function writeReport(
  directory: string,
  { stack, changeId, asks, signOff }: Reported,
): Promise<{ evidence: Evidence; head: string }> {
  await takeIn(directory);
  const state = exportSchema.parse(await pulumiJson(["stack", "export", "--stack", stack]));
  const history = await historyOf(stack);
  const now = evidenceOf({
    changeId,
    stack,
    resources: state.deployment.resources,
    history,
    runs: await readRuns(directory),
    notifications: toldOfLog(tellings(readLines(directory))),
    signOff,
    availability: await readAvailability(directory),
  });
  const evidence = joined(await readEvidence(directory), now);
  const kept = await readAccess(directory);
  const access =
    asks && (await gatherAccess({ stack, configFile: asks.file }, asks.settings, evidence, kept));
  const files = await reportFiles(evidence, await reportedPlan(directory), access ?? kept);
  const head = await writeRecords(directory, [...(await notificationsRecord(directory)), ...files]);
  return { evidence, head };
}

/** Ends with 1 where something is not as it was written, with 2 where the noted head does not prove all of it. */
async function tellVerdict(directory: string, head?: string): Promise<void> {
  const { faults, notes, afterHead } = await verify(directory, head);
  for (const note of notes) console.log(note);
  if (faults.length > 0) {
    console.error(faults.join("\n"));
    console.error("next: these records prove nothing as they are: compare with the ticket's attachments");
    process.exitCode = 1;
  } else if (afterHead.length > 0) {
    console.error(
      [
        ...afterHead,
        `${directory}: nothing contradicts its chain, but the noted head is not its last line: what is named here is not proven by it`,
        "next: --head with the newest one in the ticket, as the last command printed it; where that is this one, find out who wrote after it",
      ].join("\n"),
    );
    process.exitCode = 2;
  } else {
    console.log(
      `${directory}: whole, every file as it was written${head ? ", and the head is the last line of the chain" : ""}`,
    );
  }
}
