/** The change record on the command line: `npm run change -- plan|announce|apply|notify|runbook|report`. */

import { Command } from "commander";
import { plainText } from "../notify/plainText";
import { announce, notify } from "./announceCommand";
import { apply } from "./applyCommand";
import { plan } from "./planCommand";
import { report } from "./reportCommand";
import { runbookCommand } from "./runbookCommand";
import { writeSchemas } from "./schemas";

const program = new Command("npm run change --").description(
  "The change record: a plan to approve, its enforced run, a runbook for the worst day, and the report.",
);

/** A command on a stack. */
const onStack = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option("--stack <stack>", "the stack (default: the one that Pulumi has selected)")
    .option("--config-file <file>", "its config (default: Pulumi.<stack>.yaml)")
    .option("--out <folder>", "where the change's records lie (default: changes/<change ID>)");

onStack("plan", "preview, and write the change request: change.html, change.md, change.json").action(plan);

onStack("announce", "tell people of the change in advance, with the request and a calendar entry")
  .option(
    "--at <moment>",
    "when it begins, 2026-11-29T01:00Z (default: when the next maintenance window opens)",
  )
  .action(announce);

onStack("notify", "show who was told what, and whether it arrived")
  .option("--retry", "send what was not delivered")
  .action(notify);

onStack("apply", "carry out exactly the approved plan, or say what has changed since")
  .option("--attach", "show the run that is at work, or the last one, instead")
  .option(
    "--status-port <port>",
    "serve the run's status on 127.0.0.1 as a page, while it goes on; 0: any free port",
  )
  .option("--stop", "have the run that is at work end its step and stop, as Ctrl-C would")
  .action(apply);

onStack("report", "what was planned against what happened: report.html, report.md, report.json")
  .option("--no-access", "ask nobody who had access; what was collected before stays in it")
  .option("--verify <folder>", "find any edit in a change's folder instead; needs no stack")
  .option("--head <hash>", "with --verify: the chain's head as it was noted in the ticket")
  .action(report);

onStack("runbook", "the remaining steps as a bash file that needs no program: runbook.sh")
  .option("--back <strategy>", "the steps of going back instead: reinstall, restore or rollback")
  .action(runbookCommand);

program
  .command("schema")
  .description("write the records' published schemas: docs/change.schema.json, docs/report.schema.json")
  .action(writeSchemas);

program.parseAsync().catch((error: unknown) => {
  console.error(plainText(error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
});
