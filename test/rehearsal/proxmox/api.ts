import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { until } from "../../../rehearsal/machines/poll";
import { ADMIN_ID, ADMIN_SECRET, type ProxmoxLab } from "./lab";

/** An answer of the API, read to its end. */
export interface Answer {
  readonly status: number;
  /** The text beside the status in the first line. */
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** What a request carries. */
export interface Ask {
  readonly form?: Record<string, string>;
  readonly json?: unknown;
  /** Default: the token that may do anything. */
  readonly authorization?: string;
}

/** How a task ended. */
export interface TaskEnd {
  readonly exit: string;
  readonly log: readonly string[];
}

/** The header of a token. */
export const tokenHeader = (id: string, secret: string): string => `PVEAPIToken=${id}=${secret}`;

/** Bare requests to the stand-in, its certificate verified against the cluster's own authority. */
export class Api {
  constructor(private readonly lab: ProxmoxLab) {}

  async ask(method: string, path: string, { form, json, authorization }: Ask = {}): Promise<Answer> {
    const body = form ? new URLSearchParams(form).toString() : json ? JSON.stringify(json) : undefined;
    const { endpoint, caFile } = this.lab.standIn;
    const headers = {
      authorization: authorization ?? tokenHeader(ADMIN_ID, ADMIN_SECRET),
      ...(body && {
        "content-type": form ? "application/x-www-form-urlencoded" : "application/json",
        "content-length": Buffer.byteLength(body),
      }),
    };
    const options = { method, headers, ca: readFileSync(caFile), agent: false };
    return new Promise((resolve, reject) => {
      request(`${endpoint}/api2/json${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => {
          const { statusCode: status = 0, statusMessage: reason = "" } = response;
          resolve({ status, reason, headers: response.headers, text, body: text && JSON.parse(text) });
        });
      })
        .on("error", reject)
        .end(body);
    });
  }

  /** The data of an answer that must be good. */
  async data(method: string, path: string, ask: Ask = {}) {
    const answer = await this.ask(method, path, ask);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body.data;
  }

  /** Starts a task and waits for its end. */
  async task(method: string, path: string, ask: Ask = {}): Promise<TaskEnd> {
    return this.taskEnd(await this.data(method, path, ask));
  }

  /** Waits for a task's end. */
  async taskEnd(upid: string): Promise<TaskEnd> {
    const path = `/nodes/${upid.split(":")[1]}/tasks/${encodeURIComponent(upid)}`;
    const { exitstatus } = await until(
      `${upid} to end`,
      10,
      async () => {
        const status = await this.data("GET", `${path}/status`);
        return status.status === "stopped" && status;
      },
      20,
    );
    const lines: { t: string }[] = await this.data("GET", `${path}/log?limit=0`);
    return { exit: exitstatus, log: lines.map(({ t }) => t) };
  }

  /** The lock that a VM shows. */
  async lock(vm: string): Promise<string | undefined> {
    return (await this.data("GET", `${vm}/config`)).lock;
  }
}
