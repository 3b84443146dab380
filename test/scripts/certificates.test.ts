/** What look-node.sh reads of `rke2 certificate check`, in bash, before an RKE2 that says what the real ones do. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const look = readFileSync(join(__dirname, "../../scripts/look-node.sh"), "utf8");
const part =
  /# RKE2's own word for its certificates[\s\S]*?<<<"\$certificates"\n/.exec(look)?.[0] ?? assert.fail();

/** The lines that it prints where RKE2 logs these. */
function read(...logged: string[]): string[] {
  const { stdout, stderr } = spawnSync("bash", ["-s"], {
    input: `rke2_binary() { echo said; }
timeout() { cat >&2 <<'SAID'
${logged.join("\n")}
SAID
}
${part}`,
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  return stdout.trim().split("\n");
}

describe("scripts/look-node.sh: certificates", () => {
  const log = (level: string, said: string) => `time="2026-11-30T01:00:00Z" level=${level} msg="${said}"`;

  it("counts those that are well, and names the others with their ends", () => {
    assert.deepEqual(
      read(
        log("info", "Server detected, checking agent and server certificates"),
        log(
          "info",
          "client-admin.crt: certificate system:admin (ClientAuth) is ok, expires at 2035-07-01T07:07:50Z",
        ),
        log(
          "warning",
          "serving-kubelet.crt: certificate proj-k8sm01 (ServerAuth,ClientAuth) will expire within 120 days at 2026-12-24T08:27:00Z",
        ),
        log(
          "error",
          "client-ca.crt: certificate rke2-client-ca@1751526470 (CertSign) expired at 2026-11-24T08:27:00+01:00",
        ),
        log("error", "a.crt: certificate b (ServerAuth) is not valid before 2027-01-01T00:00:00Z"),
      ),
      [
        "certificateDue=serving-kubelet.crt (proj-k8sm01)|2026-12-24T08:27:00Z|WARNING",
        "certificateDue=client-ca.crt (rke2-client-ca@1751526470)|2026-11-24T08:27:00+01:00|EXPIRED",
        "certificateDue=a.crt (b)|2027-01-01T00:00:00Z|NOT YET VALID",
        "certificates=4",
      ],
    );
  });

  it("reads it as it is on a terminal, and counts none where RKE2 lists none", () => {
    assert.deepEqual(
      read(
        "WARN[0000] client-admin.crt: certificate system:admin (ClientAuth) will expire within 90 days at 2026-12-24T08:27:00Z",
      ),
      ["certificateDue=client-admin.crt (system:admin)|2026-12-24T08:27:00Z|WARNING", "certificates=1"],
    );
    assert.deepEqual(read("No help topic for 'check'"), ["certificates=0"]);
  });
});
