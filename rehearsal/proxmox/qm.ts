import { join } from "node:path";
import { parseArgs } from "node:util";
import { Faults } from "./faults";
import { Vms } from "./vms";

/**
 * Stands for `qm` on a host of the cluster, for the one thing that an operator needs it for after a failure and that
 * the API does not offer: taking away the lock that a failed deletion or rollback has left.
 * usage: qm.ts unlock VMID --state DIRECTORY
 */
const { values, positionals } = parseArgs({
  options: { state: { type: "string" } },
  allowPositionals: true,
});
const [command, vmId] = positionals;
if (command !== "unlock" || !vmId || !values.state) {
  console.error("usage: qm.ts unlock VMID --state DIRECTORY");
  process.exit(255);
}
try {
  new Vms(values.state, new Faults(join(values.state, "faults"))).unlock(Number(vmId));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
