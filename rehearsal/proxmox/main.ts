import { parseArgs } from "node:util";
import { machinesForProxmox } from "../machines";
import { startStandIn } from "./standIn";
import { readTopology } from "./topology";

/** A snapshot of three thin volumes takes about that long on the lab's hosts. */
const TASK_SECONDS = "1";

/**
 * Runs the stand-in for Proxmox VE until it is ended.
 * usage: main.ts --listen ADDRESS:PORT --state DIRECTORY --stack FILE [--task-seconds N]
 * FILE is JSON as `npm run rehearsal -- info` prints it: nodes, and the API's token.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      listen: { type: "string" },
      state: { type: "string" },
      stack: { type: "string" },
      "task-seconds": { type: "string", default: TASK_SECONDS },
    },
  });
  const { listen, state, stack } = values;
  if (!listen || !state || !stack) throw new Error("--listen, --state and --stack are required");
  const [address = "", port] = listen.split(":");
  const { endpoint, caFile } = await startStandIn({
    topology: readTopology(stack),
    ...{ state, address, port: Number(port), guests: machinesForProxmox },
    taskSeconds: Number(values["task-seconds"]),
  });
  console.log(`stand-in for Proxmox VE: ${endpoint}, its authority ${caFile}`);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
