/** Finds any edit of a change's folder. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "./canonical";
import { CHAIN_FILE, chainFaults, type Link, latest, readChain } from "./chain";
import { isWhole } from "./digest";
import { planNames } from "./directory";
import { fileFaults, isLeftover } from "./fileFaults";
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

/** What is wrong, and what could not be looked into; a line each. */
export interface Verdict {
  readonly faults: string[];
  readonly notes: string[];
  /** With a head: the files with a line after it. It proves none of them; a later one that was noted does. */
  readonly afterHead: string[];
}

/**
 * Everything that is not as it was written, a line each: a line of the chain, a file, a record that does not follow from
 * its own evidence. Empty where all is whole.
 * @param head the chain's head as it was noted elsewhere: whoever can rewrite the whole folder cannot rewrite that
 */
export async function verify(directory: string, head?: string): Promise<Verdict> {
  const chain = await readChain(directory).catch((error: Error) => error.message);
  const wrong = (faults: string[]): Verdict => ({ faults, notes: [], afterHead: [] });
  if (typeof chain === "string") return wrong([chain]);
  if (chain.length === 0) return wrong([`${directory} holds no ${CHAIN_FILE}: nothing there can be proven`]);
  const held = await fileFaults(directory, latest(chain));
  const faults = [...chainFaults(chain), ...held.map(({ file, what }) => `${file}: ${what}`)];
  if (head && !chain.some(({ hash }) => hash === head))
    faults.push(`${CHAIN_FILE}: the head ${head} is not in it: it was made anew`);
  if (faults.length > 0) return wrong(faults);
  const { faults: unfit, notes } = await madeAgain(directory);
  return {
    faults: unfit,
    notes: [...(await grownNotes(directory, latest(chain))), ...notes],
    afterHead: head ? afterHead(chain, head) : [],
  };
}

/** A line a file. Whoever holds the folder can write such lines as well as the program can: to look at them is for people. */
function afterHead(chain: readonly Link[], head: string): string[] {
  const noted = chain.findIndex(({ hash }) => hash === head) + 1;
  const before = latest(chain.slice(0, noted));
  return [...latest(chain.slice(noted)).keys()].map((file) => {
    const proven = before.get(file);
    return `${file}: written after the noted head${proven ? `, which proves it with the sha256 ${proven.sha256}` : ""}`;
  });
}

/** What nothing answers for yet: what was appended since a file's last line in the chain, what a run has left. */
async function grownNotes(directory: string, links: ReturnType<typeof latest>): Promise<string[]> {
  const notes = await Promise.all(
    [...links].map(async ([file, { sha256 }]) => {
      if (!(await grows(directory, file))) return [];
      const more = linesAfter(await readFile(join(directory, file)), sha256) ?? 0;
      return more > 0 ? [`${file}: ${more} lines are not in the chain yet: npm run change -- report`] : [];
    }),
  );
  const left = (await readdir(directory)).filter((file) => isLeftover(file, links));
  return [
    ...notes.flat(),
    ...left.map((file) => `${file}: not in the chain yet: npm run change -- report, when its run is over`),
  ];
}

/** The readable formats are made again from the data, with this program: a chain made anew cannot hide a sentence. */
async function madeAgain(directory: string): Promise<Pick<Verdict, "faults" | "notes">> {
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
