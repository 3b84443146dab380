/** Which way back is renewed on a rerun, by the stand-in's snapshots; all of them are too old here. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { backupFile } from "../../components/etcdBackups";
import { keepWayBack } from "../../components/wayBackKeeper";
import { type Settings, snapshotName } from "../../config";
import { ProxmoxClient } from "../../proxmox/client";
import { ownMark } from "../../proxmox/mark";
import { listSnapshots, takeSnapshot } from "../../proxmox/snapshots";
import { settingsFor } from "../proxmox/stack";
import { ProxmoxLab, TOKEN_SECRET } from "../rehearsal/proxmox/lab";

describe("components/wayBackKeeper", () => {
  let lab: ProxmoxLab;
  let client: ProxmoxClient;
  let directory: string;
  const [SERVER, AGENT] = ["proj-k8sm01", "proj-k8sw04"];

  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    client = new ProxmoxClient(lab.access);
    directory = mkdtempSync(join(tmpdir(), "keeper-"));
  });
  afterEach(async () => {
    await client.close();
    await lab.end();
    rmSync(directory, { recursive: true });
  });

  const settingsNow = (): Settings => {
    const settings = settingsFor(lab);
    return {
      ...settings,
      rke2Version: "v1.36.3+rke2r1",
      // No server is reached.
      servers: settings.servers.map((server) => ({ ...server, address: "127.0.0.1", port: 1 })),
      backup: { ...settings.backup, directory },
      limits: { ...settings.limits, snapshotMaxAgeHours: 0 },
    };
  };
  /** @param nodes whose snapshots are looked after */
  const keep = (
    touched: { patched?: string; upgraded?: string },
    nodes: readonly string[] = [],
    of = (settings: Settings) => settings,
  ) => {
    const settings = of(settingsNow());
    const { patched, upgraded } = touched;
    const names = (...all: (string | undefined)[]) => new Set(all.filter((name) => name !== undefined));
    return keepWayBack(
      { settings, sshPrivateKey: "none", proxmoxTokenSecret: TOKEN_SECRET },
      "owner",
      { nodes: names(patched, upgraded), upgraded: names(upgraded) },
      settings.nodes.filter(({ name }) => nodes.includes(name)),
    );
  };
  const snapshots = async () => (await listSnapshots(client, "node07", 3007)).map(({ name }) => name);
  const take = (name: string) => {
    const { acceptedVersion } = settingsNow();
    return takeSnapshot(client, 3007, name, ownMark(acceptedVersion), new Date(Date.now() + 20_000));
  };
  const nameNow = () => snapshotName(settingsNow().acceptedVersion, settingsNow().changeId);

  it("takes no newer snapshot of a node that was patched, and does of one that was not touched", async () => {
    await take(nameNow());
    await keep({ patched: AGENT }, [AGENT]);
    assert.deepEqual(await snapshots(), [nameNow()]);
    await keep({}, [AGENT]);
    assert.deepEqual((await snapshots()).sort(), [nameNow(), `${nameNow()}-2`]);
  });

  it("stops where a patched node has no snapshot", async () => {
    await assert.rejects(
      keep({ patched: AGENT }, [AGENT]),
      /proj-k8sw04 is on .* or in its turn.*way back is gone.*set acceptedVersion to v1\.36\.3/,
    );
    const round = (settings: Settings): Settings => ({
      ...settings,
      rke2Version: settings.acceptedVersion,
      osPatch: { ...settings.osPatch, packages: "full", round: settings.changeId },
    });
    await assert.rejects(
      keep({ patched: AGENT }, [AGENT], round),
      /proj-k8sw04 is patched in .*way back is gone.*set osPatch\.acceptedRound to /,
    );
  });

  it("renews etcd's snapshot while servers are only patched: the data are still the accepted version's", async () => {
    await keep({ patched: SERVER });
    await assert.rejects(keep({ upgraded: SERVER }), /a server is upgraded, but .* holds no etcd snapshot/);
    const settings = settingsNow();
    const old = backupFile(settings, new Date(Date.now() - 30 * 3_600_000), settings.acceptedVersion);
    mkdirSync(dirname(old), { recursive: true });
    for (const file of [old, `${old}.sha256`]) writeFileSync(file, "");
    await assert.rejects(keep({ patched: SERVER }), /no etcd snapshot could be taken/);
    await keep({ upgraded: SERVER });
    // It was mended since: what it wrote is there all the same, and a newer snapshot is none of the accepted version's.
    await keep({ patched: SERVER });
    for (const file of [old, `${old}.sha256`]) rmSync(file);
    await assert.rejects(keep({}), /a server was upgraded, but .* holds no etcd snapshot/);
  });
});
