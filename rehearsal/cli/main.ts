import { join } from "node:path";
import { Command } from "commander";
import { down, up } from "../lab/lab";
import { projectDirectory } from "../machines/paths";
import { exec } from "./exec";
import { step } from "./progress";

const program = new Command("npm run rehearsal --").description(
  "A three-server, four-agent RKE2 lab on this machine, to rehearse upgrades on.",
).enablePositionalOptions();

program
  .command("up")
  .description("bring the rehearsal up; does nothing when it is")
  .option("--stack-file <file>", "stack configuration to rehearse", join(projectDirectory, "Pulumi.lab.yaml"))
  .option("--version <version>", "RKE2 version to start on (default: the stack's acceptedVersion)")
  .action(up);

program
  .command("down")
  .description("end the rehearsal and remove all its traces")
  .action(() => step("ending the rehearsal", down));

program
  .command("exec")
  .description(
    "run a command as the lab's operator: in its network, with PATH, KUBECONFIG and Pulumi's settings",
  )
  .argument("<command...>")
  .passThroughOptions()
  .action(exec);

program
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`rehearsal: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
