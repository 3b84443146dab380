/** `npm run change -- report`: gathers evidence, writes the report; with --verify it only checks what was written. */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { writeRecords } from "./chain";
import { changeDirectory } from "./directory";
import { evidenceOf, joined } from "./evidence";
import type { Evidence } from "./evidenceSchema";
import { programDigest, readEvidence, readRuns, reportedPlan, reportFiles } from "./files";
import { readAvailability } from "./live/readAvailability";
import type { StackOptions } from "./planCommand";
import { chosenStack, pulumiJson } from "./pulumi";
import { reportRecord } from "./report";
import { readStack } from "./stackConfig";
import { exportSchema, historySchema } from "./state";
import { verify } from "./verify";

export interface ReportOptions extends StackOptions {
  readonly verify?: string;
  readonly head?: string;
}

/** The command. */
export async function report(options: ReportOptions): Promise<void> {
  if (options.verify !== undefined) return tellVerdict(resolve(options.verify), options.head);
  const stack = await chosenStack(options.stack);
  const { settings } = readStack(stack, options.configFile);
  const directory = changeDirectory(settings.changeId, options.out);
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const { evidence, head } = await writeReport(directory, { stack, changeId: settings.changeId });
  const { outcome, steps, nodes } = reportRecord(evidence, await reportedPlan(directory), programDigest());
  const done = steps.filter((step) => step.outcome !== "not done").length;
  console.log(
    [
      `${evidence.changeId}: ${outcome}; ${done} of ${steps.length} steps done, ${nodes.length} nodes, ${evidence.updates.length} runs`,
      `written to ${directory}: report.html, report.md, report.json, from evidence.json`,
      `head of the chain: ${head}   (keep it in the ticket)`,
    ].join("\n"),
  );
}

/** Gathers what is in the stack now beside what was kept before, and writes the report of both. */
export async function writeReport(
  directory: string,
  { stack, changeId }: { stack: string; changeId: string },
): Promise<{ evidence: Evidence; head: string }> {
  const state = exportSchema.parse(await pulumiJson(["stack", "export", "--stack", stack]));
  const history = historySchema.parse(await pulumiJson(["stack", "history", "--json", "--stack", stack]));
  const now = evidenceOf({
    changeId,
    stack,
    resources: state.deployment.resources,
    history,
    runs: await readRuns(directory),
    availability: await readAvailability(directory),
  });
  const evidence = joined(await readEvidence(directory), now);
  const head = await writeRecords(directory, await reportFiles(evidence, await reportedPlan(directory)));
  return { evidence, head };
}

async function tellVerdict(directory: string, head?: string): Promise<void> {
  const { faults, notes } = await verify(directory, head);
  for (const note of notes) console.log(note);
  if (faults.length === 0) {
    console.log(
      `${directory}: whole, every file as it was written${head ? ", and the head is in the chain" : ""}`,
    );
    return;
  }
  console.error(faults.join("\n"));
  console.error("next: these records prove nothing as they are: compare with the ticket's attachments");
  process.exitCode = 1;
}
