import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client, type ConnectConfig } from "ssh2";
import { spend } from "./cost";

/** Where a node is reached, and the one host key that is believed. */
export interface SshTarget {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Pinned host key in authorized_keys form: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** What a remote command left behind. */
export interface RemoteResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An open connection to one node. */
export interface Session {
  /**
   * Runs a command to its end.
   * @param timeoutMs the command's own bound; when it is over the call throws, the remote end is left to itself
   */
  exec(command: string, options?: { stdin?: string; timeoutMs?: number }): Promise<RemoteResult>;
  /** Runs a command and hands out its stdout as a stream; `done` settles when the command has ended well. */
  stream(command: string): Promise<{ stdout: Readable; done: Promise<void> }>;
  /** Runs a command with a stream as its stdin, to its end. @returns its stdout */
  send(command: string, stdin: Readable, timeoutMs: number): Promise<string>;
}

/** Bound of a live look. */
export const LOOK_TIMEOUT_MS = 10_000;

/**
 * Whether a look failed at a machine that is there: it shows another host key, refuses the key or the user's sudo. Told by the
 * words: those of `connect` below, ssh2's and sudo's.
 */
export const refusesLogin = (reason: string): boolean =>
  /the host key differs|configured authentication methods failed|: sudo: /.test(reason);

/**
 * Connects, runs `use`, and always closes.
 * @throws with the node's name when the host key differs, the login is refused or time runs out
 */
export async function withNode<T>(
  target: SshTarget,
  privateKey: string,
  use: (session: Session) => Promise<T>,
  connectTimeoutMs: number = LOOK_TIMEOUT_MS,
): Promise<T> {
  const client = new Client();
  spend("sshSessions");
  try {
    await connect(client, target, privateKey, connectTimeoutMs);
    return await use({
      exec: (command, options) => exec(client, target, command, options),
      stream: (command) => stream(client, target, command),
      send: (command, stdin, timeoutMs) => send(client, target, command, stdin, timeoutMs),
    });
  } finally {
    client.destroy();
  }
}

function connect(client: Client, target: SshTarget, privateKey: string, timeoutMs: number): Promise<void> {
  const [algorithm = "", blob = ""] = target.hostKey.trim().split(/\s+/);
  const pinned = Buffer.from(blob, "base64");
  // Only the pinned key's own algorithm is offered, or the server might present another of its keys.
  const serverHostKey = [algorithm];
  return new Promise((resolve, reject) => {
    let mismatch = false;
    const failed = (error: Error) => {
      const reason = mismatch
        ? `the host key differs from the pinned one (nodes[].hostKey). Verify it at the machine's console before changing it`
        : error.message;
      reject(new Error(`${target.name} (${target.address}:${target.port}): ${reason}`));
    };
    client.once("ready", resolve);
    client.on("error", failed);
    client.once("close", () => failed(new Error("the connection was closed")));
    client.connect({
      host: target.address,
      port: target.port,
      username: target.user,
      privateKey,
      readyTimeout: timeoutMs,
      keepaliveInterval: 5_000,
      algorithms: { serverHostKey } as ConnectConfig["algorithms"],
      hostVerifier: (key: Buffer) => {
        mismatch = !key.equals(pinned);
        return !mismatch;
      },
    });
  });
}

function exec(
  client: Client,
  target: SshTarget,
  command: string,
  { stdin, timeoutMs = LOOK_TIMEOUT_MS }: { stdin?: string; timeoutMs?: number } = {},
): Promise<RemoteResult> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${target.name}: no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const settle = (action: () => void) => {
      clearTimeout(timer);
      action();
    };
    client.once("close", () => settle(() => reject(new Error(`${target.name}: the connection was lost`))));
    client.exec(command, (error, channel) => {
      if (error) return settle(() => reject(error));
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      channel.on("data", (data: Buffer) => out.push(data));
      channel.stderr.on("data", (data: Buffer) => err.push(data));
      channel.on("close", (code: number | null) =>
        settle(() =>
          resolve({
            code: code ?? 255,
            stdout: Buffer.concat(out).toString(),
            stderr: Buffer.concat(err).toString(),
          }),
        ),
      );
      channel.end(stdin ?? "");
    });
  });
}

function stream(
  client: Client,
  target: SshTarget,
  command: string,
): Promise<{ stdout: Readable; done: Promise<void> }> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let stderr = "";
      channel.stderr.on("data", (data: Buffer) => {
        stderr += data.toString();
      });
      const done = new Promise<void>((ended, failed) => {
        channel.once("close", (code: number | null) =>
          code === 0
            ? ended()
            : failed(new Error(`${target.name}: ${command}: ${stderr.trim() || `exit ${code}`}`)),
        );
      });
      // A consumer that fails first must not leave this rejection unhandled.
      done.catch(() => {});
      channel.end();
      resolve({ stdout: channel, done });
    });
  });
}

function send(
  client: Client,
  target: SshTarget,
  command: string,
  stdin: Readable,
  timeoutMs: number,
): Promise<string> {
  const said = new Promise<string>((resolve, reject) => {
    client.once("close", () => reject(new Error(`${target.name}: the connection was lost`)));
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let [stdout, stderr] = ["", ""];
      channel.on("data", (data: Buffer) => {
        stdout += data.toString();
      });
      channel.stderr.on("data", (data: Buffer) => {
        stderr += data.toString();
      });
      channel.once("close", (code: number | null) =>
        code === 0
          ? resolve(stdout)
          : reject(new Error(`${target.name}: ${command}: ${stderr.trim() || `exit ${code}`}`)),
      );
      pipeline(stdin, channel, { signal: AbortSignal.timeout(timeoutMs) }).catch(reject);
    });
  });
  return said;
}
