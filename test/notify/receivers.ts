/** Receivers that tests start: a webhook's and a mail server, each of which fails when it is told to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { Webhook } from "standardwebhooks";

/** Listens on this machine. @returns the port */
export async function listen(server: Server | SMTPServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const inner = server instanceof SMTPServer ? server.server : server;
  return (inner.address() as AddressInfo).port;
}

export interface Received {
  readonly headers: Record<string, string>;
  readonly body: Record<string, unknown>;
}

/** How a receiver behaves at one request. */
export type Manner = "ok" | "hang" | "close" | number;

/** A webhook's receiver: verifies every signature with the standard's own library. */
export class HookReceiver {
  readonly received: Received[] = [];
  /** Requests whose signature did not hold. */
  readonly forged: string[] = [];
  /** What happens to the next requests, one after the other; "ok" after the last. */
  manners: Manner[] = [];
  requests = 0;
  private readonly server: Server;

  constructor(private readonly secret: string) {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  async start(): Promise<string> {
    return `http://127.0.0.1:${await listen(this.server)}/hook`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const manner = this.manners.shift() ?? "ok";
    let body = "";
    for await (const chunk of request) body += chunk;
    const headers = request.headers as Record<string, string>;
    if (manner === "hang") return;
    if (manner === "close") return void request.socket.destroy();
    if (typeof manner === "number") return void response.writeHead(manner).end(`no: ${this.secret}`);
    try {
      const verified = new Webhook(this.secret).verify(body, headers) as Record<string, unknown>;
      this.received.push({ headers, body: verified });
      response.writeHead(204).end();
    } catch (error) {
      this.forged.push(String(error));
      response.writeHead(401).end();
    }
  }
}

/** A mail server that keeps what it is sent. */
export class MailServer {
  readonly mails: {
    readonly parsed: ParsedMail;
    readonly raw: string;
    readonly to: string[];
    readonly tls: boolean;
  }[] = [];
  readonly server: SMTPServer;
  /** What it says to a mail once it has it; undefined takes it. */
  verdict: (count: number) => Error | undefined = () => undefined;
  private seen = 0;

  constructor(options: SMTPServerOptions = {}) {
    this.server = new SMTPServer({
      authOptional: true,
      // Names of clients are looked up in DNS otherwise.
      disableReverseLookup: true,
      ...options,
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const raw = Buffer.concat(chunks).toString("utf8");
          const no = this.verdict(this.seen++);
          if (no) return done(no);
          const to = session.envelope.rcptTo.map(({ address }) => address);
          simpleParser(raw).then((parsed) => {
            this.mails.push({ parsed, raw, to, tls: session.secure });
            done();
          }, done);
        });
      },
    });
    // A client that does not trust it goes away in the middle.
    this.server.on("error", () => undefined);
  }

  start = (): Promise<number> => listen(this.server);

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** A mail server's answer. */
export const answer = (code: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode: code });
