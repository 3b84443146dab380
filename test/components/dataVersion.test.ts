import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  dataVersion,
  forgetNewerData,
  forgetWhatIsGone,
  hasNewerData,
  rememberBeforeBack,
} from "../../components/dataVersion";
import { backupFile } from "../../components/etcdBackups";
import { beginRecord } from "../../components/recovery/record";
import type { GoBack, Settings } from "../../config";
import { FROM, settings, TO } from "../observe/facts";
import { playNode } from "./playedNode";

describe("components/dataVersion", () => {
  let directory: string;
  let node: Awaited<ReturnType<typeof playNode>>;
  /** What every server runs; undefined: none answers. */
  let runs: string | undefined;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "data-"));
    node = await playNode(() => runs && `versionOnDisk=${runs}\nversionRunning=${runs}\n`);
  });
  afterEach(() => {
    node.close();
    rmSync(directory, { recursive: true });
  });

  const here = (goBack?: GoBack): Settings => ({
    ...settings,
    goBack,
    backup: { ...settings.backup, directory },
    servers: settings.servers.map((server) => ({ ...server, ...node.target })),
  });
  const version = () => dataVersion(here(), node.sshPrivateKey);
  const beforeBack = (goBack: GoBack, attempt = 1) =>
    rememberBeforeBack(here(goBack), node.sshPrivateKey, attempt);

  it("is the wanted version's for good once a server ran that, whatever it runs after", async () => {
    runs = FROM;
    assert.equal(await version(), FROM);
    runs = undefined;
    assert.equal(await version(), TO);
    runs = FROM;
    assert.equal(await version(), FROM, "one that did not answer was not seen upgraded");
    runs = TO;
    assert.equal(await version(), TO);
    runs = FROM;
    assert.equal(await version(), TO);
  });

  it("is asked before a server is mended, once an attempt; one that is silent counts as upgraded", async () => {
    const mend: GoBack = { strategy: "rollback", nodes: ["proj-k8sm01"] };
    runs = FROM;
    await beforeBack(mend);
    assert.equal(hasNewerData(here()), false);
    await beginRecord(here(), 1, "rollback:proj-k8sm01");
    runs = undefined;
    await beforeBack(mend);
    await beforeBack({ strategy: "reinstall", nodes: ["proj-k8sw01"] }, 2);
    assert.equal(hasNewerData(here()), false, "it is down because it is being mended; agents write nothing");
    await beforeBack(mend, 2);
    assert.equal(hasNewerData(here()), true);
    runs = FROM;
    assert.equal(await version(), TO);
  });

  it("is the accepted version's again once etcd is what a snapshot of that version holds, or the change is settled", async () => {
    runs = TO;
    await version();
    runs = FROM;
    const place = async (of: string) => {
      const file = backupFile(here(), new Date("2026-11-24T01:12:00Z"), of);
      mkdirSync(dirname(file), { recursive: true });
      for (const one of [file, `${file}.sha256`]) writeFileSync(one, "");
      await forgetWhatIsGone(here(), file);
      return version();
    };
    assert.deepEqual([await place(TO), await place(FROM)], [TO, FROM]);
    runs = TO;
    await version();
    await forgetNewerData(here());
    assert.equal(hasNewerData(here()), false);
  });

  it("is one and the same in a round of OS patches, and nothing is remembered", async () => {
    runs = undefined;
    const round = { ...here({ strategy: "rollback", nodes: ["proj-k8sm01"] }), rke2Version: FROM };
    await rememberBeforeBack(round, node.sshPrivateKey, 1);
    assert.equal(hasNewerData(round), false);
  });
});
