/**
 * Interrupts whole runs at every step boundary: the run is broken off right after each step has ended, then goes on by
 * `pulumi cancel` and `pulumi up` until the next step that was not yet interrupted after, and so on to its end, which
 * is proven from outside. So one run bears every interruption there is. Can be stopped, and goes on where it was.
 */
import { Command } from "commander";
import { say } from "../../rehearsal/cli/progress";
import { startUp } from "../e2e/operator";
import { interrupt, nodeOf } from "./interrupt";
import { type Case, Ledger } from "./ledger";
import { begin } from "./moments";
import { Random } from "./random";
import { firstStep, stepsDone } from "./steps";
import { type Story, stories } from "./stories";
import { table } from "./table";

/** One interruption in so many is a loss of power: it takes a minute, the others some seconds. */
const POWER_LOST_ONE_IN = 12;

/** After a loss of power a gate may hold until the node is Ready again; the operator tries again so often. */
const TRIES_AFTER_POWER = 6;

async function play(story: Story, seed: number): Promise<void> {
  const ledger = new Ledger(story.name);
  const random = new Random(seed);
  const covered = new Set(
    ledger.cases
      .filter(({ ended }) => ended === "went on")
      .flatMap(({ after, beside = [] }) => [after, ...beside]),
  );
  say(`${story.name}: ${story.about}; ${covered.size} steps were interrupted after before`);
  await begin(story.start);
  let pending: Pick<Case, "after" | "beside" | "how"> | undefined;
  let tries = 0;
  const ended = new Set<string>();
  for (;;) {
    const running = await startUp();
    const step = await firstStep(running, (name) => !covered.has(name));
    if (!step) {
      const { code, output } = await running.ended;
      for (const name of stepsDone(output)) ended.add(name);
      if (code !== 0) {
        tries += 1;
        if (pending?.how === "power lost" && tries < TRIES_AFTER_POWER) continue;
        if (pending) ledger.add({ ...pending, ended: output.slice(-2000) });
        throw new Error(
          `${story.name}: after ${pending?.how} after ${pending?.after} it did not go on:\n${output}`,
        );
      }
      if (pending) ledger.add({ ...pending, ended: "went on" });
      break;
    }
    if (pending) ledger.add({ ...pending, ended: "went on" });
    tries = 0;
    covered.add(step);
    const how = random.interruption((await nodeOf(step)) !== undefined, POWER_LOST_ONE_IN);
    say(`${story.name}: ${how} after ${step}`);
    await interrupt(running, how, step);
    // Nodes side by side: what ended before the run was gone was interrupted right after, too. A loss of power leaves the
    // run alone for a while.
    const beside =
      how === "power lost" ? [] : stepsDone(running.output()).filter((name) => !covered.has(name));
    for (const name of beside) covered.add(name);
    for (const name of stepsDone(running.output())) ended.add(name);
    pending = { after: step, beside, how };
  }
  await story.end();
  say(`${story.name}: came to its end state`);
  const missed = [...ended].filter((name) => !covered.has(name));
  if (missed.length > 0)
    say(`${story.name}: ended while the run was left alone, play it again to try them: ${missed.join(", ")}`);
}

new Command("npm run campaign --")
  .description(
    `Interrupts whole runs after every step, and proves that each comes to its end. Stories: ${stories.map(({ name }) => name).join(", ")}.`,
  )
  .argument("[story...]", "which (default: all)")
  .option(
    "--seed <number>",
    "what decides how each run is broken off",
    Number,
    Math.floor(Math.random() * 1e6),
  )
  .option("--again", "forget what was tried before")
  .action(async (names: string[], { seed, again }: { seed: number; again?: boolean }) => {
    const chosen = names.length > 0 ? stories.filter(({ name }) => names.includes(name)) : stories;
    if (chosen.length < names.length)
      throw new Error(`no such story: there are ${stories.map(({ name }) => name).join(", ")}`);
    say(`seed ${seed}`);
    for (const story of chosen) {
      if (again) new Ledger(story.name).forget();
      await play(story, seed);
    }
    console.log(table(chosen.flatMap(({ name }) => new Ledger(name).cases)));
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`campaign: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
