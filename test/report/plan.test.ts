import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { planOf } from "../../components/plan";
import { digestOf } from "../../report/canonical";
import { differences, isWhole } from "../../report/digest";
import { numbered, planRecord } from "../../report/plan";
import { plannedBars } from "../../report/render/planDocument";
import { configKeys, withoutApproval } from "../../report/stackConfig";
import { stepText } from "../../scripts";
import { FROM, inputsOf, planned, seenOf, settingsOf, TO } from "./fixtures";

const settings = settingsOf();

describe("report/plan: the change request", () => {
  it("holds every step of the plan in order, with the very text that is sent and its digest", () => {
    const record = planned(settings);
    assert.deepEqual(
      record.steps.map(({ id }) => id),
      planOf(settings).map(({ id }) => id),
    );
    const restart = record.steps.find(({ id }) => id === "proj-k8sm01-restart");
    assert.equal(restart?.script, "restart");
    assert.equal(restart?.args?.[1], TO);
    assert.equal(record.scripts.restart?.text, stepText("restart"));
    assert.equal(record.scripts.restart?.sha256, digestOf(stepText("restart")));
    for (const { script } of record.steps) assert.ok(!script || record.scripts[script], script);
  });

  it("says where an expected duration is from", () => {
    const { steps, measuredSteps } = planned(settings);
    const of = (id: string) => steps.find((step) => step.id === id);
    assert.deepEqual(
      [of("proj-k8sm01-restart")?.expectedSeconds, of("proj-k8sm01-restart")?.expectedFrom],
      [42, "measured"],
    );
    assert.equal(of("proj-k8sm02-restart")?.expectedFrom, "config");
    assert.equal(measuredSteps, 1);
  });

  it("goes from the wanted version to the accepted one while going back", () => {
    const back = settingsOf({
      goBack: { strategy: "restore" },
      backup: { directory: "b", recipients: settings.backup.recipients, identityFile: "/i" },
    });
    const record = planned(back, {
      preview: { ...inputsOf(back).preview, seen: seenOf(back, { nodes: {} }) },
    });
    const { from, to, direction, nodes } = record;
    assert.deepEqual([from, to, direction], [TO, FROM, "going back"]);
    assert.ok("notMeasured" in (nodes[0]?.seen ?? {}));
    assert.ok(isWhole(record));
  });

  it("numbers steps side by side as one, and lays their bars side by side", () => {
    const record = planned(settings);
    const fetches = record.steps.filter(({ id }) => id.endsWith("-fetch-artifacts"));
    assert.equal(new Set(fetches.map(({ number }) => number)).size, 1);
    const bars = plannedBars(record.steps);
    assert.equal(Math.max(...bars.map(({ to }) => to)), record.expectedSeconds);
    fc.assert(
      fc.property(
        fc.array(fc.record({ together: fc.option(fc.constantFrom("a", "b"), { nil: undefined }) })),
        (groups) => {
          const numbers = numbered(groups.map((group) => ({ ...group, phase: "agents" as const }))).map(
            ([number]) => number,
          );
          numbers.forEach((number, i) => {
            const before = numbers[i - 1] ?? 0;
            assert.ok(number === before || number === before + 1);
            assert.equal(
              number === before,
              i > 0 && groups[i]?.together !== undefined && groups[i]?.together === groups[i - 1]?.together,
            );
          });
        },
      ),
    );
  });
});

describe("report/digest: what an approval stands on", () => {
  const record = planned(settings);
  const other = (more: Parameters<typeof planned>[1]) => planned(settings, more).digest;
  const { preview, files, configKeys: keys } = inputsOf(settings);

  it("is the same for the same inputs, and another where plan, program, config or a node's version is another", () => {
    assert.deepEqual(planRecord(inputsOf(settings)), planRecord(inputsOf(settings)));
    const moved = seenOf(settings);
    const [first = ""] = Object.keys(moved.nodes);
    moved.nodes[first] = { versionOnDisk: TO, versionRunning: TO, service: "active", bootId: "b" };
    const digests = {
      plan: other({ preview: { ...preview, plan: "{}" } }),
      program: other({ files: { ...files, "scripts/restart.sh": "5".repeat(64) } }),
      config: other({ configKeys: { ...keys, "rke2-upgrade:drain": "6".repeat(64) } }),
      cluster: other({ preview: { ...preview, seen: moved } }),
    };
    for (const [part, digest] of Object.entries(digests)) {
      assert.notEqual(digest.value, record.digest.value, part);
      const changed = Object.entries(digest.parts).filter(
        ([name, value]) => record.digest.parts[name as "plan"] !== value,
      );
      assert.deepEqual(
        changed.map(([name]) => name),
        [part],
      );
    }
  });

  it("does not move with what a node does beside its version", () => {
    const seen = seenOf(settings);
    for (const [name, node] of Object.entries(seen.nodes))
      seen.nodes[name] = { ...node, bootId: "another", service: "activating" } as typeof node;
    assert.equal(other({ preview: { ...preview, seen } }).value, record.digest.value);
  });

  it("is not whole once any word that it covers was edited", () => {
    assert.ok(isWhole(record));
    const edited = structuredClone(record);
    const script = edited.scripts.restart;
    assert.ok(script);
    script.text += "\nrm -rf /";
    assert.ok(!isWhole(edited));
    const another = structuredClone(record);
    another.digest.files["index.ts"] = "9".repeat(64);
    assert.ok(!isWhole(another));
  });

  it("names what differs", () => {
    assert.deepEqual(differences("config", { a: "1", b: "2" }, { b: "3", c: "4" }), [
      "config a: gone since the plan",
      "config b: changed since the plan",
      "config c: added since the plan",
    ]);
  });

  it("takes the approval out of what the engine is given, and nothing else", () => {
    const signers = "  rke2-upgrade:approval:\n    allowedSigners:\n      - cab ssh-ed25519 AAAA\n";
    const rest = `encryptionsalt: v1:abc=:v1:def\nconfig:\n  rke2-upgrade:day: "2026-08-31"\n  rke2-upgrade:secret:\n    secure: v1:${"x".repeat(200)}\n`;
    const approval = "    changeId: CR-1\n    approver: CAB\n    digest: 0123456789abcdef\n";
    assert.deepEqual(parse(withoutApproval(`${rest}${signers}${approval}`)), parse(`${rest}${signers}`));
    assert.deepEqual(parse(withoutApproval(`${rest}  rke2-upgrade:approval:\n${approval}`)), parse(rest));
    assert.deepEqual(parse(withoutApproval(rest)), parse(rest));
  });

  it("leaves the approval out of the config's digest, but not who may sign one", () => {
    const file = (approval: string) => `config:\n  rke2-upgrade:rke2Version: ${TO}\n${approval}`;
    const signers = "  rke2-upgrade:approval:\n    allowedSigners: [cab ssh-ed25519 AAAA]\n";
    assert.deepEqual(
      configKeys(file("  rke2-upgrade:approval: {changeId: CR-1, approver: CAB}\n")),
      configKeys(file("")),
    );
    assert.notDeepEqual(configKeys(file(signers)), configKeys(file("")));
    assert.deepEqual(configKeys(file(`${signers}    approver: CAB\n`)), configKeys(file(signers)));
    assert.notDeepEqual(configKeys(file("")), configKeys(`config:\n  rke2-upgrade:rke2Version: ${FROM}\n`));
  });
});
