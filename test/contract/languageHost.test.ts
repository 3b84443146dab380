import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { until } from "../../rehearsal/machines/poll";
import { type Outcome, PulumiProject } from "./pulumiProject";
import { SshServer } from "./sshServer";

/** One program for all cases: its environment says what it does. */
const program = `
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as fs from "node:fs";

const config = new pulumi.Config();
console.log("the program speaks");
if (process.env.MODE === "throw") throw new Error("thrown by the program");
if (process.env.MODE === "refuse") throw new pulumi.RunError("refused by the program");

const current: pulumi.dynamic.ResourceProvider = {
  async create(inputs) {
    require("ts-node").register({ transpileOnly: true });
    return require(process.cwd() + "/provider").create(inputs);
  },
};
class Greeting extends pulumi.dynamic.Resource {
  declare readonly text: pulumi.Output<string>;
  constructor(name: string, args: object) {
    super(current, name, { text: undefined, ...args });
  }
}

const greeting = new Greeting("greeting", { to: config.require("to") });
const remote = new command.remote.Command(
  "remote",
  {
    connection: JSON.parse(fs.readFileSync("connection.json", "utf8")),
    create: "bash -s -- remote",
    stdin: "echo $1",
  },
  { dependsOn: greeting },
);
const local = new command.local.Command(
  "local",
  { create: process.env.LOCAL ?? "echo local" },
  { dependsOn: remote },
);
export const outputs = [greeting.text, remote.stdout, local.stdout];
export const password = config.requireSecret("password");
`;

/** The dynamic resource's code, as a module of the project. */
const provider = `
export async function create(inputs: { to: string }) {
  return { id: "1", outs: { text: ("hello " + inputs.to) as string } };
}
`;

/**
 * The language host as the engine uses it, in a project of a few resources. LANGUAGE_HOST names the binary to test, by
 * default the stand-in; COMMAND_PLUGIN as in the command plugin's own suite.
 */
describe("language host", function () {
  this.timeout(60_000);

  let server: SshServer;
  let project: PulumiProject;

  before(async function () {
    // The first run may build the toolchain.
    this.timeout(15 * 60_000);
    server = await SshServer.prepare();
    await server.start();
    project = new PulumiProject(program, {
      "pulumi-language-nodejs": process.env.LANGUAGE_HOST,
      "pulumi-resource-command": process.env.COMMAND_PLUGIN,
    });
    project.write("connection.json", JSON.stringify(server.connection()));
    project.write("provider.ts", provider);
    await project.pulumi("stack", "init", "test");
    await project.pulumi("config", "set", "to", "world");
    await project.pulumi("config", "set", "--secret", "password", "swordfish");
  });

  const up = ["up", "--yes", "--skip-preview"];

  /** Runs Pulumi with the program's environment. */
  function run(variables: NodeJS.ProcessEnv, ...args: string[]): Promise<Outcome> {
    project.variables = variables;
    return project.pulumi(...args);
  }

  after(async () => {
    await server?.stop();
    project?.remove();
  });

  it("runs a program with a dynamic, a remote and a local resource, and shows what it prints", async () => {
    const { code, output } = await run({}, ...up);
    assert.equal(code, 0, output);
    assert.match(output, /the program speaks/);
    assert.deepEqual(await project.outputs(), {
      outputs: ["hello world", "remote", "local"],
      password: "[secret]",
    });
    assert.doesNotMatch(output, /swordfish/);
  });

  it("fails with the program's stack when it throws", async () => {
    const { code, output } = await run({ MODE: "throw" }, "preview");
    assert.notEqual(code, 0);
    assert.match(output, /Error: thrown by the program\n\s+at .*index\.ts/);
  });

  it("fails with the message alone when the program refuses to go on", async () => {
    const { code, output } = await run({ MODE: "refuse" }, "preview");
    assert.notEqual(code, 0);
    assert.match(output, /error: refused by the program/);
    assert.doesNotMatch(output, /index\.ts|non-zero exit code/);
  });

  it("fails when a command fails, and leaves no lock", async () => {
    const { code, output } = await run({ LOCAL: "exit 7" }, ...up);
    assert.notEqual(code, 0);
    assert.match(output, /exit status 7: running "exit 7"/);
    assert.deepEqual(project.locks(), []);
  });

  it("ends at Ctrl-C, the running step with it, and leaves no lock", async () => {
    const pidFile = project.file("step.pid");
    project.variables = { LOCAL: `echo $$ >${pidFile}; exec sleep 600` };
    const running = project.start(...up);
    await until("the step to run", 60, async () => fs.existsSync(pidFile));
    running.process.kill("SIGINT");
    const { code, output } = await running.ended;
    assert.notEqual(code, 0, output);
    assert.deepEqual(project.locks(), []);
    assert.throws(() => process.kill(Number(fs.readFileSync(pidFile, "utf8")), 0), /ESRCH/);
  });

  it("goes on after that with a plain up", async () => {
    const { code, output } = await run({}, ...up);
    assert.equal(code, 0, output);
  });

  it("says what to do where the SDK is not installed", async () => {
    const bare = new PulumiProject(program, { "pulumi-language-nodejs": process.env.LANGUAGE_HOST });
    try {
      fs.rmSync(bare.file("node_modules"));
      await bare.pulumi("stack", "init", "test");
      const { code, output } = await bare.pulumi("preview");
      assert.notEqual(code, 0);
      assert.match(output, /It looks like the Pulumi SDK has not been installed/);
    } finally {
      bare.remove();
    }
  });
});
