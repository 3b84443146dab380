import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

/** An OpenSSH server on a loopback port of its own, with keys of its own, for the user who runs the tests. */
export class SshServer {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "contract-sshd-"));
  private process?: ChildProcess;

  private constructor(
    readonly port: number,
    acceptEnv: string,
  ) {
    for (const name of ["host", "user", "other"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.file(name)]);
    }
    fs.writeFileSync(
      this.file("config"),
      [
        `Port ${port}`,
        "ListenAddress 127.0.0.1",
        `HostKey ${this.file("host")}`,
        `AuthorizedKeysFile ${this.file("user.pub")}`,
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin yes",
        `AcceptEnv ${acceptEnv}`,
      ].join("\n"),
    );
  }

  /**
   * A server that is not started yet.
   * @param acceptEnv the variables that clients may set; the default is that of Debian's own configuration
   */
  static async prepare(acceptEnv = "LANG LC_*"): Promise<SshServer> {
    return new SshServer(await freePort(), acceptEnv);
  }

  /** Starts the server and waits until it listens. */
  async start(): Promise<void> {
    // sshd wants this folder when root runs it.
    if (process.getuid?.() === 0) fs.mkdirSync("/run/sshd", { recursive: true });
    this.process = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", this.file("config")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    await new Promise<void>((resolve, reject) => {
      this.process?.stderr?.on("data", (chunk) => {
        log += chunk;
        if (log.includes("Server listening on")) resolve();
      });
      this.process?.once("exit", (code) => reject(new Error(`sshd ended with ${code}: ${log}`)));
      this.process?.once("error", reject);
    });
  }

  /** Ends the server and removes its files. */
  async stop(): Promise<void> {
    if (this.process && this.process.exitCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill();
      await ended;
    }
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  /** The inputs of a connection to this server, with its host key pinned. */
  connection(more: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      host: "127.0.0.1",
      port: this.port,
      user: os.userInfo().username,
      privateKey: fs.readFileSync(this.file("user"), "utf8"),
      hostKey: this.publicKey("host"),
      ...more,
    };
  }

  /** The public key of the host, or of another one that the host does not have. */
  publicKey(name: "host" | "other"): string {
    return fs.readFileSync(this.file(`${name}.pub`), "utf8");
  }

  /** A path in the server's own folder, for keys and for what commands leave behind. */
  file(name: string): string {
    return path.join(this.directory, name);
  }
}

/** A loopback port on which nothing listens at the moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
