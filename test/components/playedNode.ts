/** A node that a test plays: an SSH server in this process that answers commands as the test says. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server, utils } from "ssh2";

// No ed25519: of those that ssh2 makes, one in 256 (a zero in front) cannot be read again.
const key = utils.generateKeyPairSync("ecdsa", { bits: 256 });

/** What a command is answered with; undefined: it fails. */
export type Answer = string | Buffer | undefined;

/** Plays one until it is closed. @param at where it listens: on 0.0.0.0 it is every node, each by an address of its own */
export async function playNode(answer: (command: string, stdin: Buffer) => Answer, at = "127.0.0.1") {
  const server = new Server({ hostKeys: [key.private] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (login) => login.accept());
    client.on("session", (accept) => {
      accept().on("exec", (take, _reject, { command }) => {
        const channel = take();
        const stdin: Buffer[] = [];
        channel.on("data", (data: Buffer) => stdin.push(data));
        channel.on("end", () => {
          const said = answer(command, Buffer.concat(stdin));
          if (said === undefined) channel.stderr.write("the test's node refuses\n");
          else channel.write(said);
          channel.exit(said === undefined ? 1 : 0);
          channel.end();
        });
      });
    });
  }).listen(0, at);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    /** How it is reached. */
    target: { address: "127.0.0.1", port, user: "test", hostKey: key.public },
    sshPrivateKey: key.private,
    close: () => server.close(),
  };
}
