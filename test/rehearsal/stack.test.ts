import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { parseSettings, wavesOf } from "../../config";
import { readStackFile } from "../../config/stackFile";
import { nodeConfiguration } from "../../rehearsal/lab/bootstrap";
import { haproxyConfiguration } from "../../rehearsal/lab/loadBalancer";
import { hostsFile } from "../../rehearsal/lab/provision";
import { ingressNames, labAddresses, readStack, type Stack } from "../../rehearsal/lab/stack";
import { projectDirectory } from "../../rehearsal/machines/paths";
import { lab, labNodes } from "../config/lab";

const labFile = join(projectDirectory, "Pulumi.lab.yaml");

describe("a stack's lab", () => {
  let stack: Stack;
  before(() => {
    stack = readStack(labFile);
  });

  function node(name: string) {
    const found = stack.nodes.find((candidate) => candidate.name === name);
    assert.ok(found, name);
    return found;
  }

  it("has the topology of the stack's file and knobs that are off", () => {
    assert.deepEqual(
      stack.nodes.map(({ name, vmId }) => `${name} ${vmId}`),
      [1, 2, 3]
        .map((n) => `proj-k8sm0${n} 300${n}`)
        .concat([1, 2, 3, 4].map((n) => `proj-k8sw0${n} 300${n + 3}`)),
    );
    assert.equal(node("proj-k8sw04").gpu, true);
    assert.deepEqual(stack.knobs, {
      downloadBytesPerSecond: 0,
      serviceStartDelaySeconds: 0,
      useWholeGrace: false,
      chartsCrashBetweenServers: false,
      bootSeconds: 0,
    });
  });

  it("takes the knobs from the rehearsal's own namespace and names a wrong one", async () => {
    const directory = await mkdtemp(join(tmpdir(), "stack-"));
    const file = join(directory, "Pulumi.slow.yaml");
    const text = await readFile(labFile, "utf8");
    await writeFile(file, `${text}\n  rehearsal:bootSeconds: 3\n  rehearsal:useWholeGrace: true\n`);
    assert.deepEqual(
      { bootSeconds: readStack(file).knobs.bootSeconds, useWholeGrace: readStack(file).knobs.useWholeGrace },
      { bootSeconds: 3, useWholeGrace: true },
    );
    await writeFile(file, `${text}\n  rehearsal:bootSeconds: soon\n`);
    assert.throws(() => readStack(file), /Pulumi\.slow\.yaml[\s\S]*bootSeconds/);
    await rm(directory, { recursive: true });
  });

  it("hands out addresses on the network of the API's virtual address", () => {
    assert.deepEqual(labAddresses(stack), {
      prefixLength: 24,
      gateway: "10.25.20.1",
      proxmox: "10.25.20.2",
      releases: "10.25.20.3",
      api: "10.25.20.10",
      ingress: "10.25.20.15",
    });
    assert.deepEqual(ingressNames(stack), ["rancher.radioastronomy.io"]);
  });

  it("lets every machine know the others and the ingress by name", () => {
    const hosts = hostsFile(stack);
    assert.match(hosts, /^10\.25\.20\.11 proj-k8sm01$/m);
    assert.match(hosts, /^10\.25\.20\.15 ingress rancher\.radioastronomy\.io$/m);
  });

  it("founds the cluster on the first server alone", () => {
    const read = (name: string) =>
      parse(nodeConfiguration(stack, node(name), name === "proj-k8sm01" ? undefined : "secret")) as Record<
        string,
        unknown
      >;
    assert.deepEqual([read("proj-k8sm01").server, read("proj-k8sm01").token], [undefined, undefined]);
    assert.equal(read("proj-k8sm02").server, "https://10.25.20.10:9345");
    assert.equal(read("proj-k8sw01").server, "https://10.25.20.10:9345");
    assert.equal(read("proj-k8sm01")["ingress-controller"], "none");
    assert.deepEqual(read("proj-k8sw04")["node-label"], ["nvidia.com/gpu.present=true"]);
  });

  it("balances the API over the servers and the ingress over the agents", () => {
    const configuration = haproxyConfiguration(stack, "/certificate.pem");
    const backend = (name: string) =>
      configuration
        .split(`\nbackend ${name}\n`)[1]
        ?.split("\nbackend ")[0]
        ?.match(/\d+\.\d+\.\d+\.\d+:\d+/g);
    const api = ["10.25.20.11:6443", "10.25.20.12:6443", "10.25.20.13:6443"];
    assert.deepEqual(backend("api"), api);
    assert.deepEqual(
      backend("ingress"),
      ["21", "22", "23", "24"].map((n) => `10.25.20.${n}:80`),
    );
  });
});

describe("the lab of waves", () => {
  const file = join(projectDirectory, "rehearsal/stacks/Pulumi.waves.yaml");
  const { values } = readStackFile(join(projectDirectory, "Pulumi.yaml"), file);
  const nodes = (JSON.parse(values.nodes ?? "[]") as object[]).map((node) => ({
    ...node,
    hostKey: labNodes[0]?.hostKey,
  }));
  const waves = (maxUnavailable: number) =>
    wavesOf(
      parseSettings({ ...lab(), nodes: JSON.stringify(nodes), agents: JSON.stringify({ maxUnavailable }) }),
    ).map((wave) => wave.nodes.map(({ name }) => Number(name.at(-1))));

  it("has agents of one host beside each other, and enough hosts for waves of four", () => {
    assert.equal(readStack(file).nodes.filter(({ role }) => role === "agent").length, 8);
    assert.deepEqual(waves(4), [[1], [2, 4, 6, 7], [3, 5], [8]]);
    assert.deepEqual(waves(2), [[1], [2, 4], [3, 5], [6, 7], [8]]);
  });
});
