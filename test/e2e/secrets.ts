/** Secrets that stand in the config or on the nodes alone, and everything that Pulumi and the nodes leave behind. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { info } from "./history";
import { everythingPrinted, ok, onNode } from "./operator";

const marker = `marker-${randomBytes(16).toString("hex")}`;
const REGISTRIES = "/etc/rancher/rke2/registries.yaml";

/** Puts a registry's password on every node: in no config of ours, and in a file that steps copy. */
export async function plantMarker(): Promise<void> {
  const { nodes } = await info();
  const text = `configs: {registry.lab: {auth: {username: puller, password: ${marker}}}}`;
  for (const { name } of nodes)
    await onNode(name, `echo '${text}' | sudo install -m 0600 /dev/stdin ${REGISTRIES}`);
}

/** Everything that could hold a secret in clear, by where it is. */
async function whereSecretsCouldBe(): Promise<Record<string, string>> {
  const { nodes } = await info();
  const sh = (script: string) => ok("bash", "-c", script);
  const journals = await Promise.all(
    nodes.map(({ name }) => onNode(name, "sudo journalctl --no-pager --output=cat")),
  );
  return {
    "what was printed": everythingPrinted(),
    "the plan": await sh(SAVED_PLAN),
    "events and outputs": await sh(
      "pulumi preview --json --non-interactive; pulumi stack output --json; pulumi preview --non-interactive --diff --color=never",
    ),
    "the exported state": await sh("pulumi stack export"),
    "state, backups and history": await sh(`find "\${PULUMI_BACKEND_URL#file://}" -type f -exec cat {} +`),
    "a node's journal": journals.join("\n"),
  };
}

/** @throws where the Proxmox token, the SSH key, the cluster's token or the nodes' own marker stands in clear */
export async function findNoSecret(): Promise<void> {
  const { nodes, proxmox } = await info();
  const [first] = nodes;
  assert.ok(first);
  // A line in the middle of the key's base64: the whole would never be found across line ends.
  const sshKey = (await readFile(first.ssh.privateKeyFile, "utf8")).split("\n")[2] ?? "";
  const clusterToken = (await onNode(first.name, "sudo cat /var/lib/rancher/rke2/server/token")).trim();
  assert.ok((await onNode(first.name, `sudo cat ${REGISTRIES}`)).includes(marker), "the marker is gone");
  const places = await whereSecretsCouldBe();
  for (const [where, text] of Object.entries(places)) assert.ok(text.length > 100, `${where} was not read`);
  const secrets = { "the Proxmox token": proxmox.tokenSecret, sshKey, clusterToken, marker };
  for (const [name, secret] of Object.entries(secrets)) {
    assert.ok(secret.length > 20, `${name} is no secret: ${secret.length} letters`);
    for (const [where, text] of Object.entries(places))
      assert.ok(!text.includes(secret), `${name} stands in clear in ${where}`);
  }
}

const SAVED_PLAN = `set -eu
plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
pulumi preview --non-interactive --save-plan "$plan" >/dev/null 2>&1
cat "$plan"`;
