import { Agent, request } from "undici";
import { z } from "zod";
import { adviceFor, ProxmoxError, unreachable } from "./errors";

/** Bound of one call to the API, milliseconds; long work is a task that is polled. */
const CALL_TIMEOUT_MS = 10_000;

/** Where the API is and who asks. */
export interface ProxmoxAccess {
  /** `https://host:8006`, nothing after it. */
  readonly endpoint: string;
  /** PEM of the authority that vouches for it; the system's own where absent. */
  readonly caCertificate?: string;
  /** `user@realm!name`. */
  readonly tokenId: string;
  readonly tokenSecret: string;
}

/** A call's parameters, as the API's forms have them. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

const envelope = z.object({
  data: z.unknown(),
  message: z.string().optional(),
  errors: z.record(z.string(), z.string()).optional(),
});

/** The few calls of the Proxmox VE API that are used, typed at the border. One per program run or provider. */
export class ProxmoxClient {
  private readonly agent: Agent;

  constructor(private readonly access: ProxmoxAccess) {
    this.agent = new Agent({
      connect: { ca: access.caCertificate, timeout: CALL_TIMEOUT_MS },
    });
  }

  /** Reads. Asked twice where the connection fails: a read changes nothing. */
  async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    try {
      return await this.call("GET", path, shape);
    } catch (error) {
      if (!(error instanceof ProxmoxError && error.status === 0)) throw error;
      return await this.call("GET", path, shape);
    }
  }

  /** Starts work; never asked twice. @returns the task's UPID */
  post(path: string, parameters: Parameters): Promise<string> {
    return this.call("POST", path, z.string(), parameters);
  }

  /** Has something done that is answered with more than a task; never asked twice. */
  ask<T>(path: string, parameters: Parameters, shape: z.ZodType<T>): Promise<T> {
    return this.call("POST", path, shape, parameters);
  }

  /** Deletes; never asked twice. @returns the task's UPID */
  delete(path: string): Promise<string> {
    return this.call("DELETE", path, z.string());
  }

  /** Lets the process end. */
  async close(): Promise<void> {
    await this.agent.close();
  }

  private async call<T>(
    method: "GET" | "POST" | "DELETE",
    path: string,
    shape: z.ZodType<T>,
    parameters?: Parameters,
  ): Promise<T> {
    const { endpoint, tokenId, tokenSecret } = this.access;
    const what = `${method} ${path}`;
    const answer = await request(`${endpoint}/api2/json${path}`, {
      method,
      dispatcher: this.agent,
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      headers: {
        authorization: `PVEAPIToken=${tokenId}=${tokenSecret}`,
        ...(parameters && { "content-type": "application/x-www-form-urlencoded" }),
      },
      body: parameters && form(parameters),
    })
      .then(async ({ statusCode, statusText, body }) => ({ statusCode, statusText, text: await body.text() }))
      .catch((error: Error) => {
        throw unreachable(endpoint, error);
      });
    const { statusCode, statusText } = answer;
    const body = envelope.safeParse(parseJson(answer.text));
    if (statusCode !== 200) {
      const fields = Object.entries(body.data?.errors ?? {}).map(([key, why]) => `${key}: ${why.trim()}`);
      // A refused token gets a status line and an empty body.
      const reason = [body.data?.message?.trim() || statusText, ...fields].filter(Boolean).join("; ");
      throw new ProxmoxError(statusCode, `${what}: ${reason} (HTTP ${statusCode})`, adviceFor(statusCode));
    }
    const data = shape.safeParse(body.data?.data);
    if (!data.success) {
      throw new ProxmoxError(200, `${what}: an answer of an unknown shape: ${z.prettifyError(data.error)}`);
    }
    return data.data;
  }
}

/** A form; a list repeats its parameter. */
function form(parameters: Parameters): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((one): [string, string] => [name, one]),
  );
  return new URLSearchParams(pairs).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
