/** Where a change's records lie: one folder a change. */
import { join, resolve } from "node:path";
import type { PlanRecord } from "./planSchema";
import { projectDirectory } from "./program";

/** What the report is made of: what happened, who had access; and its data. */
export const FILES_OF = { evidence: "evidence.json", access: "access.json", report: "report.json" } as const;

type Direction = PlanRecord["direction"];

/** A change is upgraded, perhaps taken back, and accepted: each is a plan of its own, and none takes another's place. */
const STEMS: Record<Direction, string> = { upgrade: "change", "going back": "back", settled: "accept" };

/** The directions, the one that the report holds against what happened first. */
export const DIRECTIONS = Object.keys(STEMS) as readonly Direction[];

/** The files of a change request. */
export interface PlanNames {
  readonly data: string;
  readonly ticket: string;
  readonly page: string;
  /** Pulumi's own plan, which is enforced. */
  readonly enforced: string;
  /** What an approver signs; beside it `.sig`. */
  readonly approval: string;
}

/** What the files of a change request are called. */
export function planNames(direction: Direction): PlanNames {
  const stem = STEMS[direction];
  return {
    data: `${stem}.json`,
    ticket: `${stem}.md`,
    page: `${stem}.html`,
    enforced: `${stem}.plan.json`,
    approval: `${stem}.approval.txt`,
  };
}

/** The folder: the one that is asked for, else `changes/<change ID>` beside the program. */
export const changeDirectory = (changeId: string, asked?: string): string =>
  asked ? resolve(asked) : join(projectDirectory, "changes", changeId);
