import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { asFile, digestOf } from "../../report/canonical";
import { CHAIN_FILE, chainFaults, type Link, link, readChain, writeRecords } from "../../report/chain";
import { planFiles, reportFiles } from "../../report/files";
import { programFiles } from "../../report/program";
import { report } from "../../report/reportCommand";
import { verify } from "../../report/verify";
import {
  accessOf,
  evidenceWith,
  historyEntry,
  inputsOf,
  planned,
  runAt,
  seenOf,
  settingsOf,
} from "./fixtures";

const settings = settingsOf();
const plan = planned(settings, { files: programFiles() });
const pulumiPlan = inputsOf(settings).preview.plan;

const WHOLE = { faults: [], notes: [], afterHead: [] };

/** A change's folder with plan and report in it. */
async function folder(): Promise<{ directory: string; head: string }> {
  const directory = mkdtempSync(join(tmpdir(), "record-test-"));
  const evidence = evidenceWith(settings, [historyEntry(settings, 0, "succeeded")]);
  await writeRecords(directory, [
    { what: "Pulumi's plan", file: "change.plan.json", content: pulumiPlan },
    ...(await planFiles(plan)),
  ]);
  const head = await writeRecords(directory, await reportFiles(evidence, plan, accessOf(settings)));
  return { directory, head };
}

/** What is found after something was done to a folder that was whole. */
async function faultsAfter(harm: (directory: string) => unknown, head?: string): Promise<string[]> {
  const made = await folder();
  try {
    assert.deepEqual(await verify(made.directory, made.head), WHOLE);
    await harm(made.directory);
    return (await verify(made.directory, head ?? made.head)).faults;
  } finally {
    rmSync(made.directory, { recursive: true });
  }
}

describe("report --verify", () => {
  const files = [
    "change.plan.json",
    "change.approval.txt",
    "change.json",
    "change.md",
    "change.html",
    "evidence.json",
    "access.json",
    "report.json",
    "report.md",
    "report.html",
  ];

  for (const file of files) {
    it(`finds an edit of ${file}, and that it is gone`, async () => {
      const edit = (directory: string) => {
        const text = readFileSync(join(directory, file), "utf8");
        writeFileSync(join(directory, file), text.replace(/.(\s*)$/, "x$1"));
      };
      assert.match((await faultsAfter(edit)).join(), new RegExp(`${file}: it was edited`));
      assert.match(
        (await faultsAfter((directory) => unlinkSync(join(directory, file)))).join(),
        new RegExp(`${file}: it is gone`),
      );
    });
  }

  it("finds a file that was put there", async () => {
    assert.deepEqual(await faultsAfter((directory) => writeFileSync(join(directory, "more.md"), "x")), [
      "more.md: it is not in the chain",
    ]);
  });

  it("lets pass what a kill left of a file of ours, and nothing else that calls itself a part", async () => {
    const put = (name: string) => (directory: string) => writeFileSync(join(directory, name), "cut sh");
    const part = `${randomUUID()}.part`;
    for (const file of [...files, CHAIN_FILE, "run-1.json", "back.plan.json"])
      assert.deepEqual(await faultsAfter(put(`${file}.${part}`)), [], file);
    for (const name of [`evil.sh.${part}`, "change.md.part", `.${part}`])
      assert.deepEqual(await faultsAfter(put(name)), [`${name}: it is not in the chain`]);
  });

  it("lets pass how far a runbook is, and no runbook that the program did not write", async () => {
    const put = (name: string) => faultsAfter((directory) => writeFileSync(join(directory, name), "x"));
    for (const name of ["runbook.sh.began", "runbook-back-rollback.sh.began"])
      assert.deepEqual(await put(name), [], name);
    for (const name of ["runbook.sh", "runbook-back-rollback.sh", "runbook-mine.sh.began"])
      assert.deepEqual(await put(name), [`${name}: it is not in the chain`]);
  });

  it("finds a line of the chain that was dropped, doubled or cut short", async () => {
    const lines = (change: (lines: string[]) => string[]) => (directory: string) => {
      const file = join(directory, CHAIN_FILE);
      writeFileSync(file, change(readFileSync(file, "utf8").split("\n")).join("\n"));
    };
    assert.notDeepEqual(await faultsAfter(lines(([, ...rest]) => rest)), []);
    assert.notDeepEqual(await faultsAfter(lines((all) => all.slice(0, -2))), []);
    assert.notDeepEqual(await faultsAfter(lines(([first = "", ...rest]) => [first, first, ...rest])), []);
    assert.match(
      (await faultsAfter((directory) => appendFileSync(join(directory, CHAIN_FILE), '{"seq'))).join(),
      /cannot be read.*next: /s,
    );
  });

  it("finds a sentence whose file and chain were both made anew: by the evidence, and by the head in the ticket", async () => {
    const forge = async (directory: string) => {
      const text = readFileSync(join(directory, "report.md"), "utf8").replace("not accepted", "accepted");
      const chain: Link[] = [];
      for (const { what, file } of await readChain(directory)) {
        const content = file === "report.md" ? text : readFileSync(join(directory, file));
        chain.push(link(chain, what, file, content));
      }
      writeFileSync(join(directory, "report.md"), text);
      writeFileSync(join(directory, CHAIN_FILE), chain.map((line) => `${JSON.stringify(line)}\n`).join(""));
    };
    assert.match((await faultsAfter(forge)).join("\n"), /the head .* is not in it/);
    const withoutHead = await folder();
    await forge(withoutHead.directory);
    assert.match(
      (await verify(withoutHead.directory)).faults.join("\n"),
      /report\.md: it does not follow from the evidence/,
    );
    rmSync(withoutHead.directory, { recursive: true });
  });

  it("calls nothing whole that was written after the noted head, whoever wrote it, and says what the head proves", async () => {
    const { directory, head } = await folder();
    const proven = digestOf(readFileSync(join(directory, "report.md")));
    const evidence = evidenceWith(settings, [historyEntry(settings, 0, "failed")]);
    const files = await reportFiles(evidence, plan, accessOf(settings));
    const more = { what: "run 1", file: "run-1.json", content: asFile(runAt(0)) };
    const now = await writeRecords(directory, [...files, more]);
    const { faults, afterHead } = await verify(directory, head);
    assert.deepEqual(faults, []);
    assert.ok(afterHead.includes("run-1.json: written after the noted head"), afterHead.join());
    assert.ok(
      afterHead.includes(
        `report.md: written after the noted head, which proves it with the sha256 ${proven}`,
      ),
    );
    assert.ok(!afterHead.some((line) => /^(change|access)\./.test(line)));
    assert.deepEqual(await verify(directory, now), WHOLE);
    const said = async (noted: string) => {
      const { log, error } = console;
      const lines: string[] = [];
      console.log = console.error = (line: string) => void lines.push(line);
      try {
        await report({ verify: directory, head: noted });
        return { code: process.exitCode ?? 0, text: lines.join("\n") };
      } finally {
        Object.assign(console, { log, error });
        process.exitCode = 0;
      }
    };
    const old = await said(head);
    assert.equal(old.code, 2);
    assert.match(old.text, /report\.md: written after the noted head.*\nnext: --head with the newest/s);
    assert.doesNotMatch(old.text, /whole/);
    assert.match(
      (await said(now)).text,
      /: whole, every file as it was written, and the head is the last line/,
    );
    rmSync(directory, { recursive: true });
  });

  it("finds a log-in that was taken out of access.json and of the chain", async () => {
    const faults = await faultsAfter(async (directory) => {
      const { nodes, ...rest } = accessOf(settings);
      const content = asFile({ ...rest, nodes: nodes.map((node) => ({ ...node, logins: [] })) });
      await writeRecords(directory, [{ what: "access", file: "access.json", content }]);
    });
    assert.ok(faults.includes("report.json: it does not follow from the evidence"), faults.join());
  });

  it("finds a plan and a change request that do not belong together", async () => {
    const swap = async (directory: string) => {
      await writeRecords(directory, [
        { what: "Pulumi's plan", file: "change.plan.json", content: '{"another":1}' },
      ]);
    };
    assert.deepEqual(await faultsAfter(swap), ["change.plan.json: it is not the plan of change.json"]);
  });

  it("calls nothing forged that another version of the program made, and says that it was not made again", async () => {
    const { directory } = await folder();
    const older = { ...plan, digest: planned(settings, { files: { "index.ts": "3".repeat(64) } }).digest };
    await writeRecords(directory, await planFiles(older));
    writeFileSync(join(directory, "change.md"), "as an older version wrote it\n");
    await writeRecords(directory, [
      { what: "c", file: "change.md", content: "as an older version wrote it\n" },
    ]);
    const { faults, notes } = await verify(directory);
    assert.match(notes.join(), /another version of the program made change\.json/);
    assert.ok(!faults.join().includes("change.md"));
    rmSync(directory, { recursive: true });
  });

  it("finds a plan for going back whole, which asks no node", async () => {
    const { directory } = await folder();
    const back = settingsOf({
      goBack: { strategy: "restore" },
      backup: { ...settings.backup, directory: "b", identityFile: "/i" },
    });
    const preview = { ...inputsOf(back).preview, seen: seenOf(back, { nodes: {} }) };
    await writeRecords(directory, [
      { what: "Pulumi's plan", file: "back.plan.json", content: preview.plan },
      ...(await planFiles(planned(back, { files: programFiles(), preview }))),
    ]);
    assert.deepEqual(await verify(directory), WHOLE);
    rmSync(directory, { recursive: true });
  });

  it("writes no line for a file that is as it was", async () => {
    const { directory, head } = await folder();
    assert.equal(await writeRecords(directory, await planFiles(plan)), head);
    rmSync(directory, { recursive: true });
  });
});

describe("report/chain", () => {
  it("finds any changed field of any line", () => {
    const field = fc.constantFrom("sequence", "what", "file", "sha256", "previous", "hash");
    fc.assert(
      fc.property(
        fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        field,
        (contents, nth, name) => {
          const chain: Link[] = [];
          for (const content of contents) chain.push(link(chain, "w", `f${chain.length}`, content));
          assert.deepEqual(chainFaults(chain), []);
          const at = nth % chain.length;
          const value = name === "sequence" ? 99 : digestOf("other");
          const edited = chain.map((line, i) => (i === at ? { ...line, [name]: value } : line));
          assert.notDeepEqual(chainFaults(edited), []);
        },
      ),
    );
  });
});
