/** The ways in which a run is broken off, and what an operator does after. */
import { setTimeout as sleep } from "node:timers/promises";
import { ssh } from "../../rehearsal/lab/operator";
import { ControlGroup } from "../../rehearsal/machines/controlGroup";
import { Machine } from "../../rehearsal/machines/machine";
import { until } from "../../rehearsal/machines/poll";
import { cancel, killAll, type Running } from "../e2e/operator";
import type { Interruption } from "./ledger";

/** How long a plugin that outlived its engine gets to end by itself. */
const ORPHANS_SECONDS = 5;

/**
 * Breaks a run off, and does what the README tells an operator to do before `pulumi up` is run again.
 * @param step the resource whose step has just ended; the node in its name is the one that loses power
 */
export async function interrupt(running: Running, how: Interruption, step: string): Promise<void> {
  if (how === "power lost") {
    const machine = await nodeOf(step);
    if (!machine) throw new Error(`${step} works on no node`);
    await machine.kill();
    // The run ends by itself: a step on that node fails, or a gate holds.
    await Promise.race([running.ended, sleep(20_000)]);
    killAll(running, "SIGKILL");
    await running.ended;
    await machine.start();
    await until(
      `${machine.record.name} to answer`,
      120,
      async () => (await ssh(machine.record.address, "echo up", 15)) !== "",
    );
  } else {
    killAll(running, how === "killed" ? "SIGKILL" : "SIGHUP");
    await running.ended;
  }
  const operator = new ControlGroup("operator");
  if (how === "killed") await operator.kill();
  // A lost terminal orphans plugins and the language host: the operator makes sure that none is left.
  await until("orphans to end", ORPHANS_SECONDS, async () => !(await operator.populated())).catch(() =>
    operator.kill(),
  );
  await cancel();
}

/** The machine of the node whose name the step's begins with; undefined for a step of the whole cluster. */
export async function nodeOf(step: string): Promise<Machine | undefined> {
  return (await Machine.all()).find(({ record }) => step.startsWith(`${record.name}-`));
}
