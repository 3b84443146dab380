/** Mail, to a real server with and without TLS. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SMTPServerOptions } from "smtp-server";
import { type Message, Refused } from "../../notify/message";
import { smtp } from "../../notify/smtp";
import { certificates } from "../../rehearsal/proxmox/certificates";
import { settingsOf } from "../report/fixtures";
import { answer, MailServer } from "./receivers";

const PASSWORD = "tr0ub4dor&3";
const message: Message = {
  id: "msg_1",
  kind: "announcement",
  at: "2026-11-24T12:00:00.000Z",
  changeId: "CR-1",
  subject: "CR-1: RKE2 v1.35.4+rke2r1 → v1.36.3+rke2r1",
  text: "It begins.\nnext: nothing",
  to: ["ops@example.org", "cab@example.org"],
};

describe("notify/smtp", () => {
  const folder = mkdtempSync(join(tmpdir(), "smtp-test-"));
  const { key, certificate, caFile } = certificates(join(folder, "ca"), ["127.0.0.1"], ["localhost"]);
  const ca = readFileSync(caFile, "utf8");
  let server: MailServer;
  let verdict: MailServer["verdict"] = () => undefined;
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => server.stop());

  /** Sends it to a server with these options, by a channel with this config. */
  async function send(options: SMTPServerOptions, config: Record<string, unknown>, given = message) {
    server = new MailServer(options);
    server.verdict = verdict;
    const mail = { host: "127.0.0.1", port: await server.start(), from: "rke2@example.org", to: ["x@y.org"] };
    const { notifications } = settingsOf({ notifications: { smtp: { ...mail, ...config } } });
    assert.ok(notifications.smtp);
    return smtp(notifications.smtp, PASSWORD, folder).deliver(given, AbortSignal.timeout(20_000));
  }
  beforeEach(() => {
    verdict = () => undefined;
  });

  it("is sent over STARTTLS after a log-in, to everyone, with an ID that stays", async () => {
    const logins: unknown[] = [];
    const options: SMTPServerOptions = {
      ...{ key, cert: certificate, authOptional: false },
      onAuth: ({ username, password }, { secure }, done) => {
        logins.push([username, password, secure]);
        done(null, { user: username });
      },
    };
    await send(options, { user: "rke2", caCertificate: ca });
    assert.deepEqual(logins, [["rke2", PASSWORD, true]]);
    const [mail] = server.mails;
    assert.deepEqual(mail?.to, message.to);
    assert.equal(mail?.tls, true);
    assert.equal(mail?.parsed.messageId, "<msg_1@example.org>");
    assert.equal(mail?.parsed.subject, message.subject);
    assert.equal(mail?.parsed.text?.trim(), message.text);
    assert.equal(mail?.parsed.headers.get("auto-submitted"), "auto-generated");
    assert.ok(!mail?.raw.includes(PASSWORD));
  });

  it("is sent over TLS from the first byte", async () => {
    await send({ key, cert: certificate, secure: true }, { tls: "implicit", caCertificate: ca });
    assert.equal(server.mails.length, 1);
  });

  it("carries the page and the calendar entry", async () => {
    writeFileSync(join(folder, "change.html"), "<!DOCTYPE html><title>x</title>");
    writeFileSync(join(folder, "announcement.ics"), "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n");
    const given = { ...message, files: ["change.html"], calendar: "announcement.ics" };
    await send({ disabledCommands: ["STARTTLS"] }, { tls: "none" }, given);
    const parts = server.mails[0]?.parsed.attachments.map(({ filename, contentType }) => [
      contentType,
      filename,
    ]);
    assert.deepEqual(parts?.toSorted(), [
      ["application/ics", "window.ics"],
      ["text/calendar", undefined],
      ["text/html", "CR-1-change.html"],
    ]);
    assert.ok(server.mails[0]?.raw.includes("text/calendar; charset=utf-8; method=PUBLISH"));
  });

  it("is not sent where the server offers no TLS, or shows a certificate that nobody vouches for", async () => {
    await assert.rejects(send({ disabledCommands: ["STARTTLS"] }, {}), /STARTTLS/i);
    await server.stop();
    await assert.rejects(send({ key, cert: certificate }, {}), /certificate/);
    assert.equal(server.mails.length, 0);
  });

  it("is refused for good by a permanent answer, and not by a passing one, nor by a wrong password", async () => {
    const plain = { disabledCommands: ["STARTTLS"] };
    verdict = () => answer(552, "too much mail");
    await assert.rejects(
      send(plain, { tls: "none" }),
      (error) => error instanceof Refused && /552/.test(error.message),
    );
    await server.stop();
    verdict = () => answer(451, "later");
    await assert.rejects(send(plain, { tls: "none" }), (error) => !(error instanceof Refused));
    await server.stop();
    const options: SMTPServerOptions = {
      ...plain,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(answer(535, "who are you")),
    };
    await assert.rejects(
      send(options, { tls: "none", user: "rke2" }),
      (error) => !(error instanceof Refused) && /535/.test((error as Error).message),
    );
  });

  it("says for whom it was not taken, where it was for others", async () => {
    const options: SMTPServerOptions = {
      disabledCommands: ["STARTTLS"],
      onRcptTo: ({ address }, _session, done) => done(/^cab/.test(address) ? answer(550, "who?") : null),
    };
    assert.equal(await send(options, { tls: "none" }), "not taken for cab@example.org");
  });
});
