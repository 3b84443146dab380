import assert from "node:assert/strict";
import { ConfigError, isDrained, parseSettings, patchedNodes, settingsWarnings } from "../../config";
import { lab, labNodes } from "./lab";

const UNDER_WAY = { rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.35.4+rke2r1" };
const of = (osPatch: object, more: object = {}) => parseSettings(lab({ ...UNDER_WAY, osPatch, ...more }));

describe("config/osPatch", () => {
  it("leaves every OS alone by default, and then drains agents alone", () => {
    const settings = parseSettings(lab(UNDER_WAY));
    assert.deepEqual(settings.osPatch, { packages: "none", reboot: "whenNeeded", servers: false });
    assert.deepEqual(patchedNodes(settings), []);
    // None is none, whatever the other two say.
    for (const each of [settings, of({ packages: "none", reboot: "always", servers: true })])
      for (const node of each.nodes) assert.equal(isDrained(each, node), node.role === "agent");
  });

  it("patches agents, and servers where they are asked for: those are drained then", () => {
    const agents = of({ packages: "security" });
    assert.deepEqual(patchedNodes(agents), agents.agents);
    const all = of({ packages: "full", servers: true });
    assert.deepEqual(patchedNodes(all), [...all.servers, ...all.agents]);
    assert.ok(all.nodes.every((node) => isDrained(all, node)));
  });

  it("refuses every mistake at once, with its key, what is allowed and an example", () => {
    assert.throws(
      () => of({ packages: "some", reboot: "now", servers: "yes", other: 1 }),
      (error: ConfigError) => {
        assert.ok(error instanceof ConfigError);
        for (const wanted of [
          /osPatch\.packages.*"none", "security" or "full"/s,
          /osPatch\.reboot.*"whenNeeded", "always" or "never"/s,
          /osPatch\.servers.*true or false/s,
          /osPatch\.other/,
        ])
          assert.match(error.message, wanted);
        return true;
      },
    );
  });

  it("refuses to reboot a lone server", () => {
    const nodes = [labNodes[0], labNodes[3]];
    assert.throws(
      () => of({ packages: "full", servers: true }, { nodes }),
      /osPatch\.servers.*one server.*three/s,
    );
    of({ packages: "full" }, { nodes });
  });

  it("tells that nothing is patched without a version bump", () => {
    const settled = { rke2Version: UNDER_WAY.acceptedVersion };
    const told = (settings: ReturnType<typeof of>) => settingsWarnings(settings).map(({ path }) => path);
    assert.ok(told(of({ packages: "full" }, settled)).includes("osPatch"));
    assert.ok(!told(of({ packages: "full" })).includes("osPatch"));
    assert.ok(!told(of({}, settled)).includes("osPatch"));
  });
});
