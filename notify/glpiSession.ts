/** A session of GLPI's REST API (its apirest.md), with the few calls that are used, typed at the border. */
import { FormData } from "undici";
import { z } from "zod";
import { type Answer, asker } from "./http";

/** Where the API is and who asks. */
export interface GlpiAccess {
  /** `https://host/apirest.php`. */
  readonly url: string;
  readonly caCertificate?: string;
  readonly userToken: string;
  /** Where GLPI's API client has one. */
  readonly appToken?: string;
}

/** What GLPI said no with: its status and its code, `ERROR_…`. */
export class GlpiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A page of a list, items. GLPI's own default is 50. */
const PAGE = 100;

const created = z.object({ id: z.int().positive() });

export class GlpiSession {
  private constructor(
    private readonly ask: ReturnType<typeof asker>,
    private readonly base: string,
    private readonly headers: Record<string, string>,
    private readonly signal: AbortSignal,
  ) {}

  /** Opens a session, does something in it, and closes it again however that ends. */
  static async within<T>(
    { url, caCertificate, userToken, appToken }: GlpiAccess,
    signal: AbortSignal,
    action: (session: GlpiSession) => Promise<T>,
  ): Promise<T> {
    const ask = asker(caCertificate);
    const base = url.replace(/\/$/, "");
    const app: Record<string, string> = appToken ? { "app-token": appToken } : {};
    const login = { ...app, authorization: `user_token ${userToken}`, "content-type": "application/json" };
    const opened = await ask(`${base}/initSession`, { method: "GET", headers: login }, signal);
    const { session_token } = read(opened, z.object({ session_token: z.string().min(1) }), "initSession");
    const session = new GlpiSession(ask, base, { ...app, "session-token": session_token }, signal);
    try {
      return await action(session);
    } finally {
      // It ends by itself otherwise; and a signal that has gone off must not keep it open.
      const close = { method: "GET" as const, headers: session.json };
      await ask(`${base}/killSession`, close, AbortSignal.timeout(2_000)).catch(() => undefined);
    }
  }

  /** One item. @throws GlpiError, 404 where there is none */
  async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return read(await this.call("GET", path), shape, path);
  }

  /**
   * Every item of a list, page by page.
   * @param name where only items of exactly this name are wanted
   */
  async list<T>(path: string, shape: z.ZodType<T>, name?: string): Promise<T[]> {
    const found: unknown[] = [];
    for (let start = 0; ; start += PAGE) {
      const query = new URLSearchParams({ range: `${start}-${start + PAGE - 1}` });
      // ^ and $ bind the text to the field's ends; case and accents GLPI leaves to its database.
      if (name !== undefined) query.set("searchText[name]", `^${name}$`);
      const answer = await this.call("GET", `${path}?${query}`);
      const page = read(answer, z.array(z.unknown()), path);
      found.push(...page);
      if (page.length < PAGE) break;
    }
    const named = z.object({ name: z.string() });
    return found
      .filter((item) => name === undefined || named.safeParse(item).data?.name === name)
      .map((item) => parsed(shape, item, path));
  }

  /** Makes an item. @returns its ID */
  async add(itemtype: string, input: Record<string, unknown>): Promise<number> {
    const answer = await this.call("POST", itemtype, JSON.stringify({ input }));
    return read(answer, created, itemtype).id;
  }

  /** Changes fields of an item. */
  async update(itemtype: string, id: number, input: Record<string, unknown>): Promise<void> {
    await this.call("PUT", `${itemtype}/${id}`, JSON.stringify({ input }));
  }

  /** Makes a document of a file. @returns its ID */
  async upload(name: string, file: string, content: Buffer, type: string): Promise<number> {
    const form = new FormData();
    form.set("uploadManifest", JSON.stringify({ input: { name, _filename: [file] } }));
    form.set("filename[0]", new File([new Uint8Array(content)], file, { type }));
    const asked = { method: "POST" as const, headers: this.headers, body: form };
    const answer = await this.ask(`${this.base}/Document`, asked, this.signal);
    return read(refused(answer, "Document"), created, "Document").id;
  }

  private get json(): Record<string, string> {
    return { ...this.headers, "content-type": "application/json" };
  }

  private async call(method: "GET" | "POST" | "PUT", path: string, body?: string): Promise<Answer> {
    const answer = await this.ask(`${this.base}/${path}`, { method, headers: this.json, body }, this.signal);
    return refused(answer, path.replace(/\?.*/, ""));
  }
}

/** @throws GlpiError where GLPI said no; of several items (207) one is a no */
function refused(answer: Answer, what: string): Answer {
  if (200 <= answer.status && answer.status < 300 && answer.status !== 207) return answer;
  const said = z.tuple([z.string(), z.unknown()]).safeParse(asJson(answer.text)).data;
  const [code = "", message = ""] = said ?? [];
  const text =
    typeof message === "string" ? message.replace(/; view documentation.*/s, "") : JSON.stringify(message);
  throw new GlpiError(
    answer.status,
    code,
    `GLPI, ${what}: ${[answer.status, code, text].filter(Boolean).join(" ")}`,
  );
}

const read = <T>(answer: Answer, shape: z.ZodType<T>, what: string): T =>
  parsed(shape, asJson(refused(answer, what).text), what);

function parsed<T>(shape: z.ZodType<T>, value: unknown, what: string): T {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  throw new Error(`GLPI, ${what}: what it answered is no GLPI's. next: look at notifications.glpi.url`);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
