import assert from "node:assert/strict";
import fc from "fast-check";
import type { Login } from "../../observe/logins";
import { type Collected, joinAccess, restOf, spanOf } from "../../report/access";
import { type Access, accessSchema } from "../../report/accessSchema";
import { accessTold } from "../../report/accessStatements";
import { asFile } from "../../report/canonical";
import { reportRecord } from "../../report/report";
import { reportSchema } from "../../report/reportSchema";
import { accessOf, evidenceWith, historyEntry, planned, runAt, settingsOf } from "./fixtures";

const settings = settingsOf();
const BEGIN = Date.parse("2026-11-24T12:00:00Z");
const time = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString();
const span = (from: number, until: number) => ({ from: BEGIN + from * 1000, until: BEGIN + until * 1000 });

const login = (seconds: number, more: Partial<Login> = {}): Login => ({
  ...{ how: "ssh", user: "alice", from: "10.0.0.7", proof: "password", refused: false, programKey: false },
  ...{ times: 1, first: time(seconds), last: time(seconds) },
  ...more,
});
type Seen = Collected["nodes"] extends ReadonlyMap<string, infer Look> ? Look : never;
const node = (logins: readonly Login[], more = {}): Seen => ({ value: { logins, notes: [], ...more } });
const collected = (more: Partial<Collected>): Collected => ({
  ...{ nodes: new Map(), hosts: new Map(), ownUser: "own@pve!t", vmIds: new Map([["a", 3001]]) },
  ...more,
});
const join = (before: Access | undefined, until: number, more: Partial<Collected>): Access =>
  // As it is read again from its file.
  accessSchema.parse(JSON.parse(asFile(joinAccess(before, "CR-1", span(0, until), collected(more)))));

describe("report/access: what is collected, look by look", () => {
  it("is of the change's own time: from its first run to its last one's end, and until now where one goes on", () => {
    const history = [historyEntry(settings, 10, "failed"), historyEntry(settings, 500, "succeeded")];
    const now = new Date(BEGIN + 2_000_500);
    assert.deepEqual(spanOf(evidenceWith(settings, history), now), span(10, 600));
    const going = { ...historyEntry(settings, 10, "succeeded"), endTime: "" };
    assert.deepEqual(spanOf(evidenceWith(settings, [going]), now), span(10, 2000));
    assert.equal(spanOf(evidenceWith(settings, []), now), undefined);
    // Pulumi's history knows nothing of a run that was killed.
    const killed = (seconds: number) => runAt(seconds, { endedAt: undefined });
    assert.deepEqual(spanOf({ ...evidenceWith(settings, history), runs: [killed(5)] }, now), span(5, 600));
    assert.deepEqual(spanOf({ ...evidenceWith(settings, []), runs: [killed(700)] }, now), span(700, 2000));
  });

  it("asks a node from where its last answer ended, and again for what it did not answer", () => {
    assert.deepEqual(restOf(undefined, "a", span(0, 60)), span(0, 60));
    const first = join(undefined, 60, {
      nodes: new Map<string, Seen>([
        ["a", node([login(5)])],
        ["b", { missing: "refused" }],
      ]),
    });
    assert.equal(restOf(first, "a", span(0, 60)), undefined);
    assert.deepEqual(restOf(first, "a", span(0, 90)), span(60, 90));
    assert.deepEqual(restOf(first, "b", span(0, 90)), span(0, 90));
    assert.equal(first.nodes.find(({ name }) => name === "b")?.notMeasured, "refused");
    const then = join(first, 90, { nodes: new Map([["b", node([])]]) });
    assert.deepEqual(
      then.nodes.map(({ name, until, notMeasured }) => [name, until, notMeasured]),
      [
        ["a", time(60), undefined],
        ["b", time(90), undefined],
      ],
    );
  });

  it("keeps what was collected, though a node's journal went back with its machine", () => {
    const first = join(undefined, 60, { nodes: new Map([["a", node([login(5)])]]) });
    const silent = join(first, 90, { nodes: new Map([["a", { missing: "refused" }]]) });
    assert.deepEqual(silent.nodes[0]?.logins, first.nodes[0]?.logins);
    assert.deepEqual([silent.nodes[0]?.until, silent.nodes[0]?.notMeasured], [time(60), "refused"]);
    const later = join(silent, 120, {
      nodes: new Map([["a", node([login(100), login(101, { user: "bob" })], { notes: ["gone"] })]]),
    });
    assert.deepEqual(
      later.nodes[0]?.logins.map(({ user, times, first, last }) => [user, times, first, last]),
      [
        ["alice", 2, time(5), time(100)],
        ["bob", 1, time(101), time(101)],
      ],
    );
    assert.deepEqual(later.nodes[0]?.notes, ["gone"]);
  });

  it("tells of an audit log that could not be read for a part of the time, for good", () => {
    const request = { user: "alice", agent: "kubectl", verb: "delete", resource: "pods", times: 1 };
    const at = (seconds: number) => ({ ...request, first: time(seconds), last: time(seconds) });
    const audited = (requests: unknown) => ({ nodes: new Map([["a", node([], { requests })]]) });
    const first = join(undefined, 60, audited({ missing: "no log" }));
    assert.deepEqual(first.servers, [{ name: "a", notes: ["no log"], requests: [] }]);
    const then = join(join(first, 90, audited({ value: [at(70)] })), 120, audited({ value: [at(100)] }));
    assert.deepEqual(then.servers, [
      {
        name: "a",
        notes: ["no log"],
        until: time(120),
        requests: [{ ...at(70), times: 2, last: time(100) }],
      },
    ]);
  });

  it("has each task of Proxmox VE once, with its end where one is known", () => {
    const task = {
      upid: "UPID:a",
      type: "qmsnapshot",
      vmId: 3001,
      user: "own@pve!t",
      startedAt: time(5),
      status: "running",
    };
    const hosts = (...tasks: object[]) => ({ hosts: new Map([["node01", { value: tasks as never }]]) });
    const first = join(undefined, 60, hosts(task));
    const ended = { ...task, endedAt: time(70), status: "OK" };
    const then = join(first, 90, hosts({ ...ended, upid: "UPID:b", startedAt: time(80) }, ended));
    assert.deepEqual(
      then.hosts[0]?.tasks.map(({ upid, status }) => [upid, status]),
      [
        ["UPID:a", "OK"],
        ["UPID:b", "OK"],
      ],
    );
    // The API's address stands for its hosts until they are known.
    const dark = join(undefined, 60, { hosts: new Map([["https://pve:8006", { missing: "refused" }]]) });
    assert.deepEqual(
      join(dark, 90, hosts(task)).hosts.map(({ name }) => name),
      ["node01"],
    );
    assert.equal(
      join(then, 120, { hosts: new Map([["node01", { missing: "refused" }]]) }).hosts[0]?.tasks.length,
      2,
    );
  });

  it("gives the same by looks one after the other as by one look", () => {
    const seconds = fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 8 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 1, max: 59 }), (all, cut) => {
        const look = (before: Access | undefined, from: number, until: number) => {
          const logins = all.filter((at) => at >= from && at < until).map((at) => login(at));
          return join(before, until, { nodes: new Map([["a", node(logins)]]) });
        };
        const merged = look(look(undefined, 0, cut), cut, 60).nodes[0]?.logins ?? [];
        assert.equal(
          merged.reduce((sum, { times }) => sum + times, 0),
          all.length,
        );
        assert.equal(merged.length, Math.min(1, all.length));
      }),
    );
  });
});

describe("report/access: what is told of it", () => {
  const report = (access?: Access) =>
    reportRecord(
      evidenceWith(settings, [historyEntry(settings, 0, "succeeded")]),
      planned(settings),
      "e".repeat(64),
      access,
    );

  it("tells people from the program, and holds no secret and no key of its own", () => {
    const { access } = reportSchema.parse(JSON.parse(JSON.stringify(report(accessOf(settings)))));
    assert.ok(access);
    const others = access.logins.filter(({ program }) => !program);
    assert.deepEqual(new Set(others.map(({ user }) => user)), new Set(["alice", "mallory"]));
    assert.deepEqual(
      others.filter(({ privileged }) => privileged).map(({ command }) => command),
      ["/usr/bin/id"],
    );
    assert.deepEqual(
      access.tasks.map(({ user, program }) => [user, program]),
      [
        [settings.proxmox.tokenId, true],
        ["bob@pve", false],
      ],
    );
    assert.deepEqual(
      access.missing.map(({ what }) => what),
      ["requests to the API server of proj-k8sm02", "requests to the API server of proj-k8sm03"],
    );
  });

  it("says whose journal went back with its machine", () => {
    const { hosts, ...rest } = accessOf(settings);
    const back = {
      ...hosts[0]?.tasks[0],
      type: "qmrollback",
      upid: "UPID:c",
    } as (typeof hosts)[number]["tasks"][number];
    const told = (more: Partial<typeof back>) =>
      accessTold({ ...rest, hosts: [{ name: "node01", until: rest.until, tasks: [{ ...back, ...more }] }] })
        .missing.filter(({ what }) => what.startsWith("log-ins"))
        .map(({ what }) => what);
    assert.deepEqual(told({ vmId: settings.nodes[1]?.vmId }), ["log-ins to proj-k8sm02"]);
    assert.deepEqual(told({ vmId: 9900 }), []);
    assert.deepEqual(told({ status: "command failed" }), []);
  });

  it("claims nothing where nobody was asked, or nobody answered", () => {
    const silent = join(undefined, 60, {
      nodes: new Map([["a", { missing: "refused" }]]),
      hosts: new Map([["node01", { missing: "401" }]]),
    });
    for (const access of [undefined, silent]) {
      const { statements, access: told } = report(access);
      const ours = statements.filter(({ source }) => source.includes("§5.1"));
      assert.equal(ours.length, 3);
      assert.ok(ours.every(({ measured, text }) => !measured && /not measured$/.test(text)));
      assert.equal(told?.missing.length, access && 2);
    }
    assert.equal(accessTold(silent).measured.nodes.some, 0);
  });
});
