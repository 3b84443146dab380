import { hostname, userInfo } from "node:os";

/** Who runs this program, where, and from where: what the machine itself says. */
export function whoRuns(env: NodeJS.ProcessEnv = process.env): string {
  const became = env.SUDO_USER ? ` (sudo by ${env.SUDO_USER})` : "";
  const from = env.SSH_CONNECTION ? `, logged in from ${env.SSH_CONNECTION.split(" ")[0]}` : "";
  return `${userInfo().username}${became} at ${hostname()}${from}`;
}
