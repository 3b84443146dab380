import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { releaseServer } from "../../rehearsal/releases/server";

describe("release server", () => {
  const version = "v1.36.3+rke2r1";
  const path = `/rke2/releases/download/${encodeURIComponent(version)}`;
  let directory: string;
  let server: Server;
  let url: string;

  async function serve(bytesPerSecond?: number) {
    server = releaseServer({
      releases: directory,
      scan: join(directory, "scan"),
      faultFile: join(directory, "fault"),
      bytesPerSecond,
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "releases-"));
    await mkdir(join(directory, version));
    await writeFile(join(directory, "install.sh"), "#!/bin/sh\n");
    await writeFile(join(directory, version, "sha256sum-amd64.txt"), "0123  rke2.linux-amd64.tar.gz\n");
    await writeFile(join(directory, version, "rke2.linux-amd64.tar.gz"), Buffer.alloc(40_000));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  it("serves the install script and a release's files where install.sh asks for them", async () => {
    await serve();
    assert.equal(await (await fetch(url)).text(), "#!/bin/sh\n");
    assert.match(await (await fetch(`${url}${path}/sha256sum-amd64.txt`)).text(), /^0123 {2}rke2/);
    const head = await fetch(`${url}${path}/rke2.linux-amd64.tar.gz`, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "40000");
  });

  it("answers 404 for a version or file that is not there, and never leaves its folder", async () => {
    await serve();
    await writeFile(join(directory, "secret"), "no release");
    for (const wrong of [
      "/rke2/releases/download/v9.9.9%2Brke2r1/sha256sum-amd64.txt",
      `${path}/other.tar.gz`,
      `${path}/..%2Fsecret`,
      "/rke2/releases/download/%2E%2E/secret",
      "/secret",
    ]) {
      assert.equal((await fetch(url + wrong)).status, 404, wrong);
    }
  });

  it("answers 500 to everything while its fault is on", async () => {
    await serve();
    await writeFile(join(directory, "fault"), "");
    assert.equal((await fetch(url)).status, 500);
    assert.equal((await fetch(`${url}${path}/sha256sum-amd64.txt`)).status, 500);
    await rm(join(directory, "fault"));
    assert.equal((await fetch(url)).status, 200);
  });

  it("passes downloads on no faster than it is told", async () => {
    await serve(100_000);
    const from = Date.now();
    const body = await (await fetch(`${url}${path}/rke2.linux-amd64.tar.gz`)).arrayBuffer();
    assert.equal(body.byteLength, 40_000);
    assert.ok(Date.now() - from >= 390, `40 kB at 100 kB/s took ${Date.now() - from} ms`);
  });
});
