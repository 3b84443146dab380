import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { until } from "../../rehearsal/machines/poll";
import { type Properties, ProviderUnderTest, secret, unknown } from "./providerUnderTest";
import { freePort, SshServer } from "./sshServer";
import { binary } from "./toolchain";

const remote = "command:remote:Command";
const local = "command:local:Command";

/**
 * What the program relies on in version 1.2.1 of the command plugin, its surprises included. COMMAND_PLUGIN names the
 * binary to test, by default the stand-in.
 */
describe("command plugin", function () {
  this.timeout(20_000);

  let plugin: ProviderUnderTest;
  let server: SshServer;
  /** A server that lets clients set the variables of the command plugin. */
  let accepting: SshServer;
  let connection: Properties;

  before(async function () {
    // The first run may build the toolchain.
    this.timeout(15 * 60_000);
    plugin = await ProviderUnderTest.start(binary("COMMAND_PLUGIN", "pulumi-resource-command"), {
      SSH_AUTH_SOCK: "",
    });
    await plugin.configure({});
    server = await SshServer.prepare();
    accepting = await SshServer.prepare("LANG LC_* MARKER PULUMI_COMMAND_*");
    await Promise.all([server.start(), accepting.start()]);
    connection = await checked(server.connection());
  });

  after(async () => {
    await Promise.all([plugin?.stop(), server?.stop(), accepting?.stop()]);
  });

  beforeEach(() => {
    plugin.log.length = 0;
  });

  /** A connection as Check completes it. */
  async function checked(given: Properties): Promise<Properties> {
    const { inputs } = await plugin.check(remote, { connection: given });
    return inputs.connection as Properties;
  }

  const statuses = () => plugin.log.filter((line) => line.status).map((line) => line.message);
  const warnings = () => plugin.log.filter((line) => line.severity === "warning").map((line) => line.message);

  describe("check", () => {
    it("fills in a connection and makes it secret", async () => {
      const { inputs, failures } = await plugin.check(remote, {
        connection: { host: "node" },
        create: "true",
      });
      assert.deepEqual(failures, []);
      assert.deepEqual(
        inputs.connection,
        secret({ host: "node", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 }),
      );
    });

    it("refuses a connection without a host", async () => {
      const { failures } = await plugin.check(remote, { connection: {}, create: "true" });
      assert.equal(failures.length, 1);
      assert.match(failures[0] ?? "", /host/);
    });

    it("accepts what a preview does not know yet", async () => {
      const { failures } = await plugin.check(remote, { connection: { host: unknown }, create: unknown });
      assert.deepEqual(failures, []);
    });
  });

  describe("diff", () => {
    const inputs = { connection: secret({ host: "a", user: "admin" }), create: "true", triggers: ["1"] };

    it("sees no change in equal inputs", async () => {
      assert.equal((await plugin.diff(remote, inputs, inputs)).changes, false);
    });

    for (const [what, change] of Object.entries({
      "the connection": { connection: secret({ host: "a", user: "root" }) },
      stdin: { stdin: "new" },
      "the delete command": { delete: "true" },
    })) {
      it(`updates when ${what} changes`, async () => {
        const diff = await plugin.diff(remote, inputs, { ...inputs, ...change });
        assert.deepEqual([diff.changes, diff.replaces], [true, []]);
      });
    }

    it("replaces when a trigger changes, creating first", async () => {
      const diff = await plugin.diff(remote, inputs, { ...inputs, triggers: ["2"] });
      assert.deepEqual([diff.replaces, diff.deleteBeforeReplace], [["triggers[0]"], false]);
    });
  });

  describe("create", () => {
    it("runs the command and takes one newline off each output", async () => {
      const { id, state } = await plugin.create(remote, {
        connection,
        create: "printf 'a\\n\\n'; echo b >&2",
      });
      assert.match(id, /^step[0-9a-f]{8}$/);
      assert.deepEqual([state.stdout, state.stderr], ["a\n", "b"]);
    });

    it("keeps the connection secret in the state, and the outputs plain", async () => {
      const { state } = await plugin.create(remote, { connection, create: "echo out" });
      assert.deepEqual(state.connection, connection);
      assert.equal(state.stdout, "out");
    });

    it("passes standard input", async () => {
      const { state } = await plugin.create(remote, {
        connection,
        create: "bash -s -- x",
        stdin: "echo got $1",
      });
      assert.equal(state.stdout, "got x");
    });

    it("runs nothing without a create command", async () => {
      const { state } = await plugin.create(remote, { connection, update: "echo no" });
      assert.equal(state.stdout, "");
    });

    it("fails with the status, the whole command and all that it printed", async () => {
      await assert.rejects(
        plugin.create(remote, { connection, create: "echo one; echo two >&2; exit 3" }),
        (error: Error) => {
          assert.match(
            error.message,
            /^Process exited with status 3: running "echo one; echo two >&2; exit 3":\n/,
          );
          assert.match(error.message, /^one$/m);
          assert.match(error.message, /^two$/m);
          return true;
        },
      );
    });
  });

  describe("update", () => {
    const state = () => ({ connection, create: "echo old", stdout: "old", stderr: "" });

    it("runs the create command again", async () => {
      const updated = await plugin.update(remote, state(), { connection, create: "echo again" });
      assert.equal(updated.stdout, "again");
    });

    it("runs the update command instead where there is one", async () => {
      const updated = await plugin.update(remote, state(), {
        connection,
        create: "echo c",
        update: "echo u",
      });
      assert.equal(updated.stdout, "u");
    });

    it("keeps the outputs where there is nothing to run", async () => {
      const updated = await plugin.update(remote, state(), { connection, delete: "true" });
      assert.equal(updated.stdout, "old");
    });
  });

  describe("preview", () => {
    it("runs nothing and knows no output", async () => {
      const file = server.file("previewed");
      const inputs = { connection, create: `touch ${file}` };
      const created = await plugin.create(remote, inputs, true);
      const updated = await plugin.update(remote, { ...inputs, create: "true", stdout: "old" }, inputs, true);
      assert.deepEqual([created.state.stdout, updated.stdout, updated.stderr], [unknown, unknown, unknown]);
      assert.equal(fs.existsSync(file), false);
    });
  });

  it("reads nothing back: a refresh returns the state", async () => {
    const state = { connection, create: "true", stdout: "as it was", stderr: "" };
    const read = await plugin.read(remote, "id", state, { connection, create: "true" });
    assert.deepEqual([read.id, read.state], ["id", state]);
  });

  describe("environment", () => {
    it("is a hard error where the server does not accept it, and nothing runs", async () => {
      const file = server.file("ran");
      await assert.rejects(
        plugin.create(remote, { connection, create: `touch ${file}`, environment: { MARKER: "1" } }),
        { message: 'could not set environment variable "MARKER": ssh: setenv failed' },
      );
      assert.equal(fs.existsSync(file), false);
      assert.match(plugin.log.find((line) => line.severity === "error")?.message ?? "", /AcceptEnv/);
    });

    it("reaches the command where the server accepts it", async () => {
      const { state } = await plugin.create(remote, {
        connection: await checked(accepting.connection()),
        create: "echo $MARKER",
        environment: { MARKER: "here" },
      });
      assert.equal(state.stdout, "here");
    });
  });

  describe("the outputs of the run before", () => {
    const remove = (file: string) => `printf '%s' "$PULUMI_COMMAND_STDOUT" >${file}`;

    it("reach the delete command", async () => {
      const file = accepting.file("deleted");
      const connection = await checked(accepting.connection());
      await plugin.delete(remote, "id", { connection, delete: remove(file), stdout: "before", stderr: "" });
      assert.equal(fs.readFileSync(file, "utf8"), "before");
    });

    it("stay out of the environment when told so", async () => {
      const file = accepting.file("silent");
      const connection = await checked(accepting.connection());
      const state = { connection, delete: remove(file), stdout: "before", stderr: "" };
      await plugin.delete(remote, "id", { ...state, addPreviousOutputInEnv: false });
      assert.equal(fs.readFileSync(file, "utf8"), "");
    });

    it("only make a warning where the server refuses them", async () => {
      const file = server.file("refused");
      await plugin.delete(remote, "id", { connection, delete: remove(file), stdout: "before", stderr: "" });
      assert.equal(fs.readFileSync(file, "utf8"), "");
      assert.match(warnings().join(), /Unable to set 'PULUMI_COMMAND_STDOUT'/);
    });
  });

  it("deletes without a delete command by doing nothing", async () => {
    const unreachable = await checked(server.connection({ port: 1, dialErrorLimit: 0 }));
    await plugin.delete(remote, "id", { connection: unreachable, create: "true", stdout: "", stderr: "" });
  });

  describe("logging", () => {
    const create = "echo out; echo err >&2";
    for (const [logging, expected] of [
      [undefined, ["err", "out"]],
      ["stdoutAndStderr", ["err", "out"]],
      ["stdout", ["out"]],
      ["stderr", ["err"]],
      ["none", []],
    ] as const) {
      it(`${logging ?? "by default"} shows ${expected.join(" and ") || "nothing"} as status`, async () => {
        const { state } = await plugin.create(remote, { connection, create, ...(logging && { logging }) });
        assert.deepEqual(statuses().sort(), expected);
        assert.deepEqual([state.stdout, state.stderr], ["out", "err"]);
      });
    }
  });

  describe("connecting", () => {
    it("refuses another host key", async () => {
      const stranger = await checked(
        server.connection({ hostKey: server.publicKey("other"), dialErrorLimit: 1 }),
      );
      await assert.rejects(plugin.create(remote, { connection: stranger, create: "true" }), {
        message: "after 1 failed attempts: ssh: handshake failed: ssh: host key mismatch",
      });
    });

    it("believes any host without a pinned key", async () => {
      const { hostKey: _, ...unpinned } = server.connection();
      const { state } = await plugin.create(remote, {
        connection: await checked(unpinned),
        create: "echo in",
      });
      assert.equal(state.stdout, "in");
    });

    it("gives up when more dials fail than the limit, and shows each before", async () => {
      const port = await freePort();
      const closed = await checked(server.connection({ port, dialErrorLimit: 2 }));
      await assert.rejects(plugin.create(remote, { connection: closed, create: "true" }), {
        message: `after 2 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
      });
      assert.deepEqual(statuses(), ["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
    });

    it("gets through to a host that comes up in the meantime", async () => {
      const late = await SshServer.prepare();
      try {
        const connection = await checked(late.connection({ dialErrorLimit: -1 }));
        const created = plugin.create(remote, { connection, create: "echo up" });
        await until("a dial that failed", 10, async () => statuses().includes("Dial 1/inf failed: retrying"));
        await late.start();
        assert.equal((await created).state.stdout, "up");
      } finally {
        await late.stop();
      }
    });

    it("goes through a proxy", async () => {
      const { user, port, privateKey, hostKey } = accepting.connection();
      const proxied = await checked(
        server.connection({ proxy: { host: "127.0.0.1", user, port, privateKey, hostKey } }),
      );
      const { state } = await plugin.create(remote, { connection: proxied, create: "echo behind" });
      assert.equal(state.stdout, "behind");
    });
  });

  describe("a local command", () => {
    it("runs where the engine runs, with folder, interpreter, environment and standard input", async () => {
      const { state } = await plugin.create(local, {
        create: "read line; echo $PWD $MARKER $line",
        dir: server.directory,
        interpreter: ["/bin/bash", "-c"],
        environment: { MARKER: "set" },
        stdin: "piped\n",
      });
      assert.equal(state.stdout, `${server.directory} set piped`);
    });

    it("sees the outputs of the run before", async () => {
      const updated = await plugin.update(
        local,
        { create: "true", stdout: "before", stderr: "" },
        { create: "echo $PULUMI_COMMAND_STDOUT" },
      );
      assert.equal(updated.stdout, "before");
    });

    it("fails with the status, the command and its output", async () => {
      await assert.rejects(plugin.create(local, { create: "echo why; exit 4" }), {
        message: 'exit status 4: running "echo why; exit 4":\nwhy\n',
      });
    });
  });

  // Last, since a cancelled plugin is at its end. As a group of its own it stays behind the others.
  describe("cancel", () => {
    it("ends a local command", async () => {
      const created = plugin.create(local, { create: "echo started; exec sleep 60" });
      await until("its start", 10, async () => statuses().includes("started"));
      await plugin.cancel();
      await assert.rejects(created, /signal: killed/);
    });
  });
});
