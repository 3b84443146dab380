/** What look-access.sh makes of a journal and of an audit log; journalctl and pgrep are stand-ins on PATH. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bareText } from "../../scripts";

const FROM = Date.parse("2026-11-24T12:00:00Z") / 1000;
const UNTIL = FROM + 3600;

/** An event as kube-apiserver writes it: fields in this order, what was sent between them. */
const event = (more: Record<string, unknown> = {}) =>
  JSON.stringify({
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "RequestResponse",
    auditID: "a",
    stage: "ResponseComplete",
    requestURI: "/api/v1/namespaces/x/pods/y",
    verb: "delete",
    user: { username: "alice@example.org", groups: ["system:authenticated"] },
    impersonatedUser: undefined,
    sourceIPs: ["10.0.0.7"],
    userAgent: "kubectl/v1.36.3 (linux/amd64) kubernetes/abc",
    objectRef: { resource: "pods", namespace: "x", name: "y", apiVersion: "v1" },
    responseStatus: { metadata: {}, code: 200 },
    requestObject: { verb: "create", username: "nobody", data: { password: "hunter2" } },
    requestReceivedTimestamp: "2026-11-24T12:10:00.123456Z",
    stageTimestamp: "2026-11-24T12:10:00.200000Z",
    annotations: { "authorization.k8s.io/decision": "allow" },
    ...more,
  });

describe("scripts/look-access.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "access-"));
  const logs = join(folder, "server/logs");
  before(() => mkdirSync(logs, { recursive: true }));
  after(() => rmSync(folder, { recursive: true }));

  function run(role: string, journal: string, apiServer = false, lines = 5) {
    writeFileSync(join(folder, "journal"), journal);
    writeFileSync(
      join(folder, "journalctl"),
      `#!/bin/sh\necho "$*" >>${folder}/asked\ncat ${folder}/journal\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(folder, "pgrep"), `#!/bin/sh\n${apiServer ? `echo ${process.pid}` : "exit 1"}\n`, {
      mode: 0o755,
    });
    const input = bareText("look-access").replace("RKE2_DATA=/var/lib/rancher/rke2", `RKE2_DATA=${folder}`);
    const args = ["-s", "--", "look-access", String(FROM), String(UNTIL), String(lines), role];
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    return spawnSync("bash", args, { input, encoding: "utf8", env });
  }
  const valuesOf = (stdout: string, key: string) =>
    stdout.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));

  it("hands on the lines that tell of a login, so many and one more, and the oldest line's time", () => {
    const line = (MESSAGE: string) =>
      JSON.stringify({
        __REALTIME_TIMESTAMP: "1795521600000000",
        MESSAGE,
        _EXE: "/usr/sbin/sshd",
        _UID: "0",
      });
    const noise = ["Server listening", "pam_unix(sshd:session): session opened for user a", "Disconnected"];
    const logins = Array.from({ length: 9 }, (_, i) => `Accepted password for a${i} from b port 1 ssh2`);
    const { stdout, stderr, status } = run("agent", `${[...noise, ...logins].map(line).join("\n")}\n`);
    assert.equal(status, 0, stderr);
    assert.deepEqual(valuesOf(stdout, "journalFrom"), ["1795521600000000"]);
    const found = valuesOf(stdout, "journal").map((text) => JSON.parse(text).MESSAGE);
    assert.deepEqual(found, logins.slice(-6));
    // A folder's name that is no UTF-8 makes the whole line bytes.
    const bytes = JSON.stringify({ MESSAGE: [101, 255] });
    assert.deepEqual(valuesOf(run("agent", `${bytes}\n`).stdout, "journal"), [bytes]);
    assert.deepEqual(valuesOf(stdout, "audit"), []);
    assert.deepEqual(valuesOf(run("agent", "").stdout, "journalFrom"), [""]);
  });

  it("counts changing requests by people, over rotated logs, and prints nothing of what was sent", () => {
    const system = (username: string) => event({ user: { username } });
    writeFileSync(
      join(logs, "audit.log"),
      [
        event(),
        event({ requestReceivedTimestamp: "2026-11-24T12:40:00.000000Z" }),
        event({ stage: "RequestReceived" }),
        event({ verb: "list" }),
        event({ responseStatus: { metadata: {}, status: "Failure", code: 403 } }),
        event({ objectRef: { resource: "selfsubjectaccessreviews", apiVersion: "v1" }, verb: "create" }),
        event({ requestReceivedTimestamp: "2026-11-24T11:59:59.999999Z" }),
        event({ requestReceivedTimestamp: "2026-11-24T13:00:00.000000Z" }),
        system("system:node:w1"),
        system("system:serviceaccount:kube-system:replicaset-controller"),
        event({ user: { username: "system:admin" }, userAgent: "rke2-upgrade" }),
        event({
          verb: "get",
          objectRef: { resource: "pods", name: "y", apiVersion: "v1", subresource: "exec" },
        }),
        event({
          user: { username: "system:serviceaccount:cattle-system:rancher" },
          impersonatedUser: { username: "u-42" },
        }),
        // What was sent, and what came back, has fields of the same names.
        event({
          requestObject: { impersonatedUser: { username: "system:node:w1" }, data: { x: "y" } },
          requestReceivedTimestamp: "2026-11-24T12:30:00.000000Z",
        }),
        event({
          ...{ stage: "ResponseStarted", requestObject: { stage: "ResponseComplete" } },
        }),
        // A person who asks in another's name, as cluster-admins may.
        event({ user: { username: "system:admin" }, impersonatedUser: { username: "system:node:w2" } }),
        event({ userAgent: undefined, responseObject: { userAgent: "kubelet/1" } }),
        "cut sho",
        "",
      ].join("\n"),
    );
    writeFileSync(
      join(logs, "audit-2026-11-24T12-20-00.000.log.gz"),
      gzipSync(`${event({ verb: "patch" })}\n`),
    );
    const old = join(logs, "audit-2026-11-20T12-20-00.000.log");
    writeFileSync(old, `${event({ verb: "update" })}\n`);
    utimesSync(old, FROM - 60, FROM - 60);
    const { stdout, stderr, status } = run("server", "");
    assert.equal(status, 0, stderr);
    assert.deepEqual(valuesOf(stdout, "audit"), [join(logs, "audit.log")]);
    assert.deepEqual(valuesOf(stdout, "auditLines"), ["14"]);
    const tab = (...words: (string | number)[]) => words.join("\t");
    const [a, b] = ["2026-11-24T12:10:00Z", "2026-11-24T12:40:00Z"];
    assert.deepEqual(
      valuesOf(stdout, "audited").sort(),
      [
        tab(1, "alice@example.org", "kubectl", "get", "pods/exec", a, a),
        tab(1, "alice@example.org", "kubectl", "patch", "pods", a, a),
        tab(1, "system:admin", "rke2-upgrade", "delete", "pods", a, a),
        tab(1, "u-42", "kubectl", "delete", "pods", a, a),
        tab(1, "system:admin", "kubectl", "delete", "pods", a, a),
        tab(3, "alice@example.org", "kubectl", "delete", "pods", a, b),
        tab(1, "alice@example.org", "", "delete", "pods", a, a),
      ].sort(),
    );
    assert.ok(!stdout.includes("hunter2"));
  });

  it("asks the running API server where its log is, and says where it keeps none", () => {
    // The process that runs this test has no such option.
    const { stdout, status } = run("server", "", true);
    assert.equal(status, 0);
    assert.deepEqual(valuesOf(stdout, "audit"), [""]);
    assert.deepEqual(valuesOf(stdout, "auditLines"), []);
  });
});
