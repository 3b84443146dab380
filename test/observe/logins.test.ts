import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAccess } from "../../observe/access";
import { byProgram, isPrivileged, type Login, mergeLogins, parseLogins } from "../../observe/logins";

const OWN = "SHA256:UmfnjQeGuiMsNTBQePCCt5A/5N0X3CfE2S3Wr4VmmmI";
const BEGIN = Date.parse("2026-11-24T12:00:00Z");
const span = { from: BEGIN, until: BEGIN + 3_600_000 };

/** A line as `journalctl -o json --output-fields=MESSAGE,_EXE,_UID,SYSLOG_IDENTIFIER` prints it. */
const line = (program: string, message: unknown, seconds = 1, more: Record<string, string> = {}): string =>
  JSON.stringify({
    __CURSOR: "s=0833da0e;i=33",
    __REALTIME_TIMESTAMP: String((BEGIN + seconds * 1000) * 1000 + 737),
    __MONOTONIC_TIMESTAMP: "25577202473",
    _BOOT_ID: "2450b33cdffe411f89946ba076bce782",
    _EXE: `/usr/bin/${program}`,
    _UID: program === "sudo" || program === "su" ? "1000" : "0",
    SYSLOG_IDENTIFIER: program,
    MESSAGE: message,
    ...more,
  });
const read = (...lines: string[]) => parseLogins(lines, span, OWN);
/** What was read of a login, without its times. */
const told = ({ first: _f, last: _l, times: _t, ...way }: Login) => way;
const way = { refused: false, programKey: false };

/** Debian 12: OpenSSH 9.2, sudo 1.9.13, util-linux's su, shadow's login. */
const DEBIAN = [
  line("sshd", "Server listening on 0.0.0.0 port 22."),
  line("sshd", `Accepted publickey for admin from 10.25.20.1 port 58732 ssh2: ED25519 ${OWN}`),
  line("sshd", "pam_unix(sshd:session): session opened for user admin(uid=1000) by (uid=0)"),
  line("sudo", "   admin : PWD=/home/admin ; USER=root ; COMMAND=/usr/bin/bash -s -- look-node server"),
  line("sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1000)"),
  line("sshd", "Accepted password for alice from 10.0.0.7 port 50211 ssh2"),
  line(
    "sudo",
    "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/mysql --password=hunter2 db",
  ),
  line(
    "sudo",
    "   alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id",
  ),
  line("su", "(to root) alice on pts/0"),
  line("su", "pam_unix(su-l:session): session opened for user root(uid=0) by alice(uid=1000)"),
  line("su", "FAILED SU (to root) bob on pts/1"),
  line("login", "pam_unix(login:session): session opened for user root(uid=0) by LOGIN(uid=0)"),
];

/** RHEL 9: OpenSSH 8.7, sudo 1.9.5; certificates, Kerberos, failures. */
const RHEL = [
  line(
    "sshd",
    "Accepted publickey for cloud-user from fd00::7 port 41514 ssh2: ED25519-CERT SHA256:abc/def+0 ID carol@corp (serial 7) CA ED25519 SHA256:ca",
  ),
  line("sshd", "Accepted gssapi-with-mic for dave from 10.0.0.8 port 41516 ssh2: dave@EXAMPLE.ORG"),
  line("sshd", "Failed password for invalid user oracle from 203.0.113.9 port 4242 ssh2"),
  line("sshd", "Connection closed by invalid user oracle 203.0.113.9 port 4242 [preauth]"),
  line("sudo", "cloud-user : TTY=pts/2 ; PWD=/home/cloud-user ; USER=root ; ENV=TOKEN=x ; COMMAND=/bin/sh"),
  line("sudo", "  eve : user NOT in sudoers ; TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=/bin/cat /etc/shadow"),
  line("sudo", "  ops : TTY=unknown ; PWD=/ ; USER=postgres ; COMMAND=/usr/bin/psql"),
  line("su", "pam_unix(su:session): session opened for user root by (uid=0)"),
];

describe("observe/logins: who came to a node", () => {
  it("reads what Debian's sshd, sudo, su and login write", () => {
    assert.deepEqual(read(...DEBIAN).map(told), [
      { how: "console", user: "root", ...way },
      {
        how: "ssh",
        user: "admin",
        from: "10.25.20.1",
        proof: `publickey ED25519 ${OWN}`,
        refused: false,
        programKey: true,
      },
      { how: "ssh", user: "alice", from: "10.0.0.7", proof: "password", ...way },
      { how: "su", user: "alice", as: "root", ...way },
      { how: "su", user: "bob", as: "root", terminal: "pts/1", ...way, refused: true },
      { how: "sudo", user: "admin", as: "root", command: "/usr/bin/bash", terminal: undefined, ...way },
      {
        how: "sudo",
        user: "alice",
        as: "root",
        command: "/usr/bin/id",
        terminal: "pts/0",
        ...way,
        refused: true,
      },
      { how: "sudo", user: "alice", as: "root", command: "/usr/bin/mysql", terminal: "pts/0", ...way },
    ]);
  });

  it("reads what RHEL's write: certificates, Kerberos, and who was refused", () => {
    const found = read(...RHEL);
    const of = (user: string) => found.filter((one) => one.user === user).map(told);
    const ssh = { how: "ssh", ...way };
    assert.deepEqual(of("dave"), [
      { ...ssh, user: "dave", from: "10.0.0.8", proof: "gssapi-with-mic dave@EXAMPLE.ORG" },
    ]);
    assert.deepEqual(of("oracle"), [
      { ...ssh, user: "oracle", from: "203.0.113.9", proof: "password", refused: true },
    ]);
    const [login, sudo] = of("cloud-user");
    assert.match(login?.proof ?? "", /^publickey ED25519-CERT SHA256:abc\/def\+0 ID carol@corp/);
    assert.deepEqual([sudo?.command, sudo?.refused], ["/bin/sh", false]);
    assert.equal(of("eve")[0]?.refused, true);
    assert.deepEqual([of("ops")[0]?.terminal, of("ops")[0]?.as], [undefined, "postgres"]);
    assert.deepEqual(
      of("root").map(({ how, as }) => [how, as]),
      [["su", "root"]],
    );
  });

  it("keeps no argument of a command, and no variable", () => {
    const text = JSON.stringify(read(...DEBIAN, ...RHEL));
    for (const never of ["hunter2", "TOKEN", "/etc/shadow", "look-node"])
      assert.ok(!text.includes(never), never);
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{6,20}$/), (secret) => {
        const found = read(line("sudo", `a : PWD=/ ; USER=root ; COMMAND=/bin/x --token ${secret} ; y`));
        assert.equal(found[0]?.command, "/bin/x");
        assert.ok(
          !JSON.stringify(found.map(({ command }) => command)).includes(secret) || "/bin/x".includes(secret),
        );
      }),
    );
  });

  it("takes no folder and no argument for what sudo says: where two can be meant, it was root", () => {
    const seen = (message: unknown) =>
      read(line("sudo", message)).map(({ user, as, command, refused }) => [user, as, command, refused]);
    const bash = "USER=root ; COMMAND=/usr/bin/bash";
    const asRoot = [["eve", "root", undefined, false]];
    assert.deepEqual(seen(`eve : TTY=pts/0 ; PWD=/tmp/USER=nobody ; x ; ${bash}`), asRoot);
    assert.deepEqual(seen(`eve : TTY=pts/0 ; PWD=/tmp/USER=eve ; COMMAND=/bin/id ; ${bash}`), asRoot);
    assert.deepEqual(seen(`eve : PWD=/ ; ${bash} -c USER=nobody ; COMMAND=/bin/id`), asRoot);
    assert.deepEqual(seen(`eve : PWD=/ ; USER=root ; ENV=A=COMMAND=/bin/id ; COMMAND=/bin/bash`), asRoot);
    // Bytes that are no UTF-8, a line that was cut in two, one with a line break.
    const bytes = [...Buffer.from("eve : PWD=/tmp/"), 255, ...Buffer.from(` ; ${bash}`)];
    assert.deepEqual(seen(bytes), [["eve", "root", "/usr/bin/bash", false]]);
    assert.deepEqual(seen(`eve : (command continued) xxx ; ${bash}`), asRoot);
    assert.deepEqual(seen("eve : (command continued) COMMAND=/bin/bash"), asRoot);
    assert.deepEqual(seen(`eve : PWD=/tmp/a\nb ; ${bash}`), [["eve", "root", "/usr/bin/bash", false]]);
  });

  it("believes the kernel's word on a program before the program's own, and takes nothing for a login that is none", () => {
    const forged = `Accepted publickey for admin from 10.0.0.1 port 1 ssh2: ED25519 ${OWN}`;
    const by = (more: Record<string, string>) => read(line("sshd", forged, 1, more)).length;
    // Whoever calls itself sshd, or lies where everybody may write, is none; neither is one that is not root.
    assert.equal(by({ _EXE: "/usr/bin/logger", _COMM: "sshd" }), 0);
    assert.equal(by({ _EXE: "/tmp/sshd" }), 0);
    assert.equal(by({ _UID: "1000" }), 0);
    const { _EXE, ...unnamed } = JSON.parse(line("sshd", forged));
    assert.equal(read(JSON.stringify({ ...unnamed, _UID: "1000" })).length, 0);
    assert.equal(read(JSON.stringify(unnamed)).length, 1);
    assert.equal(by({ _EXE: "/usr/sbin/sshd (deleted)" }), 1);
    for (const folder of ["lib", "libexec"])
      assert.equal(by({ _EXE: `/usr/${folder}/openssh/sshd-session` }), 1);
    // A message that is no UTF-8 comes as bytes, one that is too long as null.
    assert.deepEqual(read(line("sshd", [65, 66]), line("sudo", null)), []);
    fc.assert(
      fc.property(fc.constantFrom("sshd", "sudo", "su", "login", "cron"), fc.string(), (program, message) => {
        read(line(program, message));
      }),
    );
  });

  it("takes what falls into the time alone, its end left out, so that two looks count nothing twice", () => {
    const at = (seconds: number) => line("sshd", "Accepted password for a from b port 1 ssh2", seconds);
    assert.equal(read(at(-1)).length + read(at(3600)).length, 0);
    assert.deepEqual(
      read(at(0), at(3599)).map(({ times }) => times),
      [2],
    );
  });

  it("counts the same way in once, whichever looks it was seen by", () => {
    const any = fc.array(fc.constantFrom(...DEBIAN, ...RHEL));
    fc.assert(
      fc.property(any, any, (a, b) => {
        const apart = mergeLogins([...read(...a), ...read(...b)]);
        const key = (login: Login) => JSON.stringify(Object.entries(login).sort());
        assert.deepEqual(apart.map(key), read(...a, ...b).map(key));
      }),
    );
  });
});

describe("observe/logins: the program and people", () => {
  const program = (...lines: string[]) => {
    const logins = read(...lines);
    const isProgram = byProgram(logins);
    return logins.filter(isProgram).map(({ how }) => how);
  };
  const ours = `Accepted publickey for admin from 10.25.20.1 port 1 ssh2: ED25519 ${OWN}`;
  const sudo = (notes: string) =>
    line("sudo", `admin : ${notes}PWD=/ ; USER=root ; COMMAND=/usr/bin/bash -s`);

  it("are told apart by the key, and sudo by who else logged in as that user", () => {
    assert.deepEqual(program(line("sshd", ours), sudo("")), ["ssh", "sudo"]);
    // Somebody at a terminal, with another key or a password, or without any log-in of the program.
    assert.deepEqual(program(line("sshd", ours), sudo("TTY=pts/0 ; ")), ["ssh"]);
    const other = line("sshd", ours.replace(OWN, "SHA256:other"));
    assert.deepEqual(program(line("sshd", ours), other, sudo("")), ["ssh"]);
    assert.deepEqual(program(sudo("")), []);
    // A key whose name is the beginning of ours is none of ours.
    assert.deepEqual(program(line("sshd", `${ours}x`)), []);
    // Whoever was refused did not come in.
    const refused = line("sshd", "Failed password for admin from 10.0.0.9 port 1 ssh2");
    assert.deepEqual(program(line("sshd", ours), refused, sudo("")), ["ssh", "sudo"]);
  });

  it("have privileges by root's log-in, sudo and su to root, and not by what was refused", () => {
    const privileged = read(...DEBIAN, ...RHEL).filter(isPrivileged);
    assert.deepEqual(
      new Set(privileged.map(({ user }) => user)),
      new Set(["root", "admin", "alice", "cloud-user"]),
    );
    assert.ok(privileged.every(({ refused }) => !refused));
  });
});

describe("observe/access", () => {
  const said = (...lines: string[]) => parseAccess(lines.join("\n"), span, OWN);
  const begins = (ms: number) => `journalFrom=${ms * 1000}`;

  it("says what the journal no longer has", () => {
    assert.deepEqual(said(begins(BEGIN - 1)).notes, []);
    assert.match(said(begins(BEGIN + 60_000)).notes[0] ?? "", /begins at 2026-11-24T12:01:00.000Z/);
    assert.match(said("journalFrom=").notes[0] ?? "", /empty/);
    const many = Array.from({ length: 20_001 }, () => `journal=${DEBIAN[1]}`);
    const { notes, logins } = said(begins(1), ...many);
    assert.match(notes[0] ?? "", /over 20000 lines/);
    assert.equal(logins[0]?.times, 20_000);
  });

  it("has requests where an audit log has any, else the reason", () => {
    assert.equal(said(begins(1)).requests, undefined);
    assert.deepEqual(said("audit="), {
      ...said(),
      requests: { missing: "the API server keeps no audit log (kube-apiserver's --audit-log-path)" },
    });
    assert.match(JSON.stringify(said("audit=/a/audit.log", "auditLines=0").requests), /its policy logs none/);
    const counted = "audited=3\talice\tkubectl\tdelete\tpods\t2026-11-24T12:00:00Z\t2026-11-24T12:10:00Z";
    const found = said("audit=/a/audit.log", "auditLines=9", counted, counted).requests;
    assert.ok(found && "value" in found);
    assert.deepEqual(
      found.value.map(({ user, times }) => [user, times]),
      [["alice", 6]],
    );
  });
});
