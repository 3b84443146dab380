import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { utils } from "ssh2";
import { loadSettings } from "../../config/load";
import { ConfigError } from "../../config/mistakes";
import { judgeSecrets } from "../../config/secrets";
import { lab } from "./lab";

const { private: privateKey, public: publicKey } = utils.generateKeyPairSync("ecdsa", { bits: 256 });
const sealedKey = utils.generateKeyPairSync("ecdsa", {
  bits: 256,
  passphrase: "secret words",
  cipher: "aes256-cbc",
}).private;
const token = "12345678-1234-1234-1234-123456789abc";
const kubeconfig = (server: string) => `apiVersion: v1\nclusters:\n- cluster:\n    server: ${server}\n`;

const sealed = (text: string) => ({ text, encrypted: true });
const good = { sshPrivateKey: sealed(privateKey), proxmoxTokenSecret: sealed(token) };

describe("config/secrets", () => {
  it("accepts a private key, a token's secret and a kubeconfig that reaches the cluster", () => {
    assert.deepEqual(judgeSecrets(good), []);
    assert.deepEqual(
      judgeSecrets({ ...good, kubeconfig: sealed(kubeconfig("https://10.25.20.10:6443")) }),
      [],
    );
  });

  it("asks for every required one that is missing", () => {
    assert.deepEqual(
      judgeSecrets({}).map(({ path }) => path),
      ["sshPrivateKey", "proxmoxTokenSecret"],
    );
  });

  it("says what each of the usual mix-ups is, and shows none of it", () => {
    const cases = [
      ["sshPrivateKey", publicKey, /a public key/],
      ["sshPrivateKey", sealedKey, /passphrase/],
      ["sshPrivateKey", "hunter2 hunter2", /no SSH private key/],
      ["proxmoxTokenSecret", `PVEAPIToken=rke2@pve!op=${token}`, /only the part after =/],
      ["proxmoxTokenSecret", "hunter2", /no UUID/],
      ["kubeconfig", kubeconfig("https://127.0.0.1:6443"), /127\.0\.0\.1/],
      ["kubeconfig", "/etc/rancher/rke2/rke2.yaml", /no kubeconfig/],
    ] as const;
    for (const [key, text, found] of cases) {
      const mistakes = judgeSecrets({ ...good, [key]: sealed(text) });
      assert.equal(mistakes.length, 1, key);
      assert.match(mistakes[0]?.found ?? "", found);
      assert.doesNotMatch(new ConfigError(mistakes).message, /hunter2|123456789abc|BEGIN|AAAA/);
    }
  });

  it("refuses a secret that stands in clear in the stack's file, without showing it", () => {
    const mistakes = judgeSecrets({ ...good, proxmoxTokenSecret: { text: token, encrypted: false } });
    assert.match(mistakes[0]?.found ?? "", /in clear/);
    assert.doesNotMatch(new ConfigError(mistakes).message, /123456789abc/);
  });
});

describe("config/load", () => {
  const namespaced = (raw: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(raw).map(([key, text]) => [`rke2-upgrade:${key}`, text]));
  const secretKeys = ["rke2-upgrade:sshPrivateKey", "rke2-upgrade:proxmoxTokenSecret"];
  const secretTexts = { sshPrivateKey: privateKey, proxmoxTokenSecret: token };
  afterEach(() => pulumi.runtime.setAllConfig({}));

  it("hands the engine's config over as settings, and secrets as secret outputs", async () => {
    const all = { ...namespaced(lab(secretTexts)), "rehearsal:bootSeconds": "5" };
    pulumi.runtime.setAllConfig(all, secretKeys);
    const { settings, secrets } = loadSettings();
    assert.equal(settings.nodes.length, 7);
    assert.equal(await pulumi.isSecret(secrets.proxmoxTokenSecret), true);
    assert.equal(await pulumi.isSecret(secrets.sshPrivateKey), true);
    assert.equal(secrets.kubeconfig, undefined);
    assert.doesNotMatch(JSON.stringify(settings), /123456789abc|PRIVATE KEY/);
  });

  it("wants the secrets of the channels that the config sets, and takes none for a misspelt key", () => {
    const notifications = { webhook: { url: "https://hooks.example.org/x" } };
    pulumi.runtime.setAllConfig(namespaced(lab({ ...secretTexts, notifications })), secretKeys);
    assert.throws(
      () => loadSettings(),
      (error: unknown) =>
        error instanceof ConfigError &&
        error.mistakes.length === 1 &&
        error.mistakes[0]?.path === "webhookSecret" &&
        /openssl rand/.test(error.message),
    );
    const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const all = namespaced(lab({ ...secretTexts, notifications, webhookSecret, smtpPassword: "" }));
    pulumi.runtime.setAllConfig(all, [...secretKeys, "rke2-upgrade:webhookSecret"]);
    assert.doesNotMatch(JSON.stringify(loadSettings().settings), /whsec_/);
  });

  it("tells mistakes of settings and of secrets together", () => {
    pulumi.runtime.setAllConfig(namespaced(lab({ ...secretTexts, apiAddress: "", kubeConfig: "x" })), []);
    assert.throws(
      () => loadSettings(),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        const paths = error.mistakes.map(({ path }) => path);
        assert.deepEqual(paths, ["apiAddress", "kubeConfig", "sshPrivateKey", "proxmoxTokenSecret"]);
        return true;
      },
    );
  });
});
