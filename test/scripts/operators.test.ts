/** The scripts that read Helm releases with a kubectl that is played: what real ones say is in test/contract. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseReleases } from "../../observe/releases";
import { bareText, stepText } from "../../scripts";

/** A release of version 1.2.3, and of its workloads what the script's template makes of them. */
const ready = (...workloads: string[]) =>
  readyBy(`printf '%s\\n' ${workloads.map((row) => `'${row}'`).join(" ")}`);

/** @param answer a command that says so, each time it is asked */
function readyBy(answer: string) {
  const kube = `kube() {
    case "$*" in
    *'get secrets'*) echo '1 deployed ${record("vault")}' ;;
    *'get deployments,daemonsets,statefulsets'*) ${answer} ;;
    esac
  }`;
  const text = stepText("operator-ready");
  const [lib, body] = [text.indexOf("# What every step shares"), text.lastIndexOf("#!/usr/bin/env bash")];
  const input = `set -euo pipefail\n${text.slice(lib, body)}\nAPI=none\n${kube}\napi_ready() { :; }\n${text.slice(body)}`;
  const args = ["-s", "--", "operator-ready", "ns", "vault", "1.2.3", "1"];
  const { status, stdout, stderr } = spawnSync("bash", args, { input, encoding: "utf8" });
  return { status, stderr, stdout };
}

const record = (chart: string) =>
  gzipSync(JSON.stringify({ chart: { metadata: { name: chart, version: "1.2.3" } } })).toString("base64");

/** What is read of kube-system/rke2-traefik, from a cluster that knows HelmCharts or does not, and answers or does not. */
function looked(
  knowsCharts: boolean,
  charts = "printf 'helmchart\\tkube-system/rke2-traefik\\tkube-system/rke2-traefik\\n'",
) {
  const kube = `kube() {
    case "$*" in
    *'get crd helmcharts.helm.cattle.io'*) ${knowsCharts ? "echo helmcharts" : ":"} ;;
    *'get helmcharts.helm.cattle.io -A'*) ${charts} ;;
    *'-n kube-system get secrets'*) printf '3\\tdeployed\\t${record("rke2-traefik")}\\n' ;;
    esac
  }`;
  const text = bareText("look-releases");
  const body = text.lastIndexOf("#!/usr/bin/env bash");
  const input = `${text.slice(0, body)}\n${kube}\n${text.slice(body)}`;
  const args = ["-s", "--", "look-releases", "kube-system/rke2-traefik"];
  return spawnSync("bash", args, { input, encoding: "utf8" });
}

describe("the scripts that read Helm releases", () => {
  it("look: whose release RKE2's helm-controller installs is told, where there is such a thing", () => {
    const chartOf = (known: boolean) =>
      parseReleases(looked(known).stdout).get("kube-system/rke2-traefik")?.helmChart;
    assert.equal(chartOf(true), "kube-system/rke2-traefik");
    assert.equal(chartOf(false), undefined);
  });

  it("look: HelmCharts that cannot be read are no HelmCharts that are not there", () => {
    const { status, stderr } = looked(true, "return 1");
    assert.equal(status, 1);
    assert.match(stderr, /cannot read the HelmCharts/);
  });

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

  it("ready: is not failed by an API that falls silent once all is well", () => {
    const asked = join(mkdtempSync(join(tmpdir(), "ready-")), "asked");
    const { status, stderr } = readyBy(
      `[ ! -e ${asked} ] || return 1; touch ${asked}; echo vault ns StatefulSet ns/vault 2 2 3 1 3 OnDelete`,
    );
    rmSync(dirname(asked), { recursive: true });
    assert.equal(status, 0, stderr);
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
