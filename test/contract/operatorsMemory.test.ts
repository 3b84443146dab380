import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { PulumiProject } from "./pulumiProject";
import { root } from "./toolchain";

/** A gate that is asked anew on every run, and what a preview reads of its memory, told as the program has it. */
const program = `
import * as pulumi from "@pulumi/pulumi";
import { currentCode } from "./components/currentCode";
import { OperatorsMemory } from "./components/operatorsMemory";

class Gate extends pulumi.dynamic.Resource {
  declare readonly letThrough: pulumi.Output<any>;
  constructor() {
    super(currentCode("gate"), "gate", { letThrough: undefined }, {}, "rke2", "Gate");
  }
}
const gate = new Gate();
const { known } = new OperatorsMemory("memory", { letThrough: gate.letThrough }, { dependsOn: [gate] });
known.apply((value) => pulumi.log.warn("known: " + JSON.stringify(value)));
`;

const gate = `
const let_ = (since: number) => ({ letThrough: { cert: { digest: "d", since } } });
export const provider = {
  create: async () => ({ id: "gate", outs: let_(1) }),
  diff: async () => ({ changes: true }),
  update: async (_id: string, olds: any) => ({ outs: let_(olds.letThrough.cert.since + 1) }),
};
`;

/** What preview's word on releases that were moved by hand rests on. */
describe("the operators' memory in the engine", function () {
  this.timeout(15 * 60_000); // the first run may build the toolchain
  let project: PulumiProject;

  before(() => {
    project = new PulumiProject(program);
    for (const folder of ["components", "config", "observe", "scripts", "proxmox"])
      fs.symlinkSync(path.join(root, folder), project.file(folder));
    project.write("gate.ts", gate);
  });
  after(() => project.remove());

  const known = async (...args: string[]): Promise<unknown> => {
    const { code, output } = await project.pulumi(...args);
    assert.equal(code, 0, output);
    return JSON.parse(/known: (\{.*\})/.exec(output)?.[1] ?? "null");
  };

  it("is known in a preview whose gate is still to be asked: as the last run left it", async () => {
    assert.equal((await project.pulumi("stack", "init", "test")).code, 0);
    assert.deepEqual(await known("preview"), {});
    for (const since of [1, 2]) {
      assert.deepEqual(await known("up", "--yes", "--skip-preview"), { cert: { digest: "d", since } });
      assert.deepEqual(await known("preview"), { cert: { digest: "d", since } });
    }
  });
});
