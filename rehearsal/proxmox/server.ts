import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { authenticate } from "./access";
import type { Certificates } from "./certificates";
import { dispatch } from "./dispatch";
import { PveError } from "./errors";
import { type Site, WithTotal } from "./method";
import type { Given } from "./parameters";

const PREFIX = "/api2/json";

/** How long a refusal of credentials takes, against guessing. */
const REFUSAL_MS = 3000;

/** Requests are small; a real pveproxy refuses larger ones as well. */
const LARGEST_BODY = 512 * 1024;

/** The API over HTTPS: authentication, parsing, and answers in the form that Proxmox VE gives them. */
export function apiServer(site: Site, { key, certificate }: Certificates): Server {
  return createServer({ key, cert: certificate }, (request, response) => {
    answer(site, request)
      .then((result) =>
        send(response, 200, "OK", result instanceof WithTotal ? result : { data: result ?? null }),
      )
      .catch((error) => refuse(response, error));
  });
}

async function answer(site: Site, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? "/", "https://host");
  const who = authenticate(site.clusterFile.read(), request.headers.authorization);
  if (!url.pathname.startsWith(`${PREFIX}/`)) throw new PveError(`no such file '${url.pathname}'`, 501);
  const body = await parameters(request);
  const method = request.method ?? "GET";
  return dispatch(site, {
    method,
    path: url.pathname.slice(PREFIX.length),
    parameters: { ...fromForm(url.searchParams), ...body },
    who,
  });
}

/** A form's parameters; a repeated one is a list. */
function fromForm(form: URLSearchParams): Given {
  const names = [...new Set(form.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const all = form.getAll(name);
      return [name, all.length === 1 ? (all[0] ?? "") : all];
    }),
  );
}

/** A body's parameters: a form, or a JSON object with plain values and lists of them. */
async function parameters(request: IncomingMessage): Promise<Given> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new PveError("for data too large", 413);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString("utf8");
  if (!body) return {};
  if (request.method !== "POST" && request.method !== "PUT") {
    throw new PveError(`Unexpected content for method '${request.method}'`, 501);
  }
  if (!request.headers["content-type"]?.startsWith("application/json")) {
    return fromForm(new URLSearchParams(body));
  }
  try {
    const plain = Object.entries(JSON.parse(body) as Record<string, unknown>);
    const word = (value: unknown) => (typeof value === "boolean" ? (value ? "1" : "0") : String(value));
    return Object.fromEntries(
      plain.map(([name, value]) => [name, Array.isArray(value) ? value.map(word) : word(value)]),
    );
  } catch {
    throw new PveError("unable to parse JSON body", 400);
  }
}

async function refuse(response: ServerResponse, error: unknown): Promise<void> {
  if (!(error instanceof PveError)) console.error(error);
  const { message, status, errors } =
    error instanceof PveError ? error : new PveError(error instanceof Error ? error.message : String(error));
  // The message stands in the status line too, and there alone for a refusal of credentials.
  const reason = (message.split("\n")[0] ?? "").replace(/[^\x20-\x7e]/g, "?");
  if (status === 401) {
    await pause(REFUSAL_MS);
    response.writeHead(status, reason, { "content-length": 0 }).end();
    return;
  }
  send(response, status, reason, { data: null, message: `${message}\n`, ...(errors && { errors }) });
}

function send(response: ServerResponse, status: number, reason: string, value: object): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, reason, {
      "content-type": "application/json;charset=UTF-8",
      "content-length": Buffer.byteLength(body),
      "cache-control": "max-age=0",
      server: "pve-api-daemon/3.0",
    })
    .end(body);
}
