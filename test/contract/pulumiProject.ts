import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { root, toolchain } from "./toolchain";

/** How long one Pulumi command may take, in milliseconds, before it is terminated. */
const commandLimit = 55_000;

/** How a Pulumi command ended. */
export interface Outcome {
  code: number | null;
  /** Standard output and standard error as they came. */
  output: string;
}

/** A Pulumi project in a folder of its own, with its own file backend, run by the real engine. */
export class PulumiProject {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "contract-project-"));
  /** Environment variables for the commands to come, beside those that Pulumi needs. */
  variables: NodeJS.ProcessEnv = {};

  /**
   * @param program the text of index.ts
   * @param plugins binaries to use in place of the toolchain's, by name
   */
  constructor(program: string, plugins: Record<string, string | undefined> = {}) {
    for (const folder of ["state", "bin", "home"]) fs.mkdirSync(this.file(folder));
    fs.symlinkSync(path.join(root, "node_modules"), this.file("node_modules"));
    fs.copyFileSync(path.join(root, "tsconfig.json"), this.file("tsconfig.json"));
    this.write("Pulumi.yaml", "name: contract\nruntime: nodejs\nmain: index.ts\n");
    this.write("package.json", '{ "name": "contract", "private": true }\n');
    this.write("index.ts", program);
    for (const [name, binary] of Object.entries(plugins)) {
      if (binary) fs.symlinkSync(binary, this.file(`bin/${name}`));
    }
  }

  /** Runs `pulumi` to its end. */
  async pulumi(...args: string[]): Promise<Outcome> {
    return this.start(...args).ended;
  }

  /** Starts `pulumi` and leaves it running; `output` grows as it speaks. */
  start(...args: string[]): { process: ChildProcess; output: () => string; ended: Promise<Outcome> } {
    const child = spawn("pulumi", ["--non-interactive", ...args], {
      cwd: this.directory,
      env: this.environment(),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: commandLimit,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    const ended = once(child, "close").then(([code]) => ({ code, output }));
    return { process: child, output: () => output, ended };
  }

  /** The stack's outputs, by name, secrets not shown. */
  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.pulumi("stack", "output", "--json")).output);
  }

  /** The locks that are left in the backend. */
  locks(): string[] {
    const folder = this.file("state/.pulumi/locks");
    if (!fs.existsSync(folder)) return [];
    return fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json"));
  }

  /** A path in the project. */
  file(name: string): string {
    return path.join(this.directory, name);
  }

  /** Writes a file of the project. */
  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), text);
  }

  /** Ends what a killed engine leaves running: language host and plugins, which all work in the project's folder. */
  endProcesses(): void {
    for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        if (fs.readlinkSync(`/proc/${pid}/cwd`) === this.directory) process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** Removes all of it; resources are not destroyed. */
  remove(): void {
    this.endProcesses();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      // The plugins under test first, then the toolchain, then the Node.js that runs the tests.
      PATH: [this.file("bin"), toolchain(), path.dirname(process.execPath), process.env.PATH].join(":"),
      PULUMI_HOME: this.file("home"),
      PULUMI_BACKEND_URL: `file://${this.file("state")}`,
      PULUMI_CONFIG_PASSPHRASE: "contract",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      SSH_AUTH_SOCK: "",
      ...this.variables,
    };
  }
}
