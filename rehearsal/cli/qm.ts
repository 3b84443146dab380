import { typescript } from "../lab/daemon";
import { readState } from "../lab/state";
import { proxmoxDirectory } from "../machines/paths";
import { run } from "../machines/run";

/**
 * Runs `qm` as on a Proxmox VE host, whose shell the lab does not have.
 * @throws Error when no rehearsal is up, or with qm's own message.
 */
export async function qm(words: readonly string[]): Promise<void> {
  await readState();
  const [program = "", ...args] = typescript(
    "rehearsal/proxmox/qm.ts",
    ...words,
    "--state",
    proxmoxDirectory,
  );
  process.stdout.write(await run(program, args));
}
