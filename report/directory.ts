/** Where a change's records lie: one folder a change. */
import { join, resolve } from "node:path";
import { projectDirectory } from "./program";

/** Files that more than one command reads. */
export const FILES_OF = {
  pulumiPlan: "plan.json",
  plan: "change.json",
  evidence: "evidence.json",
  report: "report.json",
  approval: "approval.json",
} as const;

/** The folder: the one that is asked for, else `changes/<change ID>` beside the program. */
export const changeDirectory = (changeId: string, asked?: string): string =>
  asked ? resolve(asked) : join(projectDirectory, "changes", changeId);
