import { Agent, request } from "undici";
import { z } from "zod";

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

/** What Proxmox VE answered instead of data. `status` 0: it could not be reached. */
export class ProxmoxError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "ProxmoxError";
  }
}

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
      headersTimeout: CALL_TIMEOUT_MS,
      bodyTimeout: CALL_TIMEOUT_MS,
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
  post(path: string, parameters: Record<string, string>): Promise<string> {
    return this.call("POST", path, z.string(), parameters);
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
    parameters?: Record<string, string>,
  ): Promise<T> {
    const { endpoint, tokenId, tokenSecret } = this.access;
    const what = `${method} ${path}`;
    const answer = await request(`${endpoint}/api2/json${path}`, {
      method,
      dispatcher: this.agent,
      headers: {
        authorization: `PVEAPIToken=${tokenId}=${tokenSecret}`,
        ...(parameters && { "content-type": "application/x-www-form-urlencoded" }),
      },
      body: parameters && new URLSearchParams(parameters).toString(),
    }).catch((error: Error) => {
      throw new ProxmoxError(0, `${endpoint} cannot be reached (${error.message})`);
    });
    const text = await answer.body.text();
    // A refused token gets an empty body after a pause of three seconds (facts: Proxmox).
    if (answer.statusCode === 401) {
      throw new ProxmoxError(
        401,
        `the token ${tokenId} is refused: check proxmox.tokenId and proxmoxTokenSecret`,
      );
    }
    const body = envelope.safeParse(parseJson(text));
    if (answer.statusCode !== 200) {
      const fields = Object.entries(body.data?.errors ?? {}).map(([key, why]) => `${key}: ${why.trim()}`);
      const reason = [body.data?.message?.trim(), ...fields].filter(Boolean).join("; ");
      throw new ProxmoxError(answer.statusCode, `${what}: ${reason || `HTTP ${answer.statusCode}`}`);
    }
    const data = shape.safeParse(body.data?.data);
    if (!data.success) {
      throw new ProxmoxError(200, `${what}: an answer of an unknown shape: ${z.prettifyError(data.error)}`);
    }
    return data.data;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
