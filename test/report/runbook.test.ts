import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { planOf } from "../../components/plan";
import { remaining, runbook } from "../../report/runbook/make";
import { stepInput, stepText } from "../../scripts";
import { FROM, OWNER, settingsOf } from "./fixtures";

const settings = settingsOf();
const made = (more: Partial<Parameters<typeof runbook>[0]> = {}) =>
  runbook({
    settings,
    owner: OWNER,
    attempt: 2,
    moved: { from: FROM, under: "CR-1" },
    done: new Set(),
    ...more,
  });
const stepsIn = (text: string): string[] => text.split("\n").filter((line) => line.startsWith("if step "));

const withOperators = settingsOf({
  operators: [
    {
      ...{
        name: "cert-manager",
        namespace: "certs",
        chart: "cert-manager",
        version: "v1.21.2",
        when: "before",
      },
      ...{ repo: "https://charts.jetstack.io", values: { note: "it's" } },
    },
  ],
});

const backs = (["reinstall", "restore", "rollback"] as const).map((strategy) => {
  const changes = strategy === "reinstall" ? { rke2Version: "v1.35.5+rke2r1" } : {};
  const backup = { ...settings.backup, identityFile: "/identity" };
  return [strategy, { ...settingsOf(changes), goBack: { strategy }, backup }] as const;
});

describe("report/runbook", () => {
  const folder = mkdtempSync(join(tmpdir(), "runbook-test-"));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, text] of [
    ["forward", made()],
    ["operators", made({ settings: withOperators })],
    ["rancher", made({ settings: settingsOf({ rancherVersion: "2.15.1" }) })],
    ...backs.map(([name, settings]) => [name, made({ settings })] as const),
  ] as const) {
    it(`${name}: is bash that shellcheck finds nothing in`, function () {
      const file = join(folder, `${name}.sh`);
      writeFileSync(file, text);
      execFileSync("bash", ["-n", file]);
      const { stdout, error } = spawnSync("shellcheck", [file], { encoding: "utf8" });
      if (error) return this.skip();
      assert.equal(stdout, "");
    });
  }

  it("holds every step that is left, in the plan's order, as the program would run it", () => {
    const text = made();
    assert.equal(stepsIn(text).length, planOf(settings).length);
    assert.ok(text.includes(stepText("restart").trimEnd()));
    assert.ok(text.includes(`'sudo -n bash -s -- install-release ${OWNER} 300 server v1.36.3+rke2r1'`));
    const [, restore] = backs[1] as (typeof backs)[number];
    assert.match(made({ settings: restore, attempt: 7 }), new RegExp(`back-wipe ${OWNER} 300 7 CR-1'`));
  });

  it("upgrades an operator's release with the operator's own helm, and proves it as the program would", () => {
    const text = made({ settings: withOperators });
    assert.ok(
      text.includes(
        `printf '%s' '{"note":"it'\\''s"}' | helm upgrade --install cert-manager cert-manager --namespace certs --create-namespace --version v1.21.2 --repo https://charts.jetstack.io --values - --wait --timeout 300s`,
      ),
    );
    assert.ok(text.includes(`operator-ready ${OWNER} 360 certs cert-manager v1.21.2 300'`));
  });

  it("sends the very text, and the very arguments, over ssh", () => {
    const bin = mkdtempSync(join(tmpdir(), "runbook-ssh-"));
    const record = join(bin, "said");
    // An ssh that keeps what it is given; curl is never reached, since only a node's own steps are run.
    writeFileSync(
      join(bin, "ssh"),
      `#!/usr/bin/env bash\nprintf '%s\\n' "\${@: -2}" >>${record}\ncat >>${record}\n`,
      { mode: 0o755 },
    );
    const only = planOf(settings).filter(({ id }) => id === "proj-k8sm01-restart");
    const done = new Set(
      planOf(settings)
        .map(({ id }) => id)
        .filter(
          (id) =>
            !id.startsWith("proj-k8sm01-") ||
            !/m01-(turn|gate|back|inst|rest|ver)/.test(id) ||
            id.endsWith("restore-point"),
        ),
    );
    const text = made({ done });
    writeFileSync(join(folder, "one.sh"), text);
    const number = /if step (\d+) 'proj-k8sm01: move etcd/.exec(text)?.[1] ?? "";
    const { status, stderr } = spawnSync("bash", [join(folder, "one.sh")], {
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, YES: "1", FROM: number, SSH_KEY: "/key" },
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const said = execFileSync("cat", [record], { encoding: "utf8" });
    rmSync(bin, { recursive: true });
    const [planned] = only.flatMap(({ planned }) => planned ?? []);
    assert.ok(planned);
    assert.ok(said.startsWith(`${planned.on.user}@${planned.on.address}\n`));
    assert.ok(
      said.includes(`sudo -n bash -s -- restart ${OWNER} ${planned.limitSeconds} server v1.36.3+rke2r1 600 `),
    );
    assert.ok(said.includes(`\n${stepInput("restart", "proj-k8sm01")}`), "not the very text");
  });

  it("holds no secret and no identity", () => {
    for (const [, settings] of backs) {
      const text = made({ settings });
      assert.ok(!/AGE-SECRET-KEY|PRIVATE KEY-----|PVEAPIToken=[^%]/.test(text));
      assert.ok(!text.includes("/identity"));
    }
  });

  it("leaves out whole turns that are over, and begins a turn that has begun at its first question", () => {
    const plan = planOf(settings);
    fc.assert(
      fc.property(fc.nat({ max: plan.length }), (count) => {
        const done = new Set(plan.slice(0, count).map(({ id }) => id));
        const left = remaining(plan, done);
        const ids = new Set(left.map(({ id }) => id));
        for (const { id } of plan.slice(count)) assert.ok(ids.has(id), `${id} is left to do`);
        for (const name of new Set(left.map(({ node }) => node))) {
          const turn = plan.filter(
            (step) => step.node === name && (step.phase === "servers" || step.phase === "agents"),
          );
          const there = turn.filter(({ id }) => ids.has(id)).length;
          assert.ok(there === 0 || there === turn.length);
        }
        if (count === plan.length) assert.deepEqual([...ids], ["preflight"]);
      }),
    );
  });
});
