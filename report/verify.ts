/** Finds any edit of a change's folder. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "./canonical";
import { CHAIN_FILE, chainFaults, latest, readChain } from "./chain";
import { isWhole } from "./digest";
import { FILES_OF } from "./directory";
import { planFiles, type RecordFile, readEvidence, readPlan, reportFiles } from "./files";

/**
 * Everything that is not as it was written, a line each: a line of the chain, a file, a record that does not follow from
 * its own evidence. Empty where all is whole.
 * @param head the chain's head as it was noted elsewhere: whoever can rewrite the whole folder cannot rewrite that
 */
export async function verify(directory: string, head?: string): Promise<string[]> {
  const chain = await readChain(directory).catch((error: Error) => error.message);
  if (typeof chain === "string") return [chain];
  if (chain.length === 0) return [`${directory} holds no ${CHAIN_FILE}: nothing there can be proven`];
  const faults = [...chainFaults(chain), ...(await fileFaults(directory, latest(chain)))];
  if (head && !chain.some(({ hash }) => hash === head))
    faults.push(`${CHAIN_FILE}: the head ${head} is not in it: it was made anew`);
  if (faults.length > 0) return faults;
  return madeAgain(directory);
}

async function fileFaults(directory: string, links: ReturnType<typeof latest>): Promise<string[]> {
  const faults: string[] = [];
  for (const [file, { sha256 }] of links) {
    const content = await readFile(join(directory, file)).catch(() => undefined);
    if (!content) faults.push(`${file}: it is gone`);
    else if (digestOf(content) !== sha256) faults.push(`${file}: it was edited`);
  }
  for (const name of await readdir(directory)) {
    if (!links.has(name) && name !== CHAIN_FILE && !isWorking(name))
      faults.push(`${name}: it is not in the chain`);
  }
  return faults;
}

/** What a run writes while it goes on; its record joins the chain when it has ended. */
const isWorking = (name: string): boolean =>
  /^(run-\d+\.(log|pid|code|events|json)|runbook.*\.sh|approval\.(txt|sig|txt\.sig))$/.test(name);

/** The readable formats are made again from the data, with this program: a chain made anew cannot hide a sentence. */
async function madeAgain(directory: string): Promise<string[]> {
  const [plan, evidence] = [await readPlan(directory), await readEvidence(directory)];
  const files: RecordFile[] = [
    ...(plan ? await planFiles(plan) : []),
    ...(evidence ? await reportFiles(evidence, plan) : []),
  ];
  const faults = plan && !isWhole(plan) ? ["change.json: its digest is not the one of what it holds"] : [];
  const enforced = await readFile(join(directory, FILES_OF.pulumiPlan)).catch(() => "");
  if (plan && plan.digest.parts.plan !== digestOf(enforced))
    faults.push("plan.json: it is not the plan of change.json");
  for (const { file, content } of files) {
    const found = await readFile(join(directory, file), "utf8").catch(() => "");
    if (found !== content)
      faults.push(
        `${file}: it does not follow from ${plan ? "change.json and " : ""}evidence.json with this version of the program`,
      );
  }
  return faults;
}
