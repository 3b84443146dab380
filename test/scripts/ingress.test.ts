/** ingress_controllers of lib.sh in bash: what RKE2's config says of ingress-controller, however it is written. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const scripts = join(__dirname, "../../scripts");

/** @param files text by name below /etc/rancher/rke2 */
function found(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "ingress-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const input = `set -- x\n. ${scripts}/lib.sh\nCONFIG_FOLDER=${folder} ingress_controllers`;
    return execFileSync("bash", ["-s"], { input, encoding: "utf8" }).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("scripts: ingress-controller in RKE2's config", () => {
  const both = "traefik,ingress-nginx";

  it("is a value, in quotes or none, or nothing", () => {
    for (const value of ["none", '"none"', "'none'", "none # ours", "none\r"])
      assert.equal(found({ "config.yaml": `token: x\ningress-controller: ${value}\nserver: y\n` }), "none");
    assert.equal(found({ "config.yaml": '"ingress-controller": none' }), "none");
    assert.equal(found({}), "");
    assert.equal(found({ "config.yaml": "token: x\n# ingress-controller: none\n" }), "");
  });

  it("is a list, in any form of YAML", () => {
    for (const list of [
      "[traefik, ingress-nginx]",
      "[ 'traefik',\"ingress-nginx\" ] # both",
      '\n  - traefik\n  # the default class is first\n  - "ingress-nginx" # old',
      "\n- traefik\n- 'ingress-nginx'",
      "[\n  traefik,\n  ingress-nginx,\n]",
    ])
      assert.equal(
        found({ "config.yaml": `a: b\ningress-controller: ${list}\ndisable:\n  - x\n` }),
        both,
        list,
      );
  });

  it("is what the last file says, by name, whether .yaml or .yml, and what + adds", () => {
    const one = (value: string) => `ingress-controller: ${value}\n`;
    const config = { "config.yaml": one("traefik") };
    assert.equal(found({ ...config, "config.yaml.d/20.yml": one("none") }), "none");
    assert.equal(
      found({ ...config, "config.yaml.d/20.yml": one("none"), "config.yaml.d/30.yaml": one("x") }),
      "x",
    );
    assert.equal(found({ ...config, "config.yaml.d/20.yaml": "ingress-controller+: ingress-nginx\n" }), both);
  });
});
