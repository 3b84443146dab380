/** Finds any edit of a change's folder. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "./canonical";
import { CHAIN_FILE, chainFaults, latest, readChain } from "./chain";
import { isWhole } from "./digest";
import { planNames } from "./directory";
import {
  planFiles,
  programDigest,
  readAccess,
  readEvidence,
  readPlans,
  readReport,
  reportFiles,
} from "./files";
import { grows, linesAfter } from "./grown";
import { wholeOf } from "./wholeFile";

/** What is wrong, and what could not be looked into; a line each. */
export interface Verdict {
  readonly faults: string[];
  readonly notes: string[];
}

/**
 * Everything that is not as it was written, a line each: a line of the chain, a file, a record that does not follow from
 * its own evidence. Empty where all is whole.
 * @param head the chain's head as it was noted elsewhere: whoever can rewrite the whole folder cannot rewrite that
 */
export async function verify(directory: string, head?: string): Promise<Verdict> {
  const chain = await readChain(directory).catch((error: Error) => error.message);
  if (typeof chain === "string") return { faults: [chain], notes: [] };
  if (chain.length === 0) {
    return { faults: [`${directory} holds no ${CHAIN_FILE}: nothing there can be proven`], notes: [] };
  }
  const faults = [...chainFaults(chain), ...(await fileFaults(directory, latest(chain)))];
  if (head && !chain.some(({ hash }) => hash === head))
    faults.push(`${CHAIN_FILE}: the head ${head} is not in it: it was made anew`);
  if (faults.length > 0) return { faults, notes: [] };
  const { faults: unfit, notes } = await madeAgain(directory);
  return { faults: unfit, notes: [...(await grownNotes(directory, latest(chain))), ...notes] };
}

/** What was appended since a file's last line in the chain: nothing answers for it yet. */
async function grownNotes(directory: string, links: ReturnType<typeof latest>): Promise<string[]> {
  const grown = [...links].filter(([file]) => grows(file));
  const notes = await Promise.all(
    grown.map(async ([file, { sha256 }]) => {
      const more = linesAfter(await readFile(join(directory, file)), sha256) ?? 0;
      return more > 0 ? [`${file}: ${more} lines are not in the chain yet: npm run change -- report`] : [];
    }),
  );
  return notes.flat();
}

async function fileFaults(directory: string, links: ReturnType<typeof latest>): Promise<string[]> {
  const faults: string[] = [];
  for (const [file, { sha256 }] of links) {
    const content = await readFile(join(directory, file)).catch(() => undefined);
    if (!content) faults.push(`${file}: it is gone`);
    else if (grows(file) ? linesAfter(content, sha256) === undefined : digestOf(content) !== sha256)
      faults.push(`${file}: it was edited`);
  }
  for (const name of await readdir(directory)) {
    if (!links.has(name) && name !== CHAIN_FILE && !isWorking(name))
      faults.push(`${name}: it is not in the chain`);
  }
  return faults;
}

/** What a run writes while it goes on, and a part of a file of ours; its record joins the chain when it has ended. */
const isWorking = (name: string): boolean =>
  /^(run-\d+\.(log|pid|json|(plan|status)\.json|(events|watch)\.jsonl)|notifications\.jsonl|runbook.*\.sh(\.began)?|[a-z]+\.approval\.txt\.sig)$/.test(
    name,
  ) ||
  /^((change|back|accept|announcement|report|evidence|access|run-\d+)\.[a-z.]+|record\.jsonl)$/.test(
    wholeOf(name) ?? "",
  );

/** The readable formats are made again from the data, with this program: a chain made anew cannot hide a sentence. */
async function madeAgain(directory: string): Promise<Verdict> {
  const [plans, evidence] = [await readPlans(directory), await readEvidence(directory)];
  const read = (file: string) => readFile(join(directory, file), "utf8").catch(() => "");
  const faults: string[] = [];
  for (const plan of plans) {
    const { data, enforced } = planNames(plan.direction);
    if (!isWhole(plan)) faults.push(`${data}: its digest is not the one of what it holds`);
    if (plan.digest.parts.plan !== digestOf(await read(enforced)))
      faults.push(`${enforced}: it is not the plan of ${data}`);
  }
  const program = programDigest();
  const made = [
    ...(await Promise.all(
      plans.map(async (plan) => ({
        from: planNames(plan.direction).data,
        by: plan.digest.parts.program,
        files: await planFiles(plan),
      })),
    )),
    {
      from: "the evidence",
      by: (await readReport(directory))?.program,
      files: evidence ? await reportFiles(evidence, plans[0], await readAccess(directory), program) : [],
    },
  ];
  const notes = made.flatMap(({ from, by }) =>
    by && by !== program
      ? [`another version of the program made ${from}'s formats: not made again, their hashes hold`]
      : [],
  );
  for (const { from, files } of made.filter(({ by }) => by === program)) {
    for (const { file, content } of files) {
      if ((await read(file)) !== content) faults.push(`${file}: it does not follow from ${from}`);
    }
  }
  return { faults, notes };
}
