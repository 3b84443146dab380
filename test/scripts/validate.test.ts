/** validate.sh in bash, before an API that lists the test's pods. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");

/**
 * @param pods "namespace/name phase Ready" each
 * @param sick the consents' patterns
 * @param controllers lines as lib-watch.sh asks for them
 */
function validate(pods: readonly string[], sick: string, controllers: readonly string[] = []) {
  const { status, stderr } = spawnSync("bash", ["-s"], {
    input: `set -- validate v1 3 0 '${sick}'
. ${scripts}/lib.sh; . ${scripts}/lib-api.sh; . ${scripts}/lib-watch.sh; . ${scripts}/lib-cluster.sh
api_ready() { :; }
nodes_table() { echo 'a|True|v1||||true|'; }
etcd_healthy() { :; }
curl() { :; }
kube() {
case $3 in pods) cat <<'PODS'
${pods.join("\n")}
PODS
;; *) cat <<'CONTROLLERS'
${controllers.join("\n")}
CONTROLLERS
esac
}
${readFileSync(join(scripts, "validate.sh"), "utf8")}`,
    encoding: "utf8",
  });
  return status === 0 ? "" : stderr;
}

describe("scripts/validate.sh", () => {
  const WELL = ["default/a Running True", "default/job-1 Succeeded False"];
  const SICK = ["lab/telescope-7 Running False", "lab/old-1 Failed False", "lab/waits Pending "];

  it("wants every pod well, and says what to do", () => {
    assert.equal(validate(WELL, ""), "");
    assert.match(
      validate([...WELL, ...SICK], ""),
      /pods not running: lab\/telescope-7 lab\/old-1 lab\/waits .*next: .*consents\.sickPods/s,
    );
  });

  it("lets those be sick that may be, and no other", () => {
    assert.equal(validate([...WELL, ...SICK], "lab/*"), "");
    assert.match(validate([...WELL, ...SICK], "lab/old-* lab/waits"), /pods not running: lab\/telescope-7 /);
  });

  it("wants every controller to get its pods, but for those that may be without", () => {
    const refused = "Deployment|lab/web|1|||||True";
    assert.match(validate(WELL, "", [refused]), /no new pods for: lab\/web .*next: .*consents\.sickPods/s);
    assert.equal(validate(WELL, "lab/web", [refused]), "");
  });

  it("asks the ingress by the URL's own port, at an address or a name", () => {
    const asked = spawnSync("bash", ["-s"], {
      input: `set -- validate v1 3 0 '' https://a.example.org:8443/ping lb.example.org http://b.example.org/ 10.0.0.9 https://c.example.org/ -
. ${scripts}/lib.sh; . ${scripts}/lib-api.sh; . ${scripts}/lib-watch.sh; . ${scripts}/lib-cluster.sh
api_ready() { :; }
nodes_table() { echo 'a|True|v1||||true|'; }
etcd_healthy() { :; }
kube() { :; }
curl() { case "$*" in *healthz*) ;; *) echo "\${*: -3}" >&3 ;; esac; }
${readFileSync(join(scripts, "validate.sh"), "utf8")}`,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    }).output[3];
    assert.deepEqual(asked?.trim().split("\n"), [
      "--connect-to ::lb.example.org: https://a.example.org:8443/ping",
      "--connect-to ::10.0.0.9: http://b.example.org/",
      "--max-time 10 https://c.example.org/",
    ]);
  });

  it("leaves RKE2's own helm-install jobs to the step that judges them", () => {
    assert.equal(validate([...WELL, "kube-system/helm-install-rke2-coredns-x Failed False"], ""), "");
    assert.match(validate(["lab/helm-install-mine Failed False"], ""), /helm-install-mine/);
  });
});
