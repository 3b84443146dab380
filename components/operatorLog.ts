import { connect } from "node:net";
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
 * Whether the engine that this provider process belongs to still lives. One that was killed leaves its providers behind,
 * and what they began by a timer would go on for ever. Elsewhere than in a provider: true.
 */
export async function engineLives(): Promise<boolean> {
  const address = engineAddress();
  if (!address) return true;
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const answer = (lives: boolean) => {
      socket.destroy();
      resolve(lives);
    };
    socket.once("connect", () => answer(true)).once("error", () => answer(false));
  });
}

/**
 * The SDK's provider process is given the engine's address and does not keep it (cmd/dynamic-provider: its one
 * argument). Elsewhere, in a test say, there is no engine, and `pulumi.log` writes to the console.
 */
function reachEngine(): void {
  const address = engineAddress();
  if (!address || pulumi.runtime.getEngine()) return;
  pulumi.runtime.resetOptions("", "", -1, address, "", false, "");
}

function engineAddress(): string | undefined {
  const [, script = "", address] = process.argv;
  return script.includes("dynamic-provider") ? address : undefined;
}
