/** The ticket and the inventory, against a server with GLPI's documented API. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { glpi } from "../../notify/glpi";
import { GlpiError, GlpiSession } from "../../notify/glpiSession";
import { type Message, Refused } from "../../notify/message";
import { GlpiServer } from "../../rehearsal/glpi/server";
import { settingsOf } from "../report/fixtures";
import { listen } from "./receivers";

const TOKENS = {
  userToken: "q56hqkniwot8wntb3z1qarka5atf365taaa2uyjrn",
  appToken: "f7g3csp8mgatg5ebc5elnazakw20i9fyev1",
};
const message: Message = {
  id: "msg_1",
  kind: "start",
  at: "2026-11-24T12:00:00.000Z",
  changeId: "CR-1",
  subject: "CR-1: a run has begun",
  text: "RKE2 <v1> & <v2>\nnext: nothing",
};

describe("notify/glpi", () => {
  let server: GlpiServer;
  let url = "";
  let directory = "";
  beforeEach(async () => {
    server = new GlpiServer(TOKENS);
    url = `http://127.0.0.1:${await listen(server.server)}/apirest.php`;
    directory = mkdtempSync(join(tmpdir(), "glpi-test-"));
  });
  afterEach(() => {
    assert.equal(server.open, 0, "a session was left open");
    server.server.closeAllConnections();
    server.server.close();
    rmSync(directory, { recursive: true });
  });

  function deliver(given: Partial<Message>, config: Record<string, unknown> = {}, tokens = TOKENS) {
    const { notifications } = settingsOf({ notifications: { glpi: { url, ...config } } });
    assert.ok(notifications.glpi);
    const whole = { ...message, ...given };
    return glpi(notifications.glpi, tokens, directory).deliver(whole, AbortSignal.timeout(10_000));
  }
  const { items, item } = {
    items: (type: string) => server.store.items(type),
    item: (type: string, id = 1) => server.store.item(type, id),
  };

  it("makes the change's ticket once, and a follow-up of each message once, however often it is tried", async () => {
    assert.equal(await deliver({}), "ticket 1");
    await deliver({});
    await deliver({ id: "msg_2", kind: "nodeDone" });
    assert.equal(items("Ticket").length, 1);
    assert.equal(item("Ticket")?.name, "RKE2 change CR-1");
    assert.equal(items("ITILFollowup").length, 2);
    // Stored as GLPI stores HTML, and the text within it was escaped before.
    assert.match(
      String(item("ITILFollowup")?.content),
      /RKE2 &#38;lt;v1&#38;gt; &#38;amp; .*&#60;br&#62;next: nothing/,
    );
    assert.equal(item("Ticket")?.status, 2);
  });

  it("sets the ticket's status by what is told, and leaves one alone that people have solved", async () => {
    server.store.add("Ticket", { name: "by hand" });
    const statuses: unknown[] = [];
    const kinds = [
      "announcement",
      "start",
      "nodeDone",
      "held",
      "start",
      "failed",
      "rollback",
      "done",
    ] as const;
    for (const [i, kind] of kinds.entries()) {
      await deliver({ id: `msg_${i}`, kind }, { ticket: 1 });
      statuses.push(item("Ticket")?.status);
    }
    assert.deepEqual(statuses, [3, 2, 2, 4, 2, 4, 2, 4]);
    await deliver({ id: "msg_solves", kind: "done", solves: true }, { ticket: 1 });
    assert.equal(item("Ticket")?.status, 5);
    await deliver({ id: "msg_after", kind: "start" }, { ticket: 1 });
    assert.equal(item("Ticket")?.status, 5);
    assert.equal(items("Ticket").length, 1);
  });

  it("attaches a file once, byte for byte, and links it to the ticket", async () => {
    const page = "<!DOCTYPE html><title>→ </title>";
    writeFileSync(join(directory, "change.html"), page);
    await deliver({ kind: "announcement", files: ["change.html"] });
    await deliver({ kind: "announcement", files: ["change.html"] });
    assert.equal(items("Document").length, 1);
    assert.equal(item("Document")?.filename, "CR-1-change.html");
    assert.equal(item("Document")?.mime, "text/html");
    assert.equal(server.store.contents.get(1)?.toString("utf8"), page);
    assert.deepEqual(items("Document_Item"), [{ id: 1, documents_id: 1, itemtype: "Ticket", items_id: 1 }]);
  });

  it("goes on where it was cut off after any of its requests, and does nothing twice", async () => {
    writeFileSync(join(directory, "change.html"), "<!DOCTYPE html>");
    const given = { kind: "announcement" as const, files: ["change.html"] };
    const { length } = await requestsOf(() => deliver(given));
    assert.ok(length > 8);
    for (let cut = 1; cut <= length; cut += 1) {
      server.store.items("Ticket").length = 0;
      for (const type of ["ITILFollowup", "Document", "Document_Item"]) items(type).length = 0;
      let count = 0;
      // It is done, and its answer is lost.
      server.before = async (_request, response) => {
        count += 1;
        if (count === cut) response.end = () => response.destroy() as never;
        return true;
      };
      await deliver(given).catch(() => undefined);
      server.before = async () => true;
      assert.equal(await deliver(given), "ticket 1", `cut at ${cut}`);
      const counts = ["Ticket", "ITILFollowup", "Document", "Document_Item"].map(
        (type) => items(type).length,
      );
      assert.deepEqual(counts, [1, 1, 1, 1], `cut at ${cut}`);
      // The session whose end was lost is GLPI's to end.
      await closeAll();
    }
  });

  async function requestsOf(action: () => Promise<unknown>): Promise<string[]> {
    const before = server.requests.length;
    await action();
    return server.requests.slice(before);
  }
  const closeAll = async () => (server as unknown as { sessions: Set<string> }).sessions.clear();

  it("says what GLPI says: a wrong token, a wrong ticket, a server that is none; none of it for good", async () => {
    const cases: [() => Promise<unknown>, RegExp][] = [
      [() => deliver({}, {}, { ...TOKENS, userToken: "wrong" }), /401 ERROR_GLPI_LOGIN_USER_TOKEN/],
      [() => deliver({}, {}, { ...TOKENS, appToken: "wrong" }), /400 ERROR_WRONG_APP_TOKEN_PARAMETER/],
      [
        () => deliver({}, {}, { userToken: TOKENS.userToken } as typeof TOKENS),
        /ERROR_APP_TOKEN_PARAMETERS_MISSING/,
      ],
      [() => deliver({}, { ticket: 99 }), /Ticket\/99: 404 ERROR_ITEM_NOT_FOUND/],
    ];
    for (const [action, expected] of cases)
      await assert.rejects(
        action(),
        (error) => !(error instanceof Refused) && expected.test((error as Error).message),
      );
    server.before = async (_request, response) => {
      response.writeHead(200).end("<html>a proxy</html>");
      return false;
    };
    await assert.rejects(deliver({}), /no GLPI's. next: look at notifications.glpi.url/);
  });

  it("is told of a session that has ended, by its code", async () => {
    const access = { url, ...TOKENS };
    await assert.rejects(
      GlpiSession.within(access, AbortSignal.timeout(5000), async (session) => {
        await closeAll();
        return session.list("Ticket", { parse: String } as never);
      }),
      (error) =>
        error instanceof GlpiError && error.status === 401 && error.code === "ERROR_SESSION_TOKEN_INVALID",
    );
  });

  it("reads lists of any length, page by page", async () => {
    for (const count of [0, 99, 100, 101, 250]) {
      items("Computer").length = 0;
      for (let i = 0; i < count; i += 1) server.store.add("Computer", { name: `n${i}` });
      const found = await GlpiSession.within({ url, ...TOKENS }, AbortSignal.timeout(5000), (session) =>
        session.list("Computer", { safeParse: (data: unknown) => ({ success: true, data }) } as never),
      );
      assert.equal(found.length, count);
    }
  });

  describe("inventory", () => {
    const versions = { "proj-k8sm01": "v1.36.3+rke2r1", "proj-k8sw01": "v1.36.3+rke2r1" };
    const inventory = { kind: "inventory", versions } as const;
    beforeEach(() => {
      // One of another name that GLPI's search finds too, and one in the bin.
      for (const name of ["PROJ-K8SM01", "proj-k8sm01", "proj-k8sw01"])
        server.store.add("Computer", { name });
      server.store.add("Computer", { name: "proj-k8sw01" });
      Object.assign(item("Computer", 4) ?? {}, { is_deleted: 1 });
    });
    const shown = () =>
      items("Item_SoftwareVersion").map(({ items_id, softwareversions_id }) => [
        item("Computer", Number(items_id))?.name,
        item("SoftwareVersion", Number(softwareversions_id))?.name,
      ]);

    it("records the release on each node's Computer, once, and moves it at the next upgrade", async () => {
      assert.equal(await deliver(inventory), "RKE2's version of 2 of 2 nodes is recorded");
      await deliver(inventory);
      const installed = [
        ["proj-k8sm01", "v1.36.3+rke2r1"],
        ["proj-k8sw01", "v1.36.3+rke2r1"],
      ];
      assert.deepEqual(shown(), installed);
      // Somebody else's software is left alone.
      server.store.add("Software", { name: "htop" });
      server.store.add("SoftwareVersion", { name: "v1.36.3+rke2r1", softwares_id: 2 });
      server.store.add("Item_SoftwareVersion", { itemtype: "Computer", items_id: 2, softwareversions_id: 2 });
      await deliver({ ...inventory, versions: { "proj-k8sm01": "v1.37.0+rke2r1" } });
      assert.deepEqual(shown(), [["proj-k8sm01", "v1.37.0+rke2r1"], installed[1], installed[0]]);
      assert.deepEqual(
        items("Software").map(({ name }) => name),
        ["RKE2", "htop"],
      );
    });

    it("says which nodes GLPI does not know, or knows twice, after it has recorded the others", async () => {
      server.store.add("Computer", { name: "proj-k8sw01" });
      await assert.rejects(
        deliver({ ...inventory, versions: { ...versions, "proj-k8sw02": "v1.36.3+rke2r1" } }),
        (error) =>
          error instanceof Refused &&
          error.message ===
            "RKE2's version of 1 of 3 nodes is recorded: 2 Computers are named proj-k8sw01; no Computer is named proj-k8sw02",
      );
      assert.deepEqual(shown(), [["proj-k8sm01", "v1.36.3+rke2r1"]]);
    });
  });
});
