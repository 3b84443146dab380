import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../rehearsal/machines/poll";
import { PulumiProject } from "./pulumiProject";
import { root } from "./toolchain";

/** Two providers in files of their own, as ours are; the first leaves a timer behind, as Preflight does. */
const provider = (body: string) => `
import { writeFileSync } from "node:fs";
import { engineLives, operatorLog } from "./components/operatorLog";
export const provider = {
  async create() { ${body} return { id: "x", outs: { pid: process.pid } }; },
};
`;

const program = `
import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./components/currentCode";

class Probe extends pulumi.dynamic.Resource {
  declare readonly pid: pulumi.Output<number>;
  constructor(module: string, opts?: pulumi.CustomResourceOptions) {
    super(currentCode(module), module, { pid: undefined }, opts, "rke2", module);
  }
}
const first = new Probe("first");
const second = new Probe("second", { dependsOn: [first] });
export const pids = [first.pid, second.pid];
`;

/**
 * What the RPO timer rests on: dynamic providers of one run share a process that lives as long as the engine's `up`,
 * and what it says later reaches the operator.
 */
describe("the process of dynamic providers", function () {
  this.timeout(15 * 60_000); // the first run may build the toolchain
  let project: PulumiProject;

  before(() => {
    project = new PulumiProject(program);
    fs.symlinkSync(path.join(root, "components"), project.file("components"));
    project.write("first.ts", provider(`setInterval(() => operatorLog.warn("a later word"), 200).unref();`));
    project.write("second.ts", provider("await new Promise((resolve) => setTimeout(resolve, 2000));"));
  });
  after(() => project.remove());

  it("is one for all of them, outlives the call that began it, is heard, and ends with the engine", async () => {
    assert.equal((await project.pulumi("stack", "init", "test")).code, 0);
    const { code, output } = await project.pulumi("up", "--yes", "--skip-preview");
    assert.equal(code, 0, output);
    assert.match(output, /warning: a later word/);
    const [first, second] = (await project.outputs()).pids as number[];
    assert.equal(first, second);
    assert.equal(fs.existsSync(`/proc/${first}`), false);
  });

  it("knows when the engine that it belongs to was killed and has left it behind", async () => {
    const note = project.file("note");
    const look = `setInterval(async () => writeFileSync("note", process.pid + " " + (await engineLives())), 100)`;
    project.write("first.ts", provider(`${look};`));
    project.write("second.ts", provider("await new Promise(() => {});"));
    await project.pulumi("destroy", "--yes", "--skip-preview");
    const up = project.start("up", "--yes", "--skip-preview");
    const noted = () => (fs.existsSync(note) ? fs.readFileSync(note, "utf8") : "").split(" ");
    await until("the engine to be seen", 60, async () => noted()[1] === "true");
    up.process.kill("SIGKILL");
    await up.ended.catch(() => undefined);
    await until("its end to be seen", 20, async () => noted()[1] === "false");
    process.kill(Number(noted()[0]), "SIGKILL");
  });
});
