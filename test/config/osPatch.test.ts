import assert from "node:assert/strict";
import {
  ConfigError,
  hasTurn,
  isChanging,
  isDrained,
  isRound,
  parseSettings,
  patchedNodes,
  settingsWarnings,
} from "../../config";
import { waysBack } from "../../config/waysBack";
import { lab, labNodes, RECIPIENT } from "./lab";

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

  const SETTLED = { rke2Version: UNDER_WAY.acceptedVersion, changeId: "CR-2" };

  it("knows a round of patches from a version bump and from what is settled", () => {
    const states = [
      [of({ packages: "full" }), [false, true]],
      [of({ packages: "full" }, SETTLED), [false, false]],
      [of({ packages: "full", round: "CR-2" }, SETTLED), [true, true]],
      [of({ packages: "full", round: "CR-2", acceptedRound: "CR-1" }, SETTLED), [true, true]],
      [of({ packages: "none", round: "CR-1", acceptedRound: "CR-1" }, SETTLED), [false, false]],
      [of({ packages: "full", round: "CR-1", acceptedRound: "CR-1" }), [false, true]],
    ] as const;
    for (const [settings, [round, changing]] of states) {
      assert.deepEqual([isRound(settings), isChanging(settings)], [round, changing]);
      for (const node of settings.nodes)
        assert.equal(hasTurn(settings, node), !round || node.role === "agent");
    }
  });

  it("refuses a round that is no change of its own, or in which nothing is to be done", () => {
    const refused = (osPatch: object, more: object, ...wanted: RegExp[]) =>
      assert.throws(
        () => of(osPatch, more),
        (error: ConfigError) => wanted.every((one) => one.test(error.message)),
      );
    refused(
      { packages: "full", round: "CR-2" },
      { changeId: "CR-2" },
      /osPatch\.round.*under way.*config rm --path/s,
    );
    refused(
      { packages: "full", round: "CR-2", acceptedRound: "CR-1" },
      { changeId: "CR-2" },
      /osPatch\.round' CR-1/,
    );
    refused(
      { round: "CR-9" },
      SETTLED,
      /osPatch\.round.*this change's ID, "CR-2".*config set rke2-upgrade:changeId CR-9/s,
      /osPatch\.packages.*"security" or "full"/s,
    );
    refused(
      { packages: "full", round: "CR-2" },
      { ...SETTLED, nodes: labNodes.slice(0, 3) },
      /servers alone/,
    );
    refused({ packages: "full", round: "not an id!" }, SETTLED, /osPatch\.round/);
  });

  it("goes back by VMs alone in a round, and says so", () => {
    const round = { packages: "full", round: "CR-2" };
    const back = (goBack: object) => () =>
      of(round, { ...SETTLED, goBack, backup: { recipients: [RECIPIENT], identityFile: "/key" } });
    for (const goBack of [{ strategy: "reinstall", nodes: ["proj-k8sw01"] }, { strategy: "restore" }])
      assert.throws(
        back(goBack),
        /goBack\.strategy.*OS patches alone.*packages go back with a node's VM alone/s,
      );
    for (const nodes of [["proj-k8sw01", "proj-k8sw02"], ["proj-k8sm02"], undefined])
      back({ strategy: "rollback", ...(nodes && { nodes }) })();
    assert.throws(
      back({ strategy: "rollback", nodes: ["proj-k8sm01", "proj-k8sm02"] }),
      /one server at a time/,
    );
    const ways = (sick: string[], silent: string[] = []) =>
      waysBack(of(round, SETTLED), { sick, silent, etcdWhole: true }).map(({ strategy, nodes }) => [
        strategy,
        nodes ?? "all",
      ]);
    assert.deepEqual(ways(["proj-k8sw01"]), [["rollback", ["proj-k8sw01"]]]);
    assert.deepEqual(ways(["proj-k8sm02"]), [["rollback", ["proj-k8sm02"]]]);
    const two = ["proj-k8sm01", "proj-k8sm02"];
    assert.deepEqual(ways(two), []);
    assert.deepEqual(ways(two, two), [["rollback", "all"]]);
  });

  it("tells that nothing is patched without a version bump", () => {
    const settled = { rke2Version: UNDER_WAY.acceptedVersion };
    const told = (settings: ReturnType<typeof of>) => settingsWarnings(settings).map(({ path }) => path);
    assert.ok(told(of({ packages: "full" }, settled)).includes("osPatch"));
    assert.ok(!told(of({ packages: "full" })).includes("osPatch"));
    assert.ok(!told(of({}, settled)).includes("osPatch"));
  });
});
