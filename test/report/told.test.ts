/** Who is told, through the commands of one change: a real mail server, a webhook's receiver and GLPI's API beside it. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { NOTIFICATIONS_FILE } from "../../notify/log";
import { GlpiServer } from "../../rehearsal/glpi/server";
import { announce, notify } from "../../report/announceCommand";
import { apply } from "../../report/applyCommand";
import { readChain } from "../../report/chain";
import { readReport } from "../../report/files";
import { plan } from "../../report/planCommand";
import { report } from "../../report/reportCommand";
import { toldLine } from "../../report/told";
import { verify } from "../../report/verify";
import { lab } from "../config/lab";
import { HookReceiver, listen, MailServer } from "../notify/receivers";
import { FROM, historyEntry, seenOf, settingsOf, stateOf, TO } from "./fixtures";
import { StandInPulumi } from "./standInPulumi";

const SECRETS = {
  webhookSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  smtpPassword: "tr0ub4dor and 3",
  glpiUserToken: "q56hqkniwot8wntb3z1qarka5atf365taaa2uyjrn",
  glpiAppToken: "f7g3csp8mgatg5ebc5elnazakw20i9fyev1qopya7",
};
const secrets = Object.fromEntries(
  Object.entries(SECRETS).map(([key, value]) => [`rke2-upgrade:${key}`, value]),
);
const settings = settingsOf();
const PLAN = { "w1-install": ["create"] };
/** As many tries as our own, without their pauses. */
const AT_ONCE = { pausesMs: [10, 10, 10, 10], tryMs: 15_000 };

describe("report: who is told", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "told-test-"));
  const configFile = join(folder, "Pulumi.lab.yaml");
  let directory = "";
  let pulumi: StandInPulumi;
  let hook: HookReceiver;
  let mail: MailServer;
  let glpi: GlpiServer;
  let channels: Record<string, unknown>;
  /** All that any of the servers was sent in clear, beside what they check. */
  const sent = () => JSON.stringify([hook.received, mail.mails.map(({ raw }) => raw), glpi.store]);

  before(() => {
    pulumi = new StandInPulumi();
  });
  after(() => {
    pulumi.remove();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    directory = mkdtempSync(join(folder, "change-"));
    hook = new HookReceiver(SECRETS.webhookSecret);
    mail = new MailServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === SECRETS.smtpPassword ? done(null, { user: username }) : done(new Error("no")),
    });
    glpi = new GlpiServer({ userToken: SECRETS.glpiUserToken, appToken: SECRETS.glpiAppToken });
    for (const { name } of settings.nodes) glpi.store.add("Computer", { name });
    channels = {
      webhook: { url: await hook.start() },
      smtp: {
        ...{ host: "127.0.0.1", port: await mail.start(), tls: "none", user: "rke2" },
        from: "rke2@example.org",
      },
      glpi: { url: `http://127.0.0.1:${await listen(glpi.server)}/apirest.php` },
      stakeholders: { operations: ["ops@example.org"], changeAdvisoryBoard: ["cab@example.org"] },
    };
    configure();
    const history = [historyEntry(settings, 0, "succeeded")];
    pulumi.answer({
      plan: PLAN,
      seen: seenOf(settings),
      state: stateOf(settings),
      history,
      config: secrets,
      code: 0,
    });
  });
  afterEach(async () => {
    hook.stop();
    glpi.server.closeAllConnections();
    glpi.server.close();
    await mail.stop();
  });

  /** What the operator has in the stack's config. */
  function configure(more: Record<string, unknown> = {}): void {
    const approval = { changeId: "CR-1", approver: "cab" };
    const raw = lab({ rke2Version: TO, changeId: "CR-1", approval, notifications: channels, ...more });
    const sealed = Object.keys(SECRETS).map((key) => [`rke2-upgrade:${key}`, { secure: `v1:${key}` }]);
    const config = Object.entries(raw).map(([key, value]): [string, unknown] => [
      `rke2-upgrade:${key}`,
      // As an operator's file has them.
      /^[[{]/.test(value) ? JSON.parse(value) : value,
    ]);
    writeFileSync(configFile, stringify({ config: Object.fromEntries([...config, ...sealed]) }));
  }

  /** What a command prints; its failure is thrown. */
  async function said(action: (options: never) => Promise<void>, more: Record<string, unknown> = {}) {
    const { log, error } = console;
    const write = process.stdout.write;
    let text = "";
    console.log = console.error = (line: string) => {
      text += `${line}\n`;
    };
    process.stdout.write = () => true;
    try {
      await action({ stack: "lab", configFile, out: directory, ...more } as never);
      return { text, code: process.exitCode };
    } finally {
      Object.assign(console, { log, error });
      process.stdout.write = write;
      process.exitCode = 0;
    }
  }

  it("announces with the page and a calendar entry, tells of the run, and the report says who was told", async () => {
    await said(plan);
    const announced = await said(announce);
    assert.match(announced.text, /announcement by smtp: delivered, 1 try/);
    const [first] = mail.mails;
    assert.deepEqual(first?.to.toSorted(), ["cab@example.org", "ops@example.org"]);
    assert.match(
      first?.parsed.subject ?? "",
      new RegExp(`^CR-1: RKE2 ${FROM.replaceAll(/[.+]/g, "\\$&")} → .*UTC$`),
    );
    const page = first?.parsed.attachments.find(({ filename }) => filename === "CR-1-change.html");
    assert.equal(page?.content.toString("utf8"), readFileSync(join(directory, "change.html"), "utf8"));
    assert.equal(glpi.store.contents.get(1)?.toString("utf8"), page?.content.toString("utf8"));
    assert.match(readFileSync(join(directory, "announcement.ics"), "utf8"), /SEQUENCE:0\r\n/);

    await said(announce);
    assert.match(readFileSync(join(directory, "announcement.ics"), "utf8"), /SEQUENCE:1\r\n/);
    assert.equal(glpi.store.item("Ticket", 1)?.status, 3);

    await said(apply);
    assert.deepEqual(
      hook.received.map(({ body }) => body.kind),
      ["announcement", "announcement", "start", "done"],
    );
    assert.deepEqual(hook.forged, []);
    assert.match(String(hook.received[2]?.body.text), /approved by cab, by the stack's config, unsigned/);
    assert.equal(glpi.store.item("Ticket", 1)?.status, 4);
    assert.equal(glpi.store.items("ITILFollowup").length, 4);
    // Validation is Operations' own, and the CAB is informed: both; Infrastructure, who do it, have no address here.
    assert.deepEqual(mail.mails.at(-1)?.to.toSorted(), ["cab@example.org", "ops@example.org"]);

    const made = await readReport(directory);
    assert.deepEqual(
      made?.told?.filter(({ channel }) => channel === "glpi").map(({ kind, outcome }) => [kind, outcome]),
      [
        ["announcement", "delivered"],
        ["announcement", "delivered"],
        ["start", "delivered"],
        ["done", "delivered"],
        ["inventory", "delivered"],
      ],
    );
    const inventory = made?.controls[0]?.statements.at(-1);
    assert.equal(inventory?.text, `inventory in GLPI: delivered, RKE2's version of 7 of 7 nodes is recorded`);
    assert.ok(inventory?.measured);
    assert.equal(glpi.store.items("Item_SoftwareVersion").length, settings.nodes.length);
    assert.match(
      readFileSync(join(directory, "report.md"), "utf8"),
      /## Who was told\n[\s\S]*CR-1: done \| /,
    );
    assert.deepEqual(await verify(directory), { faults: [], notes: [], afterHead: [] });

    // Nothing is owed: nobody is told anything again.
    const before = sent();
    await said(report);
    assert.equal(sent(), before);
    assert.deepEqual(await verify(directory), { faults: [], notes: [], afterHead: [] });
  });

  it("never holds a run: what is not delivered is in the record, and goes out with the next command", async () => {
    await said(plan);
    const port = (channels.smtp as { port: number }).port;
    await mail.stop();
    // Two tries and a pause that the end cuts off, then three of the four that the next command needs.
    hook.manners = [500, 500, 500, 500, 500];
    const pausesMs = [20, 600_000];
    const began = Date.now();
    await said(apply, { waits: { patience: { pausesMs, tryMs: 15_000 }, atTheEndMs: 1_000 } });
    assert.ok(Date.now() - began < 60_000, "the run was held");
    const told = (await readReport(directory))?.told ?? [];
    const mails = told.filter(({ channel }) => channel === "smtp");
    assert.deepEqual(
      mails.map(({ kind, outcome }) => [kind, outcome]),
      [
        ["start", "not delivered"],
        ["done", "not delivered"],
      ],
    );
    assert.match(mails[0]?.detail ?? "", /ECONNREFUSED/);
    assert.match(readFileSync(join(directory, "report.md"), "utf8"), /✖ not delivered, \d+ tries/);
    assert.match((await said(notify)).text, /start by smtp: not delivered, .*ECONNREFUSED.*, \d tries/);

    mail = new MailServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: (_a, _s, done) => done(null, { user: "x" }),
    });
    await new Promise<void>((resolve) => mail.server.listen(port, "127.0.0.1", () => resolve()));
    const retried = await said(notify, { retry: true, patience: AT_ONCE });
    assert.match(retried.text, /start by smtp: delivered/);
    assert.equal(retried.code, 0);
    assert.deepEqual(
      mail.mails.map(({ parsed }) => parsed.subject),
      ["CR-1: a run has begun", "CR-1: done"],
    );
    await said(report);
    assert.ok((await readReport(directory))?.told?.every(({ outcome }) => outcome === "delivered"));
    assert.deepEqual((await verify(directory)).faults, []);
  });

  it("holds no secret in any record, and sends none", async () => {
    await said(plan);
    hook.manners = [500, 401];
    await said(announce, { patience: AT_ONCE });
    await said(apply);
    const records = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
    for (const [key, secret] of Object.entries(SECRETS)) {
      for (const form of [secret, Buffer.from(secret).toString("base64"), secret.replace("whsec_", "")]) {
        assert.ok(!records.some((text) => text.includes(form)), `${key} in a record`);
        assert.ok(!sent().includes(form), `${key} in a message`);
      }
    }
    assert.ok(records.some((text) => text.includes("‹secret›")));
  });

  it("finds an edit of who was told, and tells what is not in the chain yet from it", async () => {
    await said(plan);
    await said(announce);
    const file = join(directory, NOTIFICATIONS_FILE);
    const whole = readFileSync(file, "utf8");
    const line = whole.trim().split("\n").at(-1) ?? "";
    appendFileSync(file, `${line}\n`);
    assert.deepEqual(await verify(directory), {
      faults: [],
      afterHead: [],
      notes: [`${NOTIFICATIONS_FILE}: 1 lines are not in the chain yet: npm run change -- report`],
    });
    for (const edited of [whole.replace("delivered", "refused"), whole.slice(0, -2), `\n${whole}`, line]) {
      writeFileSync(file, edited);
      assert.deepEqual((await verify(directory)).faults, [`${NOTIFICATIONS_FILE}: it was edited`]);
    }
    writeFileSync(file, whole);
    // A record that stays where it is is never written anew: whoever appends to it meanwhile loses nothing.
    assert.equal((await readChain(directory)).filter((link) => link.file === NOTIFICATIONS_FILE).length, 1);
  });

  it("refuses to announce what is not planned, edited, misconfigured or for no window, before anybody is told", async () => {
    await assert.rejects(
      said(announce),
      /holds no change request for this \(upgrade\). next: npm run change -- plan/,
    );
    await said(plan);
    await assert.rejects(said(announce, { at: "2026-11-24T03:00" }), /is no moment with its zone. next:/);
    await assert.rejects(said(announce, { at: "2020-11-22T01:00Z" }), /is over. next:/);
    await assert.rejects(
      said(announce, { at: "2099-11-24T03:00Z" }),
      /lies in no maintenance window \(sun 01:00/,
    );
    pulumi.answer({ config: { ...secrets, "rke2-upgrade:webhookSecret": "hunter2" } });
    await assert.rejects(said(announce), /rke2-upgrade:webhookSecret\n.*another form/s);
    configure({ notifications: {} });
    await assert.rejects(said(announce), /no channel is set that would tell it. next: set notifications/);
    configure();
    appendFileSync(join(directory, "change.html"), "x");
    await assert.rejects(said(announce), /change.html: it was edited\nnext: /);
    assert.deepEqual([hook.requests, mail.mails.length, glpi.requests.length], [0, 0, 0]);
  });

  describe("sign-off", () => {
    const settledOn = settingsOf({ acceptedVersion: TO });
    const accepting = (signOff: unknown) => configure({ acceptedVersion: TO, signOff, notifications: {} });
    const minute = (agoMinutes: number) =>
      `${new Date(Date.now() - agoMinutes * 60_000).toISOString().slice(0, 16)}Z`;
    beforeEach(() => {
      // It ended an hour ago, as this machine's clock goes.
      const entry = historyEntry(settings, 0, "succeeded");
      const history = [{ ...entry, startTime: minute(70), endTime: minute(60) }];
      pulumi.answer({ seen: seenOf(settledOn), plan: { accept: ["create"] }, history });
    });

    it("is wanted for acceptance where it is required, names this change, and comes after the plan", async () => {
      accepting({ required: true });
      await said(plan);
      await assert.rejects(
        said(apply),
        /nothing was touched.*signOff.changeId is not set.*next: once they have: pulumi/s,
      );
      accepting({ required: true, changeId: "CR-0", by: "ops" });
      await assert.rejects(said(apply), /signOff.changeId is CR-0, this change is CR-1/);
      const signed = { required: true, changeId: "CR-1", by: "ops" };
      for (const [at, why] of [
        [undefined, "is not set"],
        [minute(90), "before the upgrade had ended"],
        [minute(-90), "is to come"],
      ] as const) {
        accepting({ ...signed, at });
        await assert.rejects(
          said(apply),
          new RegExp(
            `nothing was touched.*signOff.at .*${why}; allowed: from .*Z, to now, .*next: .*signOff.at'`,
            "s",
          ),
        );
      }
      const at = minute(30);
      accepting({ ...signed, at });
      await said(apply);
      const made = await readReport(directory);
      assert.deepEqual(made?.signOff, { by: "ops", at });
      assert.ok(
        made?.statements.some(
          ({ text, measured }) => measured && text === `Operations signed the validation off: ops, ${at}`,
        ),
      );
      // Taken out for the next change, or written anew, it was given as it was; whether it is required is what was approved.
      for (const now of [{ required: true }, { ...signed, by: "somebody else" }]) {
        accepting(now);
        await said(report);
        assert.deepEqual((await readReport(directory))?.signOff, { by: "ops", at });
      }
      accepting({ required: false });
      await assert.rejects(said(apply), /config: rke2-upgrade:signOff.required: changed since the plan/);
    });

    it("is told as the config's word alone where no run asked for it", async () => {
      accepting({ changeId: "CR-1", by: "ops" });
      await said(report);
      const told = (await readReport(directory))?.statements.find(({ source }) =>
        source.includes("§2.3: signOff"),
      );
      assert.equal(told?.measured, false);
      assert.match(told?.text ?? "", /^no run .* the config states one: ops, without a time$/);
    });

    it("is asked of no upgrade, and of no acceptance where it is not required", async () => {
      configure({ signOff: { required: true }, notifications: {} });
      pulumi.answer({ seen: seenOf(settings), plan: PLAN });
      await said(plan);
      await said(apply);
      accepting({});
      pulumi.answer({ seen: seenOf(settledOn), plan: { accept: ["create"] } });
      await said(plan);
      await said(apply);
      assert.ok((await readReport(directory))?.statements.some(({ text }) => /no sign-off/.test(text)));
    });
  });
});

describe("report/told: what a receiver answered", () => {
  it("is told without what a terminal would obey", () => {
    const told = {
      at: "",
      channel: "webhook",
      kind: "done",
      subject: "",
      outcome: "refused",
      tries: 1,
    } as const;
    assert.equal(
      toldLine({ ...told, detail: "\u001b]0;gone\u0007" }),
      "done by webhook: refused, ]0;gone, 1 try",
    );
  });
});
