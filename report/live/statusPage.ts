/**
 * The page for a second screen, and the same as JSON. Served by the run's own process, to this machine alone: what it
 * shows is nobody else's, and it can do nothing.
 */
import { hash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { asFile } from "../canonical";
import { toHtml } from "../render/html";
import type { Status } from "./status";
import { statusDocument } from "./statusDocument";

/**
 * Every second the page takes over what the server shows now. It can be paused: what moves by itself must (WCAG 2.2.2).
 * A run that has ended no longer answers, and the page says so.
 */
const SCRIPT = `
const button = document.createElement("button");
button.type = "button";
const note = document.createElement("p");
note.className = "quiet";
note.setAttribute("role", "status");
let going = true;
const show = () => { button.textContent = going ? "Pause" : "Go on"; };
button.onclick = () => { going = !going; show(); };
show();
document.querySelector("footer").append(button, note);
setInterval(async () => {
  if (!going) return;
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["header", "main"]) {
      const [here, there] = [document.querySelector(part), now.querySelector(part)];
      if (here.innerHTML === there.innerHTML) continue;
      const focused = [...here.querySelectorAll("[tabindex]")].indexOf(document.activeElement);
      here.replaceWith(there);
      there.querySelectorAll("[tabindex]")[focused]?.focus();
    }
    document.title = now.title;
    note.textContent = "";
  } catch {
    note.textContent = "The run no longer answers: it has ended, or this machine has. What stands here is the last that was known.";
  }
}, 1000);
`;

const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${hash("sha256", SCRIPT, "base64")}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page of one moment. */
export const statusPage = (status: Status): Promise<string> => toHtml(statusDocument(status), SCRIPT);

/** A page that is served. */
export interface StatusServer {
  readonly url: string;
  close(): void;
}

/** @param port 0 takes any that is free @param now the status; undefined before there is one */
export async function serveStatus(port: number, now: () => Status | undefined): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, response, now()).catch((error: Error) => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(`the status could not be shown: ${error.message}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  // The run ends when it ends, whoever still looks.
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { method = "", url = "/", headers }: IncomingMessage,
  response: ServerResponse,
  status: Status | undefined,
): Promise<void> {
  const send = (code: number, type: string, body: string) => {
    const fixed = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
    response.writeHead(code, { "content-type": type, "content-security-policy": POLICY, ...fixed });
    response.end(method === "HEAD" ? undefined : body);
  };
  const [path] = url.split("?");
  // A stranger's page that has its own name point here is not shown it.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? "")) {
    return send(403, "text/plain", "this page is for this machine alone: open it as 127.0.0.1\n");
  }
  if (method !== "GET" && method !== "HEAD") return send(405, "text/plain", "it can only be looked at\n");
  if (path !== "/" && path !== "/status.json")
    return send(404, "text/plain", "there are / and /status.json\n");
  if (!status) return send(503, "text/plain", "the run is only just beginning; reload\n");
  return path === "/"
    ? send(200, "text/html; charset=utf-8", await statusPage(status))
    : send(200, "application/json; charset=utf-8", asFile(status));
}
