import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { isMoment, isWebhookSecret } from "../../config/formats";
import { ConfigError, type Mistake } from "../../config/mistakes";
import { NOTIFIED } from "../../config/notificationSchema";
import { parseSettings } from "../../config/parse";
import { judgeSecrets, wantedSecrets } from "../../config/secrets";
import { EVENT_KINDS } from "../../report/live/event";
import { lab } from "./lab";

const smtp = { host: "mail.example.org", from: "rke2@example.org", to: ["ops@example.org"] };

/** Every mistake of a config with these keys. */
function mistakes(changes: Record<string, unknown>): readonly Mistake[] {
  try {
    parseSettings(lab(changes));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

/** The paths of the mistakes in these notifications; each says what is allowed and what to do. */
const paths = (notifications: unknown): string[] =>
  mistakes({ notifications }).map(({ path, allowed }) => {
    assert.ok(allowed.length > 5, path);
    return path;
  });

describe("config: notifications", () => {
  it("are none by default, and a channel that is set is told everything", () => {
    assert.deepEqual(parseSettings(lab()).notifications, {
      stakeholders: { infrastructure: [], changeAdvisoryBoard: [], devOps: [], operations: [] },
    });
    const { notifications } = parseSettings(
      lab({ notifications: { smtp, webhook: { url: "https://h.example.org/x" } } }),
    );
    assert.deepEqual(notifications.smtp?.events, NOTIFIED);
    assert.equal(notifications.smtp?.tls, "starttls");
    assert.deepEqual(notifications.webhook?.events, NOTIFIED);
  });

  it("know every kind that a run tells", () => {
    for (const kind of EVENT_KINDS) assert.ok(NOTIFIED.includes(kind), kind);
  });

  it("refuse what would send a secret in clear: http, and mail without TLS, but to this machine", () => {
    assert.deepEqual(paths({ webhook: { url: "http://hooks.example.org/x" } }), [
      "notifications.webhook.url",
    ]);
    assert.deepEqual(paths({ webhook: { url: "http://127.0.0.1.example.org/x" } }), [
      "notifications.webhook.url",
    ]);
    assert.deepEqual(paths({ webhook: { url: "http://127.0.0.1:8080/x" } }), []);
    assert.deepEqual(paths({ glpi: { url: "http://glpi.lab/apirest.php" } }), ["notifications.glpi.url"]);
    assert.deepEqual(paths({ smtp: { ...smtp, tls: "none" } }), ["notifications.smtp.tls"]);
    assert.deepEqual(paths({ smtp: { ...smtp, tls: "none", host: "127.0.0.1" } }), []);
  });

  it("let the operator consent to http, by name and for that channel alone", () => {
    const url = "http://glpi.lab/apirest.php";
    const [refused] = mistakes({ notifications: { glpi: { url } } });
    assert.match(refused?.next ?? "", /notifications\.glpi\.plainHttp' true/);
    assert.deepEqual(paths({ glpi: { url, plainHttp: true } }), []);
    assert.deepEqual(paths({ webhook: { url, plainHttp: true } }), []);
    assert.deepEqual(paths({ glpi: { url, plainHttp: true }, webhook: { url } }), [
      "notifications.webhook.url",
    ]);
    assert.deepEqual(paths({ glpi: { url, plainHttp: false } }), ["notifications.glpi.url"]);
    assert.deepEqual(paths({ glpi: { url: "ftp://glpi.lab/x", plainHttp: true } }), [
      "notifications.glpi.url",
    ]);
  });

  it("refuse mail to nobody, misspelt keys, kinds and addresses, each by its path", () => {
    assert.deepEqual(paths({ smtp: { ...smtp, to: [] } }), ["notifications.smtp.to"]);
    assert.deepEqual(
      paths({ smtp: { ...smtp, to: [] }, stakeholders: { operations: ["o@example.org"] } }),
      [],
    );
    assert.deepEqual(paths({ smtp: { ...smtp, from: "Ops <o@example.org>" } }), ["notifications.smtp.from"]);
    assert.deepEqual(paths({ smtp: { ...smtp, to: ["a@b.org\r\nBcc: x@y.org"] } }), [
      "notifications.smtp.to[0]",
    ]);
    assert.deepEqual(paths({ stakeholders: { ops: [] } }), ["notifications.stakeholders.ops"]);
    assert.deepEqual(paths({ glpi: { url: "https://g.example.org/apirest.php", events: ["finished"] } }), [
      "notifications.glpi.events[0]",
    ]);
    assert.deepEqual(paths({ glpi: { url: "https://g.example.org/apirest.php", ticket: "new" } }), [
      "notifications.glpi.ticket",
    ]);
  });

  it("want the secrets of the channels that are set, and of no other", () => {
    const glpi = { url: "https://glpi.example.org/apirest.php" };
    const wanted = wantedSecrets({ webhook: {}, smtp: { user: "u" }, glpi });
    const missing = judgeSecrets({}, wanted).filter(({ why }) => why?.startsWith("notifications."));
    assert.deepEqual(
      missing.map(({ path }) => path),
      ["webhookSecret", "smtpPassword", "glpiUserToken"],
    );
    assert.deepEqual(wantedSecrets({ smtp }), {});
    assert.deepEqual(wantedSecrets(undefined), {});
  });

  it("take a webhook's secret of 24 to 64 bytes, and nothing else", () => {
    const of = (length: number) => `whsec_${randomBytes(length).toString("base64")}`;
    fc.assert(
      fc.property(fc.nat(100), (length) => isWebhookSecret(of(length)) === (24 <= length && length <= 64)),
    );
    fc.assert(fc.property(fc.string(), (text) => !isWebhookSecret(text)));
  });
});

describe("config: signOff", () => {
  it("is not required by default, and takes a day or a moment", () => {
    assert.deepEqual(parseSettings(lab()).signOff, { required: false });
    for (const at of ["2026-11-29", "2026-11-29T05:10Z", "2026-11-29 05:10:00 +0000 UTC"])
      assert.ok(isMoment(at), at);
    for (const at of ["2026-11-29T05:10", "29.11.2026", "today", "2026-13-01T00:00Z"])
      assert.ok(!isMoment(at), at);
    assert.deepEqual(
      mistakes({ signOff: { by: "Ops", at: "soon" } }).map(({ path }) => path),
      ["signOff.at"],
    );
  });
});
