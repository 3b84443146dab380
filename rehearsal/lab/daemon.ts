import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlGroup } from "../machines/controlGroup";
import { networkNamespacePath } from "../machines/network";
import { projectDirectory, runDirectory } from "../machines/paths";

/**
 * A service of the rehearsal: detached, in the outer network namespace and a
 * control group of its own, its output in a log of the run folder.
 */
export class Daemon {
  private readonly group: ControlGroup;
  private readonly log: string;

  constructor(
    readonly name: string,
    private readonly command: readonly string[],
  ) {
    this.group = new ControlGroup("daemons", name);
    this.log = join(runDirectory, `${name}.log`);
  }

  /** Starts it, or starts it anew. Waiting until it answers is the caller's part. */
  async start(): Promise<void> {
    await this.group.create();
    await this.group.kill();
    await mkdir(runDirectory, { recursive: true });
    const log = await open(this.log, "a");
    const join = 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"';
    const inNetwork = ["nsenter", `--net=${networkNamespacePath}`, ...this.command];
    const child = spawn("sh", ["-c", join, "sh", this.group.path, ...inNetwork], {
      cwd: projectDirectory,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.unref();
    await log.close();
  }

  async running(): Promise<boolean> {
    return this.group.populated();
  }

  async stop(): Promise<void> {
    await this.group.kill();
  }

  /** The last lines of its log, for a message about its failure. */
  async tail(lines = 5): Promise<string> {
    const text = await readFile(this.log, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  }
}

/** Command line of a TypeScript program of this project. */
export function typescript(file: string, ...args: string[]): string[] {
  return [
    process.execPath,
    "--require",
    "ts-node/register/transpile-only",
    join(projectDirectory, file),
    ...args,
  ];
}
