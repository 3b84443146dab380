/** `npm run change -- apply`: carries out exactly the approved plan, in a session of its own, or says why not. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { whoRuns } from "../components/operator";
import { judgeApproval } from "./approval";
import { writeRecords } from "./chain";
import { changeDirectory, planNames } from "./directory";
import { updateOf } from "./evidence";
import { readPlan } from "./files";
import { historyOf } from "./history";
import { movedSince } from "./judgeApply";
import { statusPortOf } from "./live/statusPort";
import { directionOf } from "./plan";
import { ADOPT, isUnadopted, plannedNow, type StackOptions } from "./planCommand";
import type { PlanRecord } from "./planSchema";
import { chosenStack } from "./pulumi";
import { createRun, failRun, nextRun, type RunFiles, readRuns } from "./runFiles";
import { attach, begin, refuseSecond, stop, watch } from "./session";
import { letsGo, missingSignOff, signOffOf, upgradedAt } from "./signOff";
import type { Waits } from "./sinks";
import { readStack } from "./stackConfig";
import { takeIn } from "./takeIn";
import { verify } from "./verify";

export interface ApplyOptions extends StackOptions {
  readonly attach?: boolean;
  readonly stop?: boolean;
  /** As it was typed. */
  readonly statusPort?: string;
  /** Of no use on the command line: the run's own are for people who have to be reached. */
  readonly waits?: Waits;
}

/** The command. */
export async function apply(options: ApplyOptions): Promise<void> {
  const stack = await chosenStack(options.stack);
  const { settings, file } = readStack(stack, options.configFile);
  const directory = changeDirectory(settings.changeId, options.out);
  const statusPort = statusPortOf(options);
  if (options.attach) return attach(directory);
  if (options.stop) return stop(directory);
  await refuseSecond(directory);
  await takeIn(directory);
  // Its number is taken before the look, which takes minutes: who began meanwhile has it.
  const run = await nextRun(directory);
  const approved = await approvedPlan(directory, directionOf(settings));
  const approval = judgeApproval(settings, approved, directory);
  if ("missing" in approval) refuse([approval.missing], approval.next);
  // Pulumi is asked for its history where it matters alone.
  const upgraded =
    letsGo(approved) && settings.signOff.required
      ? upgradedAt((await historyOf(stack)).map(updateOf))
      : undefined;
  const unsigned = missingSignOff(settings, approved, { now: new Date(), upgraded });
  if (unsigned) refuse([unsigned.missing], unsigned.next);
  // A plan that was signed again has another signature than the chain holds: this one was verified just now.
  if (settings.approval.allowedSigners.length > 0) await keepSignature(directory, approved);
  await refuseEdited(directory);
  const { begun, nowPlan } = await refuseMoved(approved, directory, options);
  await refuseSecond(directory);
  await createRun(run, {
    startedAt: new Date().toISOString(),
    by: whoRuns(),
    digest: approved.digest.value,
    approvedBy: approval.by,
    approval: approval.how,
    signOff: letsGo(approved) ? signOffOf(settings) : undefined,
    errors: [],
  });
  try {
    const plan = begun
      ? await keepWhatIsLeft(run, directory, nowPlan)
      : planNames(approved.direction).enforced;
    const { changeId } = approved;
    const { waits } = options;
    await begin(run, { plan, stack, directory, configFile: file, changeId, statusPort, waits });
  } catch (error) {
    await failRun(run, error);
    throw error;
  }
  console.log(
    `${approved.changeId}: run ${run.number} has begun, approved by ${approval.by}, ${approval.how}`,
  );
  console.log("it goes on without this terminal; npm run change -- apply --attach shows it again\n");
  await watch(run, directory);
}

/** The plan in the folder. */
async function approvedPlan(directory: string, direction: PlanRecord["direction"]): Promise<PlanRecord> {
  const plan = await readPlan(directory, direction);
  if (!plan)
    throw new Error(
      `${directory} holds no change request for this (${direction}). next: npm run change -- plan`,
    );
  if (isUnadopted(plan)) {
    refuse(
      [
        "the stack was not adopted when the plan was made: who holds the locks is drawn by lot in the first run, so no plan of that can be enforced",
      ],
      ADOPT,
    );
  }
  return plan;
}

async function refuseEdited(directory: string): Promise<void> {
  const { faults } = await verify(directory);
  if (faults.length > 0) {
    refuse(
      faults,
      "bring back the files that were approved, or make a new plan and have it approved; a report is made again by npm run change -- report, a runbook by npm run change -- runbook (with the --back that it was made with)",
    );
  }
}

/** Makes the plan afresh and refuses where it has become another. @returns it, and whether a run of it has begun before */
async function refuseMoved(
  approved: PlanRecord,
  directory: string,
  options: ApplyOptions,
): Promise<{ begun: boolean; nowPlan: string }> {
  console.log("making the plan afresh, to see what has changed since it was approved");
  const { record: now, pulumiPlan: nowPlan } = await plannedNow(options);
  const begun = (await readRuns(directory)).some(({ digest }) => digest === approved.digest.value);
  const approvedPlan = await readFile(join(directory, planNames(approved.direction).enforced), "utf8");
  const moved = movedSince({ approved, approvedPlan, now, nowPlan, begun });
  if (moved.length > 0)
    refuse(moved, "npm run change -- plan, and have the new plan approved; or take back what has changed");
  return { begun, nowPlan };
}

/**
 * Pulumi's plan of what is left, for a run that goes on: the approved one allows a gate to be created or left alone, but
 * one that was asked before is asked again, which is an update. It reaches no further than the approved one (judgeApply).
 */
async function keepWhatIsLeft(run: RunFiles, directory: string, content: string): Promise<string> {
  const file = basename(run.plan);
  await writeRecords(directory, [
    { what: `Pulumi's plan of what was left at run ${run.number}`, file, content },
  ]);
  return file;
}

/** The signature that was verified goes into the chain with what it is of. */
async function keepSignature(directory: string, { direction }: PlanRecord): Promise<void> {
  const file = `${planNames(direction).approval}.sig`;
  const content = await readFile(join(directory, file), "utf8").catch(() => undefined);
  if (content !== undefined)
    await writeRecords(directory, [{ what: "the approver's signature", file, content }]);
}

function refuse(reasons: readonly string[], next: string): never {
  throw new Error(
    [
      "nothing was touched: this plan is not carried out",
      ...reasons.map((reason) => `  ${reason}`),
      `next: ${next}`,
    ].join("\n"),
  );
}
