/** Reads and makes the files of a change's folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { type Access, accessSchema } from "./accessSchema";
import { approvalText } from "./approval";
import { asFile, canonical, digestOf } from "./canonical";
import type { RecordFile } from "./chain";
import { DIRECTIONS, FILES_OF, planNames } from "./directory";
import { type Evidence, evidenceSchema } from "./evidenceSchema";
import { type PlanRecord, planSchema } from "./planSchema";
import { programFiles } from "./program";
import { toHtml } from "./render/html";
import { toMarkdown } from "./render/markdown";
import { planDocument } from "./render/planDocument";
import { reportDocument } from "./render/reportDocument";
import { reportRecord } from "./report";
import { type ReportRecord, reportSchema } from "./reportSchema";

async function read<T extends z.ZodType>(
  directory: string,
  file: string,
  schema: T,
): Promise<z.output<T> | undefined> {
  const text = await readFile(join(directory, file), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new Error(`${join(directory, file)} is not what was written there: ${parsed.error.message}`);
  return parsed.data;
}

/** The change request of a direction. */
export const readPlan = (
  directory: string,
  direction: PlanRecord["direction"],
): Promise<PlanRecord | undefined> => read(directory, planNames(direction).data, planSchema);

/** Every change request of the folder. */
export async function readPlans(directory: string): Promise<PlanRecord[]> {
  const plans = await Promise.all(DIRECTIONS.map((direction) => readPlan(directory, direction)));
  return plans.flatMap((plan) => plan ?? []);
}

/** The one that a report holds against what happened. */
export const reportedPlan = async (directory: string): Promise<PlanRecord | undefined> =>
  (await readPlans(directory))[0];

export const readEvidence = (directory: string): Promise<Evidence | undefined> =>
  read(directory, FILES_OF.evidence, evidenceSchema);

export const readAccess = (directory: string): Promise<Access | undefined> =>
  read(directory, FILES_OF.access, accessSchema);

export const readReport = (directory: string): Promise<ReportRecord | undefined> =>
  read(directory, FILES_OF.report, reportSchema);

/** The change request in its three formats. */
export async function planFiles(plan: PlanRecord): Promise<RecordFile[]> {
  const document = planDocument(plan);
  const names = planNames(plan.direction);
  return [
    { what: "what an approver signs", file: names.approval, content: approvalText(plan) },
    { what: "change request, data", file: names.data, content: asFile(plan) },
    { what: "change request, for the ticket", file: names.ticket, content: toMarkdown(document) },
    { what: "change request, for people", file: names.page, content: await toHtml(document) },
  ];
}

/** The program as it is now: what it made before another version of it need not make again. */
export const programDigest = (): string => digestOf(canonical(programFiles()));

/** The report in its three formats, made of evidence, plan and what was collected of access alone. */
export async function reportFiles(
  gathered: Evidence,
  plan: PlanRecord | undefined,
  collected: Access | undefined,
  program = programDigest(),
): Promise<RecordFile[]> {
  // As they are read again from their files: made of that, the report is the same whenever it is made.
  const evidence = evidenceSchema.parse(JSON.parse(asFile(gathered)));
  const access = collected && accessSchema.parse(JSON.parse(asFile(collected)));
  const report = reportRecord(evidence, plan, program, access);
  const document = reportDocument(report, plan);
  return [
    { what: "evidence", file: FILES_OF.evidence, content: asFile(evidence) },
    ...(access ? [{ what: "access", file: FILES_OF.access, content: asFile(access) }] : []),
    { what: "report, data", file: FILES_OF.report, content: asFile(report) },
    { what: "report, for the ticket", file: "report.md", content: toMarkdown(document) },
    { what: "report, for people", file: "report.html", content: await toHtml(document) },
  ];
}
