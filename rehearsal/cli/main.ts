import { spawn } from "node:child_process";
import { join } from "node:path";
import { Command } from "commander";
import { checkpoint, listCheckpoints, removeCheckpoint, restore } from "../lab/checkpoint";
import { listFaults, setFault } from "../lab/faults";
import { readInfo } from "../lab/info";
import { down, up } from "../lab/lab";
import { projectDirectory, runDirectory } from "../machines/paths";
import { exec } from "./exec";
import { step } from "./progress";
import { qm } from "./qm";
import { rehearse } from "./rehearse";
import { status } from "./status";

const program = new Command("npm run rehearsal --")
  .description("An RKE2 lab on this machine, made from a stack's configuration, to rehearse upgrades on.")
  .enablePositionalOptions();

program
  .command("up")
  .description("bring the rehearsal up; does nothing when it is")
  .option("--stack-file <file>", "stack configuration to rehearse", join(projectDirectory, "Pulumi.lab.yaml"))
  .option("--version <version>", "RKE2 version to start on (default: the stack's acceptedVersion)")
  .option("--fresh", "end the one that is up, and begin anew")
  .action(up);

program
  .command("down")
  .description("end the rehearsal and remove all its traces")
  .action(() => step("ending the rehearsal", down));

program
  .command("rehearse")
  .description(
    "the main job: up, adopt, bump, preview, upgrade, validate, a table of what took how long, down",
  )
  .option("--stack-file <file>", "stack configuration to rehearse", join(projectDirectory, "Pulumi.lab.yaml"))
  .option("--to <version>", "RKE2 version to upgrade to", "v1.36.3+rke2r1")
  .option("--keep", "leave the rehearsal up at the end")
  .action(rehearse);

program.command("status").description("what runs and how it is").action(status);

program
  .command("info")
  .description("where everything is and how to get in, as JSON; holds the Proxmox token's secret")
  .action(async () => console.log(JSON.stringify(await readInfo(), null, 2)));

program
  .command("exec")
  .description(
    "run a command as the lab's operator: in its network, with PATH, KUBECONFIG and Pulumi's settings",
  )
  .argument("<command...>")
  .passThroughOptions()
  .action(exec);

program
  .command("fault")
  .description("make something go wrong, or list what can")
  .argument("[fault...]", "its name, what it is about, and on (default) or off")
  .action(async (words: string[]) => {
    if (words.length > 0) return setFault(words);
    for (const line of await listFaults()) console.log(line);
  });

program
  .command("qm")
  .description("Proxmox VE's command on its hosts, as far as an operator of the lab needs it: unlock <vmid>")
  .argument("<arguments...>")
  .passThroughOptions()
  .action((words: string[]) => qm(words));

program
  .command("checkpoint")
  .description("keep the whole rehearsal as it is now under a name")
  .argument("<name>")
  .option("--remove", "delete the checkpoint of that name instead")
  .action((name: string, { remove }: { remove?: boolean }) =>
    remove ? removeCheckpoint(name) : step(`checkpoint ${name}`, () => checkpoint(name)),
  );

program
  .command("restore")
  .description("put a checkpoint in place of the present state; returns when the cluster is healthy")
  .argument("<name>")
  .action((name: string) => step(`restore ${name}`, () => restore(name)));

program
  .command("checkpoints")
  .description("list the checkpoints")
  .action(async () => {
    for (const name of await listCheckpoints()) console.log(name);
  });

program
  .command("logs")
  .description("follow the logs of the lab's own services and the machines' consoles")
  .action(() => {
    spawn("sh", ["-c", `exec tail -n 20 -F ${runDirectory}/*.log`], { stdio: "inherit" });
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`rehearsal: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
