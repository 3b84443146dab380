/** `npm run change -- plan`: previews, and writes the change request into the change's folder. */
import { channelsFor } from "../notify/recipients";
import { signCommand } from "./approval";
import { headLine, writeRecords } from "./chain";
import { changeDirectory, planNames } from "./directory";
import { planFiles, readAccess, readEvidence, reportedPlan, reportFiles } from "./files";
import { directionOf, planRecord } from "./plan";
import { type PlanRecord, planSchema } from "./planSchema";
import { preview } from "./preview";
import { programCommit, programFiles } from "./program";
import { chosenStack } from "./pulumi";
import { planDocument } from "./render/planDocument";
import { readStack, withPlannedConfig } from "./stackConfig";
import { takeIn } from "./takeIn";

/** Options of every command that looks at a stack. */
export interface StackOptions {
  readonly stack?: string;
  readonly configFile?: string;
  readonly out?: string;
}

/** What comes before the first change of a stack. */
export const ADOPT =
  "set rke2Version to acceptedVersion, adopt the cluster with pulumi up, which touches no node; then bump and plan";

const ANNOUNCE = "tell people of it, with this page and a calendar entry: npm run change -- announce";

/** Whether the plan is of a stack's very first run. */
export const isUnadopted = ({ steps }: PlanRecord): boolean =>
  steps.some(({ id, operation }) => id === "change" && operation === "create");

/** Makes the change request as it would be now: previews, and writes nothing. */
export async function plannedNow(options: StackOptions): Promise<{ record: PlanRecord; pulumiPlan: string }> {
  const stack = await chosenStack(options.stack);
  const { settings, keys, file } = readStack(stack, options.configFile);
  const seen = await withPlannedConfig(file, (configFile) => preview({ stack, configFile }));
  const record = planRecord({
    stack,
    settings,
    configKeys: keys,
    files: programFiles(),
    commit: programCommit(),
    preview: seen,
  });
  return { record: planSchema.parse(JSON.parse(JSON.stringify(record))), pulumiPlan: seen.plan };
}

/** The command. */
export async function plan(options: StackOptions): Promise<void> {
  const { settings } = readStack(await chosenStack(options.stack), options.configFile);
  const directory = changeDirectory(settings.changeId, options.out);
  await takeIn(directory, directionOf(settings));
  const { record, pulumiPlan } = await plannedNow(options);
  const files = await planFiles(record);
  const planned = await writeRecords(directory, [
    { what: "Pulumi's plan", file: planNames(record.direction).enforced, content: pulumiPlan },
    ...files,
  ]);
  // A report holds what happened against the plan: with another plan, it is another report of the same evidence.
  const evidence = await readEvidence(directory);
  const head = evidence
    ? await writeRecords(
        directory,
        await reportFiles(evidence, await reportedPlan(directory), await readAccess(directory)),
      )
    : planned;
  const names = planNames(record.direction);
  const { title, verdict } = planDocument(record);
  const announced = channelsFor(settings, "announcement").length > 0 ? [ANNOUNCE] : [];
  const approve = [
    `next: have it approved: pulumi config set --path 'rke2-upgrade:approval.changeId' ${record.changeId}, .approver, .digest (docs/record.md),`,
    `      or signed: ${signCommand(directory, record)}; then npm run change -- apply`,
  ];
  console.log(
    [
      `${title}: ${record.summary}`,
      verdict.text,
      `written to ${directory}: ${names.page} (attach it), ${names.ticket} (for the ticket), ${names.data}`,
      `digest to approve: ${record.digest.value}`,
      headLine(head),
      ...(isUnadopted(record)
        ? [`this plan cannot be enforced: the stack is not adopted. next: ${ADOPT}`]
        : [...announced, ...approve]),
    ].join("\n"),
  );
}
