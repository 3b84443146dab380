/** The engine's event log as a run listens to it: `--event-log tcp://…` of the pinned CLI. */
import * as assert from "node:assert/strict";
import { stepEvent } from "../../report/live/engineEvents";
import { listenToEngine } from "../../report/live/engineServer";
import { PulumiProject } from "./pulumiProject";

const program = `
import * as pulumi from "@pulumi/pulumi";
const none: pulumi.dynamic.ResourceProvider = { create: async () => ({ id: "1", outs: {} }) };
class Step extends pulumi.dynamic.Resource {
  constructor(name: string, opts: pulumi.CustomResourceOptions) {
    super(none, name, { secret: pulumi.secret("not to be heard") }, opts);
  }
}
const group = new pulumi.ComponentResource("rke2:components:Group", "group");
const first = new Step("first", { parent: group });
new Step("second", { parent: group, dependsOn: first });
`;

describe("the engine's event log", function () {
  this.timeout(60_000);
  const project = new PulumiProject(program);
  after(() => project.remove());

  it("speaks of every step, in order; of the secrets that it tells none is taken", async () => {
    const heard: unknown[] = [];
    const engine = await listenToEngine((event) => heard.push(event));
    try {
      const made = await project.pulumi("stack", "init", "test");
      assert.equal(made.code, 0, made.output);
      Object.assign(project.variables, engine.variables);
      // A preview speaks as up does, of what it plans: nothing need be made for it.
      const { code, output } = await project.pulumi("preview", ...engine.args);
      assert.equal(code, 0, output);
    } finally {
      engine.close();
    }
    const words = heard.flatMap((event) => stepEvent(event) ?? []);
    assert.deepEqual(
      words.map(({ name, what, worked }) => [name, what, worked]),
      ["first", "second"].flatMap((name) => ["begun", "done"].map((what) => [name, what, true])),
    );
    assert.ok(words.every(({ at }) => Math.abs(at - Date.now()) < 120_000));
    // The engine's debug messages hold it in clear: why nothing that is heard is ever written down.
    assert.ok(JSON.stringify(heard).includes("not to be heard"));
    assert.ok(!JSON.stringify(words).includes("not to be heard"));
  });
});
