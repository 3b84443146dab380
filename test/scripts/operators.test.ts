/** The scripts that read Helm releases with a kubectl that is played: what real ones say is in test/contract. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { stepText } from "../../scripts";

/** A release of version 1.2.3, and of its workloads what the script's template makes of them. */
function ready(...workloads: string[]) {
  const metadata = { name: "vault", version: "1.2.3" };
  const record = gzipSync(JSON.stringify({ name: "vault", chart: { metadata } })).toString("base64");
  const kube = `kube() {
    case "$*" in
    *'get secrets'*) echo '1 deployed ${record}' ;;
    *'get deployments,daemonsets,statefulsets'*) printf '%s\\n' ${workloads.map((row) => `'${row}'`).join(" ")} ;;
    esac
  }`;
  const text = stepText("operator-ready");
  const [lib, body] = [text.indexOf("# What every step shares"), text.lastIndexOf("#!/usr/bin/env bash")];
  const input = `set -euo pipefail\n${text.slice(lib, body)}\nAPI=none\n${kube}\napi_ready() { :; }\n${text.slice(body)}`;
  const args = ["-s", "--", "operator-ready", "ns", "vault", "1.2.3", "1"];
  const { status, stdout, stderr } = spawnSync("bash", args, { input, encoding: "utf8" });
  return { status, stderr, stdout };
}

describe("the scripts that read Helm releases", () => {
  it("ready: pods that are replaced as they are deleted hold nothing up, and are told", () => {
    const { status, stdout, stderr } = ready("vault ns StatefulSet ns/vault 2 2 3 1 3 OnDelete");
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /until they are deleted \(OnDelete\): StatefulSet ns\/vault: 1 of 3 updated\. Delete/,
    );
    const { awaitsDeletion } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    assert.equal(awaitsDeletion, "StatefulSet ns/vault: 1 of 3 updated");
  });

  for (const [title, row] of [
    ["rolled out otherwise", "vault ns StatefulSet ns/vault 2 2 3 1 3 RollingUpdate"],
    ["away", "vault ns StatefulSet ns/vault 2 2 3 1 2 OnDelete"],
    ["of a generation that nobody has looked at", "vault ns StatefulSet ns/vault 2 1 3 3 3 OnDelete"],
  ] as const)
    it(`ready: waits for pods that are ${title}`, () => {
      assert.match(ready(row).stderr, /not rolled out: StatefulSet ns\/vault: \d of 3 updated/);
    });

  it("ready: says nothing of deletion where all are updated, nor of another release's pods", () => {
    const { status, stdout, stderr } = ready(
      "vault ns StatefulSet ns/vault 2 2 3 3 3 OnDelete",
      "vault ns Deployment ns/injector 2 2 1 1 1 -",
      "other ns StatefulSet ns/other 2 2 3 0 0 OnDelete",
    );
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stdout, /OnDelete/);
  });
});
