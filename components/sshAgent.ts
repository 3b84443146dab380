import * as pulumi from "@pulumi/pulumi";

/**
 * The command provider dials the socket in SSH_AUTH_SOCK wherever that is set, though a key is given and no agent is asked for
 * anything, and fails at once where nobody answers there (pulumi-command, remote/connection.go): a forwarded agent's socket
 * goes with the operator's connection, in the middle of a node's turn. So none is borne; preview only says so.
 * @throws pulumi.RunError in an up, before anything is asked or touched
 */
export function refuseSshAgent(environment: NodeJS.ProcessEnv = process.env): void {
  const socket = environment.SSH_AUTH_SOCK;
  if (!socket) return;
  const said = `SSH_AUTH_SOCK is set (${socket}): once nobody answers there, as when your connection to this machine is lost, every step fails. The nodes are reached by sshPrivateKey alone.`;
  const next = "next: unset SSH_AUTH_SOCK in this shell, then run pulumi up";
  if (!pulumi.runtime.isDryRun()) throw new pulumi.RunError(`${said} Nothing was touched.\n  ${next}`);
  void pulumi.log.warn(`${said}\n  ${next}`);
}
