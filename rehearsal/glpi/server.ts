/**
 * A stand-in for GLPI's REST API, as its apirest.md documents it and API.php and APIRest.php of GLPI 10 answer: sessions,
 * the application's token, items with ranges and text search, updates, uploads with an uploadManifest, errors as
 * `["ERROR_…", "message"]`. It knows the few types that are used, in one entity, and no rights: whoever is in may all.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Item, Store } from "./store";

export interface GlpiOptions {
  readonly userToken: string;
  /** The API client's; without one GLPI wants none. */
  readonly appToken?: string;
}

/** A refusal, in GLPI's words. */
class No extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

/** `$_SESSION['glpilist_limit']` of a new user. */
const LIST_LIMIT = 15;

export class GlpiServer {
  readonly store = new Store();
  readonly server: Server;
  private readonly sessions = new Set<string>();
  /** Every request line, for tests. */
  readonly requests: string[] = [];
  /** What comes before a request is answered; it may throw or wait, for tests. */
  before: (request: IncomingMessage, response: ServerResponse) => Promise<boolean> = async () => true;

  constructor(private readonly options: GlpiOptions) {
    this.server = createServer((request, response) => {
      this.respond(request, response).catch((error: Error) => response.destroy(error));
    });
  }

  /** Sessions that were opened and not closed. */
  get open(): number {
    return this.sessions.size;
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    if (!(await this.before(request, response))) return;
    const { status, body, headers } = await this.answer(request).catch((error: unknown): Reply => {
      if (!(error instanceof No)) throw error;
      return { status: error.status, body: [error.code, error.message] };
    });
    response
      .writeHead(status, { "content-type": "application/json; charset=UTF-8", ...headers })
      .end(JSON.stringify(body));
  }

  private async answer(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? "/", "http://host");
    const parts = url.pathname
      .replace(/^\/apirest\.php\/?/, "")
      .split("/")
      .filter(Boolean);
    const { input, file } = await parameters(request);
    this.checkApp(request);
    if (parts[0] === "initSession") return this.initSession(request);
    const session = String(request.headers["session-token"] ?? "");
    if (session === "")
      throw new No(400, "ERROR_SESSION_TOKEN_MISSING", "parameter session_token is missing or empty");
    if (!this.sessions.has(session))
      throw new No(401, "ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid");
    if (parts[0] === "killSession") {
      this.sessions.delete(session);
      return { status: 200, body: true };
    }
    return this.items(request.method ?? "GET", parts, url.searchParams, input, file);
  }

  private checkApp(request: IncomingMessage): void {
    const given = String(request.headers["app-token"] ?? "");
    if (given === (this.options.appToken ?? "")) return;
    throw given === ""
      ? new No(400, "ERROR_APP_TOKEN_PARAMETERS_MISSING", "missing parameter app_token")
      : new No(400, "ERROR_WRONG_APP_TOKEN_PARAMETER", "parameter app_token seems wrong");
  }

  private initSession({ headers }: IncomingMessage): Reply {
    const token = /^user_token (\S+)$/.exec(headers.authorization ?? "")?.[1];
    if (!token)
      throw new No(
        400,
        "ERROR_LOGIN_PARAMETERS_MISSING",
        "parameter(s) login, password or user_token are missing; view documentation in your browser at http://glpi/apirest.php/#ERROR_LOGIN_PARAMETERS_MISSING",
      );
    if (token !== this.options.userToken)
      throw new No(401, "ERROR_GLPI_LOGIN_USER_TOKEN", "parameter user_token seems invalid");
    const session = randomBytes(13).toString("hex");
    this.sessions.add(session);
    return { status: 200, body: { session_token: session } };
  }

  private items(
    method: string,
    [type = "", id, child]: readonly string[],
    query: URLSearchParams,
    input: Record<string, unknown> | undefined,
    file: Uploaded | undefined,
  ): Reply {
    for (const one of [type, child ?? type])
      if (!this.store.knows(one))
        throw new No(
          400,
          "ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM",
          "resource not found or not an instance of CommonDBTM",
        );
    const item = id === undefined ? undefined : this.store.item(type, Number(id));
    if (method === "POST") return this.add(type, input, file);
    if (method === "PUT" || method === "PATCH") return this.update(item, Number(id), input);
    if (method !== "GET") throw new No(405, "ERROR_METHOD_NOT_ALLOWED", "Method Not Allowed");
    if (id !== undefined && !item) throw new No(404, "ERROR_ITEM_NOT_FOUND", "Item not found");
    if (item && !child) return { status: 200, body: item };
    return list(
      child && item ? this.store.below(type, item.id, child) : this.store.items(type),
      child ?? type,
      query,
    );
  }

  private add(type: string, input: Record<string, unknown> | undefined, file: Uploaded | undefined): Reply {
    if (!input) throw new No(400, "ERROR_BAD_ARRAY", "input parameter must be an an array of objects");
    const item =
      file && type === "Document"
        ? this.store.addDocument(input, file.name, file.type, file.content)
        : this.store.add(type, input);
    if (!item) throw new No(400, "ERROR_GLPI_ADD", "");
    const message = file ? "Document move succeeded." : "";
    return {
      status: 201,
      body: { id: item.id, message },
      headers: { location: `/apirest.php/${type}/${item.id}` },
    };
  }

  private update(item: Item | undefined, id: number, input: Record<string, unknown> | undefined): Reply {
    if (!input) throw new No(400, "ERROR_BAD_ARRAY", "input parameter must be an an array of objects");
    if (!item) throw new No(400, "ERROR_GLPI_UPDATE", "Item not found");
    this.store.update(item, input);
    return { status: 200, body: [{ [id]: true, message: "" }] };
  }
}

/** A collection, cut to its range: 206 where that is not all of it. */
function list(all: readonly Item[], type: string, query: URLSearchParams): Reply {
  const searched = [...query].filter(([name]) => /^searchText\[\w+\]$/.test(name));
  const found = all
    .filter((item) => item.is_deleted !== 1)
    .filter((item) => searched.every(([name, value]) => like(String(item[name.slice(11, -1)] ?? ""), value)));
  const range = query.get("range") ?? `0-${LIST_LIMIT - 1}`;
  if (!/^\d+-\d+$/.test(range))
    throw new No(400, "ERROR", "range must be in format : [start-end] with integers");
  const [start = 0, end = 0] = range.split("-").map(Number);
  if (start > found.length)
    throw new No(
      400,
      "ERROR_RANGE_EXCEED_TOTAL",
      `Provided range exceed total count of data: ${found.length}`,
    );
  const last = Math.min(end, found.length - 1);
  return {
    status: last - start + 1 < found.length ? 206 : 200,
    body: found.slice(start, end + 1),
    headers: {
      "accept-range": `${type} 990`,
      ...(found.length > 0 && { "content-range": `${start}-${last}/${found.length}` }),
    },
  };
}

/** Search::makeTextSearch: anywhere in the text, ^ and $ bind it to its ends; _ and % are SQL's, and case is ignored. */
function like(text: string, pattern: string): boolean {
  const bare = pattern.replace(/^\^/, "").replace(/\$$/, "");
  const expression = bare
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  const [from, to] = [pattern.startsWith("^") ? "^" : "", pattern.endsWith("$") ? "$" : ""];
  return new RegExp(`${from}${expression}${to}`, "is").test(text);
}

interface Uploaded {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

/** A body's input: JSON, or an uploadManifest with a file. */
async function parameters(
  request: IncomingMessage,
): Promise<{ input?: Record<string, unknown>; file?: Uploaded }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (body.length === 0) return {};
  if (request.method === "GET")
    throw new No(400, "ERROR_JSON_PAYLOAD_FORBIDDEN", "GET Request should not have json payload (http body)");
  const type = request.headers["content-type"] ?? "application/json";
  if (!type.startsWith("multipart/form-data")) return { input: json(body.toString("utf8")).input as never };
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  const file = [...form.values()].find((value): value is File => typeof value !== "string");
  if (!file) throw new No(400, "ERROR_UPLOAD_FILE_TOO_BIG_POST_MAX_SIZE", "The file seems too big");
  const manifest = json(String(form.get("uploadManifest") ?? ""));
  return {
    input: manifest.input as never,
    file: { name: file.name, type: file.type, content: Buffer.from(await file.arrayBuffer()) },
  };
}

function json(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, as any other.
  }
  throw new No(400, "ERROR_JSON_PAYLOAD_INVALID", "JSON payload seems not valid");
}
