import * as pulumi from "@pulumi/pulumi";

/**
 * Tells the person who watches `up` something from within a dynamic provider, at once and at the stack's own place: its
 * outputs come with the next resource, and what it throws stops the run. In the program itself `pulumi.log` does this.
 */
export const operatorLog = {
  info: (message: string): Promise<void> => {
    reachEngine();
    return pulumi.log.info(message);
  },
  warn: (message: string): Promise<void> => {
    reachEngine();
    return pulumi.log.warn(message);
  },
};

/**
 * The SDK's provider process is given the engine's address and does not keep it (cmd/dynamic-provider: its one
 * argument). Elsewhere, in a test say, there is no engine, and `pulumi.log` writes to the console.
 */
function reachEngine(): void {
  const [, script = "", engine = ""] = process.argv;
  if (!script.includes("dynamic-provider") || pulumi.runtime.getEngine()) return;
  pulumi.runtime.resetOptions("", "", -1, engine, "", false, "");
}
