/** `npm run change -- runbook`: the remaining steps, or those of going back, as a plain bash file. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { asText } from "../components/changePolicy";
import type { GoBack, Settings } from "../config";
import { judgeGoBack } from "../config/goBackPolicy";
import { GO_BACK_STRATEGIES } from "../config/schema";
import { headLine, writeRecords } from "./chain";
import { changeDirectory } from "./directory";
import { changeIn } from "./evidence";
import type { StackOptions } from "./planCommand";
import { nameOf } from "./preview";
import { chosenStack, pulumiJson } from "./pulumi";
import { type RunbookInputs, runbook } from "./runbook/make";
import { readStack } from "./stackConfig";
import { exportSchema, type StateResource } from "./state";
import { turnSteps } from "./waveTurns";
import { writeWhole } from "./wholeFile";

export interface RunbookOptions extends StackOptions {
  readonly back?: string;
}

/** The command. */
export async function runbookCommand(options: RunbookOptions): Promise<void> {
  const stack = await chosenStack(options.stack);
  const { settings: configured } = readStack(stack, options.configFile);
  const settings = options.back ? goingBack(configured, options.back) : configured;
  const state = await stateOf(stack);
  const { owner, attempt, moved, fresh } = standing(settings, state);
  const text = runbook({ settings, owner, attempt, moved, done: fresh ? new Set() : doneIn(state, attempt) });
  const directory = changeDirectory(settings.changeId, options.out);
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const name = settings.goBack ? `runbook-back-${settings.goBack.strategy}.sh` : "runbook.sh";
  const file = join(directory, name);
  const chained = await writeRecords(directory, [{ what: "runbook", file: name, content: text }]).then(
    headLine,
    async (error: Error) => {
      // A chain that was broken is no reason to be without one on the worst day.
      await writeWhole(file, text);
      return `it is not in the chain: ${error.message}`;
    },
  );
  console.log(
    [
      `${file}: ${text.split("\n").filter((line) => line.startsWith("if step ")).length} steps left`,
      ...(state.length === 0
        ? ["no state was found: all steps are in it, with a new owner's ID for the locks"]
        : []),
      chained,
      `next: read it, then SSH_KEY=… bash ${file}`,
    ].join("\n"),
  );
}

/** The settings with a way back that the stack's config does not ask for yet. @throws where config would refuse it */
function goingBack(settings: Settings, strategy: string): Settings {
  const known = GO_BACK_STRATEGIES.find((one) => one === strategy) as GoBack["strategy"] | undefined;
  if (!known)
    throw new Error(`--back ${strategy} is no way back. next: one of ${GO_BACK_STRATEGIES.join(", ")}`);
  const goBack = { strategy: known };
  // The identity is the bearer's: it comes to the runbook by AGE_IDENTITY.
  const around = { ...settings, backup: { identityFile: "AGE_IDENTITY" } };
  const [refused] = judgeGoBack(goBack, around);
  if (refused)
    throw new Error(
      `--back ${strategy}: ${refused.found}; allowed: ${refused.allowed}. ${refused.why}. next: --back with what is allowed`,
    );
  return { ...settings, goBack };
}

/** The state; empty where nothing is there to be read, which is what a runbook is for. */
async function stateOf(stack: string): Promise<StateResource[]> {
  try {
    return exportSchema.parse(await pulumiJson(["stack", "export", "--stack", stack])).deployment.resources;
  } catch {
    return [];
  }
}

/** Whose locks, and which attempt: a direction that has not begun is the next attempt, and nothing of it is done. */
function standing(
  settings: Settings,
  state: readonly StateResource[],
): Pick<RunbookInputs, "owner" | "attempt" | "moved"> & { fresh: boolean } {
  const change = changeIn(state);
  if (!change) {
    const moved = { from: settings.acceptedVersion, under: settings.changeId };
    return { owner: randomUUID(), attempt: 1, moved, fresh: true };
  }
  const same =
    change.wanted === settings.rke2Version &&
    change.accepted === settings.acceptedVersion &&
    change.round === (settings.osPatch.round ?? "") &&
    change.acceptedRound === (settings.osPatch.acceptedRound ?? "") &&
    change.goBack === asText(settings.goBack);
  const moved = { from: change.from, under: change.movedUnder };
  return { owner: change.owner, attempt: same ? change.attempt : change.attempt + 1, moved, fresh: !same };
}

/**
 * Names of what succeeded in this attempt: a step whose update failed keeps the inputs of the one before. An operator's are
 * never among them: its release is in the state whatever version was asked for since.
 */
function doneIn(state: readonly StateResource[], attempt: number): Set<string> {
  return new Set(
    state.flatMap((one) => {
      const { urn, type, outputs } = one;
      if (nameOf(urn).startsWith("operator-")) return [];
      const own =
        type === "command:remote:Command"
          ? Number(/ attempt (\d+)$/.exec(String(outputs.create))?.[1])
          : typeof outputs.attempt === "number"
            ? outputs.attempt
            : attempt;
      return own === attempt ? [nameOf(urn), ...turnSteps(one).map(({ name }) => name)] : [];
    }),
  );
}
