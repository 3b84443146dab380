/** `npm run change -- report`: gathers evidence, writes the report; with --verify it only checks what was written. */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { writeRecords } from "./chain";
import { changeDirectory } from "./directory";
import { evidenceOf, joined } from "./evidence";
import type { Evidence } from "./evidenceSchema";
import { programDigest, readAccess, readEvidence, readRuns, reportedPlan, reportFiles } from "./files";
import { gatherAccess } from "./gatherAccess";
import { readAvailability } from "./live/readAvailability";
import type { StackOptions } from "./planCommand";
import { chosenStack, pulumiJson } from "./pulumi";
import { reportRecord } from "./report";
import { readStack, type StackConfig } from "./stackConfig";
import { exportSchema, historySchema } from "./state";
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
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const asks = options.access === false ? undefined : config;
  const { evidence, head } = await writeReport(directory, { stack, changeId: settings.changeId, asks });
  const { outcome, steps, nodes, access } = reportRecord(
    evidence,
    await reportedPlan(directory),
    programDigest(),
    await readAccess(directory),
  );
  const done = steps.filter((step) => step.outcome !== "not done").length;
  console.log(
    [
      `${evidence.changeId}: ${outcome}; ${done} of ${steps.length} steps done, ${nodes.length} nodes, ${evidence.updates.length} runs`,
      ...(access?.missing.map(({ what, why }) => `not measured: ${what}: ${why}`) ?? []),
      `written to ${directory}: report.html, report.md, report.json, from evidence.json`,
      `head of the chain: ${head}   (keep it in the ticket)`,
    ].join("\n"),
  );
}

/** Whose report it is. */
interface Reported {
  readonly stack: string;
  readonly changeId: string;
  /** By what nodes and Proxmox VE are asked who had access; absent: nobody is, and it stands there as it was collected before. */
  readonly asks?: Pick<StackConfig, "file" | "settings">;
}

/** Gathers what is in the stack now beside what was kept before, and writes the report of both. */
export async function writeReport(
  directory: string,
  { stack, changeId, asks }: Reported,
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
  const kept = await readAccess(directory);
  const access =
    asks && (await gatherAccess({ stack, configFile: asks.file }, asks.settings, evidence, kept));
  const files = await reportFiles(evidence, await reportedPlan(directory), access ?? kept);
  const head = await writeRecords(directory, files);
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
