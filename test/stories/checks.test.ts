/**
 * The checks on the real engine: a healthy lab passes all of them; with many conditions really wrong at once a preview
 * names each and an `up` is refused before any node is touched; without the API, or a Proxmox host, a preview ends and
 * says what it could not measure. The tests are one story and run in order.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { until } from "../../rehearsal/machines/poll";
import { identities, info, snapshots } from "../e2e/history";
import { configure, kubectl, ok, onNode, run, up } from "../e2e/operator";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const FIRST = "proj-k8sm01";

/** What is made wrong, and how the preview says so. */
const WRONG: readonly [fault: string, line: RegExp][] = [
  ["pending-csr", /FAIL {2}cluster: certificate signing requests: pending: fault-somebody/],
  [
    "pod-crashloops",
    /FAIL {2}cluster: pods stuck: .*research\/fault-crashloops-\S+ \((CrashLoopBackOff|crashes: exit 1, \d+ restarts)\)/,
  ],
  ["pod-pending", /FAIL {2}cluster: pods stuck: .*research\/fault-pending-\S+ \(Pending for \d+ s\)/],
  ["pod-terminating", /FAIL {2}cluster: pods stuck: .*research\/fault-terminating \(Terminating, \d+ s past/],
  ["pod-failed", /WARN {2}cluster: pods that have failed: .*research\/fault-failed-/],
  ["helm-job-fails", /FAIL {2}cluster: RKE2's charts installed: failing: helm-install-fault/],
  ["agents-full", /FAIL {2}proj-k8sw0\d: room for its pods .*no place for research\/fault-agents-full-/],
  ["server-full", /FAIL {2}proj-k8sm02: free capacity: cpu asked for [789]\d %/],
  ["second-budget", /FAIL {2}proj-k8sw0\d: budgets let it be drained: .*more than one PodDisruptionBudget/],
  ["upgrade-plan", /FAIL {2}cluster: no upgrade Plan of Rancher's: kube-system\/fault-rke2-server/],
  ["volume-degraded", /FAIL {2}cluster: storage: .*fault-survey-data is degraded/],
  [
    "volume-unattached",
    /FAIL {2}cluster: storage: .*fault-archive on proj-k8sw01: rpc error: .*DeadlineExceeded/,
  ],
  [
    "drain-hurts",
    /FAIL {2}cluster: pods a drain would hurt: .*research\/fault-bare \(.*: consents\.barePods\)/,
  ],
  [
    "drain-hurts",
    /FAIL {2}cluster: pods a drain would hurt: .*research\/fault-scratch-\S+ \(loses its emptyDir/,
  ],
  [
    "drain-hurts",
    /FAIL {2}cluster: pods a drain would hurt: .*research\/fault-slow-end-\S+ \(wants 600 s to end/,
  ],
  ["components-old", /FAIL {2}compatibility: gpu-operator: 25\.3\.0 in research; on record: /],
  ["components-old", /FAIL {2}compatibility: cert-manager: 1\.18\.2 in research; on record: /],
  ["components-old", /FAIL {2}compatibility: ingress-nginx: 1\.11\.0 in research; on record: /],
  ["budget-unmet", /FAIL {2}cluster: budgets met: .*research\/fault-unmet \(0 of 1\)/],
  ["unknown-node", /FAIL {2}cluster: nodes as configured: proj-k8sw09 is not in nodes/],
  [
    "held-by-another",
    /FAIL {2}cluster: held by no other change: CR-0000-000 of somebody@elsewhere since 2026-01-01/,
  ],
  // Before etcd-slow: etcd takes a member only while all of its own are well.
  [
    "etcd-learner proj-k8sw02",
    /FAIL {2}etcd: whole: 4 members for 3 .*not voting yet: https:\/\/10\.25\.20\.22:2380/,
  ],
  ["dashboards-down", /FAIL {2}monitoring: .*: HTTP 503/],
  [
    "disk-full proj-k8sw02",
    /FAIL {2}proj-k8sw02: room on its disk: .*\/var\/lib\/rke2-upgrade \d+ MiB and [0-4] % of inodes/,
  ],
  ["certificate-expires proj-k8sm03", /FAIL {2}proj-k8sm03: certificates: client-rke2-controller\.crt/],
  ["containerd-template proj-k8sw04", /WARN {2}proj-k8sw04: containerd's template: .*config\.toml\.tmpl/],
  ["memory-full proj-k8sw03", /FAIL {2}proj-k8sw03: memory: 256 of \d+ MiB free/],
  ["rancher-managed proj-k8sm01", /FAIL {2}proj-k8sm01: not provisioned by Rancher: .*50-rancher\.yaml/],
  ["rpm-installed proj-k8sw04", /FAIL {2}proj-k8sw04: RKE2 from its tarball: installed by rpm/],
  ["ingress-undecided proj-k8sm03", /FAIL {2}proj-k8sm03: ingress-controller: not set \(wanted none/],
  [
    "node-held proj-k8sm02",
    /FAIL {2}proj-k8sm02: held by no other change: CR-0000-000 of somebody@elsewhere/,
  ],
  ["clock-skew proj-k8sw03", /FAIL {2}nodes: clocks in step: \d{4} ms apart .*proj-k8sw03/],
  ["cgroup-v1 proj-k8sw01", /FAIL {2}proj-k8sw01: control groups: tmpfs/],
  ["etcd-slow proj-k8sm02 250", /WARN {2}etcd: writes to its log: .*proj-k8sm02 [23]\d\d\.\d ms/],
  ["vm-locked 3004", /WARN {2}proxmox: VM 3004 .*locked \(backup\)/],
  ["shares-host 3002", /FAIL {2}proxmox: servers on different hosts: node01, node01/],
  ["storage-full", /FAIL {2}proxmox: room for snapshots, nvmethin01 on node0\d: 5 % free/],
  ["no-snapshots 3005", /FAIL {2}proxmox: VM 3005 \(proj-k8sw02\): .*cannot be snapshotted/],
  ["vm-missing 3006", /FAIL {2}proxmox: VM 3006 \(proj-k8sw03\): not listed/],
  ["no-quorum", /FAIL {2}proxmox: quorum: no quorum/],
  ["backups-old 3007", /WARN {2}proxmox: age of each VM's last backup: .*proj-k8sw04 \d{3} h/],
  ["backup-due", /WARN {2}timing: backup jobs of these VMs in the window: .*backup-fault \(3001, /],
  ["cordoned proj-k8sw03", /FAIL {2}cluster: cordons: by somebody else: proj-k8sw03/],
  ["memory-pressure proj-k8sw02", /FAIL {2}cluster: pressure on nodes: .*proj-k8sw02: MemoryPressure/],
  // Late: once what is left of the quota is used up the cluster is read-only, and a budget's status stays behind for long.
  [
    "etcd-quota proj-k8sm03",
    /(WARN|FAIL) {2}etcd: database against its quota: \d+ of \d+ MiB on proj-k8sm03/,
  ],
  // Last: after five minutes of it Kubernetes moves that node's pods.
  ["kubelet-frozen proj-k8sw01", /FAIL {2}cluster: nodes Ready: not Ready: .*proj-k8sw01/],
  ["kubelet-frozen proj-k8sw01", /FAIL {2}cluster: leases renewed: stale: .*proj-k8sw01/],
];

/** What hides or disturbs the others, and so is wrong alone. */
const ALONE: readonly [fault: string, line: RegExp][] = [
  ["ssh-refused proj-k8sw02", /NOT MEASURED {2}proj-k8sw02: answers over SSH: .*refused/is],
  ["service-stopped proj-k8sw02", /FAIL {2}proj-k8sw02: runs RKE2: nothing \((inactive|failed)\)/],
  // The servers' turns would end that skew; what stops it is what the last run left (observe/checks/left.ts).
  [
    `upgraded-by-hand proj-k8sw02 ${TO}`,
    /WARN {2}version: skew, .*the kubelet of proj-k8sw02 \(1\.36\) is newer than the API server of proj-k8sm01 \(1\.35\)/,
  ],
  // From RKE2's heartbeat on it is no warning any more: the leader loses its members.
  ["etcd-slow proj-k8sm02 600", /FAIL {2}etcd: writes to its log: .*proj-k8sm02 ([5-9]\d\d|\d{4})\.\d ms/],
  ["etcd-refused proj-k8sm03", /FAIL {2}etcd: whole: silent: proj-k8sm03-/],
  ["token-lacks VM.Snapshot", /FAIL {2}proxmox: the token's rights: lacks VM\.Snapshot on \/vms\/3001,/],
];

/** The host of the first server, whose word other looks could lean on, and one of an agent. */
const OFFLINE = ["node-offline node01", "node-offline node02"];

/** Off is asked again where nobody answers: the API is slow while an etcd member is. */
const switchAll = async (state: "on" | "off") => {
  for (const [fault] of state === "on" ? WRONG : WRONG.toReversed()) {
    const switched = async () => {
      await setFault([...fault.split(" "), state]);
      return true;
    };
    await (state === "on" ? switched() : until(`${fault} to be switched off`, 240, switched));
  }
};

/** What a preview says on the stack, in its order, from its JSON. */
async function previewed(): Promise<{ severity: string; message: string }[]> {
  const { code, output } = await run(["bash", "-c", "pulumi preview --json --non-interactive 2>/dev/null"]);
  assert.equal(code, 0, output);
  const { diagnostics } = JSON.parse(output) as { diagnostics: { severity: string; message: string }[] };
  return diagnostics;
}

/** A check's line; the engine puts the severity before a warning's. */
const CHECK = /^(?:warning: )? *(\d+)\. (ok|WARN|FAIL|NOT MEASURED) {2}(\S.*)$/s;

/** A check's name: `section: what`, before what was found. */
const nameOf = (text: string) => text.split(": ").slice(0, 2).join(": ");

/** The names of those that were not measured, and that none of a healthy lab's is gone but for those given. */
function lostOf(healthy: readonly string[], lines: { message: string }[], gone: RegExp = /^$/): string[] {
  const told = checksOf(lines);
  const names = told.map(({ text }) => nameOf(text));
  assert.deepEqual(
    healthy.filter((name) => !names.includes(name) && !gone.test(name)),
    [],
  );
  return told.filter(({ verdict }) => verdict === "NOT MEASURED").map(({ text }) => nameOf(text));
}

const checksOf = (lines: { message: string }[]) =>
  lines.flatMap(({ message }) => {
    const [, number, verdict = "", text = ""] = CHECK.exec(message.trimEnd()) ?? [];
    return number ? [{ number: Number(number), verdict, text }] : [];
  });

describe("the checks", function () {
  this.timeout(15 * 60_000);
  this.bail(true);
  /** The names of the checks on a healthy lab, in order. */
  let healthy: string[] = [];

  before(async () => {
    const adopted = await up();
    assert.equal(adopted.code, 0, adopted.output);
    // What is stuck for a short while counts here, so that the test need not wait for long.
    await configure({ "limits.podsSeconds": "20", rke2Version: TO });
  });

  after(async () => {
    await switchAll("off");
    for (const [fault] of ALONE) await setFault([...fault.split(" "), "off"]);
    for (const fault of [
      "api-down",
      "etcd-alarm proj-k8sm01",
      "api-slow proj-k8sm01",
      "one-an-agent",
      ...OFFLINE,
    ])
      await setFault([...fault.split(" "), "off"]);
    await configure({ rke2Version: FROM, "limits.podsSeconds": "300" });
    const settled = await up();
    assert.equal(settled.code, 0, settled.output);
  });

  it("pass on a healthy lab: numbered, in order, each with figure and wanted value, and what they cost", async () => {
    const lines = await previewed();
    const checks = checksOf(lines);
    assert.ok(checks.length > 80, `only ${checks.length} checks`);
    assert.deepEqual(
      checks.map(({ number }) => number),
      checks.map((_, i) => i + 1),
    );
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict !== "ok"),
      [],
    );
    for (const { text } of checks) assert.match(text, /^[^:]+: .+ \(wanted .+\)$/s);
    healthy = checks.map(({ text }) => nameOf(text));
    const cost = lines.find(({ message }) => message.startsWith("checks: "))?.message ?? "";
    assert.match(cost, new RegExp(`^checks: ${checks.length}, \\d+ SSH sessions, \\d+ API calls, [\\d.]+ s`));
    console.log(`      ${cost.trim()}`);
  });

  it("warn of what is known of a release, with where that is written", async () => {
    const text = (await previewed()).map(({ message }) => message).join("\n");
    assert.match(text, /rke2Version: Traefik becomes the default.*docs\.rke2\.io\/release-notes\/v1\.36\.X/);
  });

  it("name every condition that is really wrong, in one preview, with the next move", async () => {
    await switchAll("on");
    await untilTheyShow();
    const text = checksOf(await previewed()).map(({ verdict, text }) => `${verdict}  ${text}`);
    const silent = WRONG.filter(([, line]) => !text.some((one) => line.test(one))).map(([fault]) => fault);
    assert.deepEqual(silent, [], text.filter((one) => !one.startsWith("ok")).join("\n"));
    for (const one of text) if (!one.startsWith("ok")) assert.match(one, /; next: \S/);
  });

  it("refuse an up before any node is touched, with all of them in one message", async () => {
    const untouched = await identities();
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(output, /nothing was touched: \d+ of the checks before a change do not hold/);
    const failing = WRONG.filter(([, line]) => line.source.startsWith("FAIL")).length;
    assert.ok((output.match(/^\s*next: /gm) ?? []).length >= failing, output);
    assert.deepEqual(await identities(), untouched);
    assert.deepEqual(await snapshots(), []);
  });

  it("pass again when all is mended", async () => {
    await switchAll("off");
    // The node short of memory evicted pods: their remains go by the check's own next move.
    await ok("kubectl", "delete", "pods", "--all-namespaces", "--field-selector=status.phase=Failed");
    await until("the lab to be healthy again", 240, async () => {
      const wrong = checksOf(await previewed()).filter(({ verdict }) => verdict !== "ok");
      if (wrong.length > 0) throw new Error(wrong.map(({ text }) => text).join("; "));
      return true;
    });
  });

  it("refuse an up while etcd has an alarm: what is to be done about it, in so many words", async () => {
    await setFault(["etcd-alarm", "proj-k8sm01", "on"]);
    try {
      const { code, output } = await up();
      assert.notEqual(code, 0, output);
      assert.match(output, /- etcd: whole: .*1 alarms.*\n\s+next: NOSPACE: compact.*§4\.2/);
    } finally {
      await setFault(["etcd-alarm", "proj-k8sm01", "off"]);
    }
    await ok("kubectl", "wait", "--for=condition=Ready", "node", "--all", "--timeout=120s");
  });

  it("refuse an API that takes longer than two seconds", async () => {
    await setFault(["api-slow", "proj-k8sm01", "2500", "on"]);
    try {
      const api = checksOf(await previewed()).find(({ text }) => text.startsWith("cluster: the API answers"));
      assert.equal(api?.verdict, "FAIL", api?.text);
      // New connections queue: it may take longer than anybody waits.
      assert.match(
        api?.text ?? "",
        /(ready in [2-5]\d{3} ms|does not answer ready) on proj-k8sm01.*; next: find what loads proj-k8sm01/,
      );
    } finally {
      await setFault(["api-slow", "proj-k8sm01", "off"]);
    }
  });

  it("warn of an API that answers slowly", async () => {
    await setFault(["api-slow", "proj-k8sm01", "600", "on"]);
    try {
      const api = checksOf(await previewed()).find(({ text }) => text.startsWith("cluster: the API answers"));
      assert.equal(api?.verdict, "WARN", api?.text);
      assert.match(
        api?.text ?? "",
        /ready in ([6-9]\d\d|1\d{3}) ms on proj-k8sm01, .*wanted below 500 ms on each server; next: /,
      );
    } finally {
      await setFault(["api-slow", "proj-k8sm01", "off"]);
    }
  });

  it("say of each check that only the API answers that it was not measured, and why, with the API down", async () => {
    await setFault(["api-down", "on"]);
    try {
      const lines = await previewed();
      const lost = lostOf(healthy, lines);
      const ofApi =
        /^cluster: |: (budgets let it be|room for its|free capacity)|^compatibility: |: critical workloads/;
      // What runs in the cluster nobody knows: each component that is looked for is told.
      const components = ["rancher", "gpu-operator", "cert-manager", "traefik", "ingress-nginx"];
      const wanted = [
        ...healthy.filter((name) => ofApi.test(name)),
        ...components.map((one) => `compatibility: ${one}`),
      ];
      assert.deepEqual(lost.toSorted(), [...new Set(wanted)].sort());
      const told = checksOf(lines);
      assert.match(
        told.find(({ text }) => text.startsWith("cluster: the API answers"))?.text ?? "",
        /does not answer ready.*next: kubectl get --raw/s,
      );
      for (const { text } of told.filter(({ verdict }) => verdict === "NOT MEASURED"))
        assert.match(text, /; next: \S/);
      // Each server's etcd answers for itself.
      assert.deepEqual(
        told.filter(({ text }) => text.startsWith("etcd: ")).map(({ verdict }) => verdict),
        ["ok", "ok", "ok"],
      );
    } finally {
      await setFault(["api-down", "off"]);
    }
    await ok("kubectl", "wait", "--for=condition=Ready", "node", "--all", "--timeout=120s");
  });

  for (const [fault, node, ofVm] of [
    ["node-offline node01", "proj-k8sm01", ["VM 3001 (proj-k8sm01)", "the restore test of VM 3001"]],
    ["node-offline node02", "proj-k8sw01", ["VM 3004 (proj-k8sw01)"]],
  ] as const) {
    it(`say what was not measured, and why, with one Proxmox host down: ${fault}`, async () => {
      const [, host = ""] = fault.split(" ");
      await setFault([...fault.split(" "), "on"]);
      try {
        const lines = await previewed();
        const lost = lostOf(healthy, lines, new RegExp(`room for snapshots, .* on ${host}$`));
        assert.deepEqual(lost, [
          `${node}: name, address and VM are one machine`,
          ...[...ofVm, `room for snapshots, the storages of ${host}`].map((check) => `proxmox: ${check}`),
        ]);
        const first = checksOf(lines).find(({ verdict }) => verdict === "NOT MEASURED");
        assert.match(first?.text ?? "", /HTTP 59\d.*; next: bring node0\d back/s);
      } finally {
        await setFault([...fault.split(" "), "off"]);
      }
    });
  }

  it("say of each check of Proxmox VE that it was not measured, and why, where its API does not answer", async () => {
    const { endpoint } = (await info()).proxmox;
    await configure({ "proxmox.endpoint": endpoint.replace(/:\d+$/, ":8007") });
    try {
      const lines = await previewed();
      const space = /^proxmox: room for snapshots/;
      const lost = lostOf(healthy, lines, space);
      assert.deepEqual(
        lost.toSorted(),
        [
          ...healthy.filter((name) => /^proxmox: |are one machine$/.test(name) && !space.test(name)),
          ...["proxmox: the API answers", "proxmox: room for snapshots"],
          "timing: backup jobs of these VMs in the window",
        ].sort(),
      );
      const first = checksOf(lines).find(({ text }) => text.startsWith("proxmox: the API answers"));
      assert.match(first?.text ?? "", /ECONNREFUSED.*; next: curl /s);
    } finally {
      await configure({ "proxmox.endpoint": endpoint });
    }
  });

  it("name the pods that wait for their agent since their like is on every other", async () => {
    await setFault(["one-an-agent", "on"]);
    try {
      await ok(
        ...["kubectl", "rollout", "status", "deployment/fault-one-an-agent", "--namespace=research"],
        "--timeout=120s",
      );
      const rooms = checksOf(await previewed()).filter(({ text }) => text.includes(": room for its pods"));
      assert.equal(rooms.length, 4);
      for (const { verdict, text } of rooms) {
        assert.equal(verdict, "ok", text);
        assert.match(text, /wait for it: .*research\/fault-one-an-agent-\S+ \(its required anti-affinity\)/);
      }
    } finally {
      await setFault(["one-an-agent", "off"]);
    }
  });

  for (const [fault, line] of ALONE) {
    it(`name what is wrong alone, with the next move: ${fault}`, async () => {
      await setFault([...fault.split(" "), "on"]);
      try {
        const wrong = checksOf(await previewed())
          .map(({ verdict, text }) => `${verdict}  ${text}`)
          .filter((one) => !one.startsWith("ok"));
        const told = wrong.find((one) => line.test(one));
        assert.match(told ?? "", /; next: \S/, wrong.join("\n"));
      } finally {
        await setFault([...fault.split(" "), "off"]);
      }
      await ok("kubectl", "wait", "--for=condition=Ready", "node", "--all", "--timeout=120s");
    });
  }

  it("refuse a kubeconfig of another authority, and one that ends soon", async () => {
    const make =
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -days 5 -subj /CN=other 2>/dev/null";
    const certificate = (await onNode(FIRST, `${make} | base64 -w0`)).trim();
    const own = await onNode(FIRST, "sudo cat /etc/rancher/rke2/rke2.yaml");
    const kubeconfig = own
      .replace("127.0.0.1", "10.25.20.10")
      .replace(/(certificate-authority-data|client-certificate-data): \S+/g, `$1: ${certificate}`);
    await ok("pulumi", "config", "set", "--secret", "rke2-upgrade:kubeconfig", kubeconfig);
    try {
      const told = checksOf(await previewed()).find(({ text }) => text.startsWith("kubeconfig: "));
      assert.equal(told?.verdict, "FAIL", told?.text);
      assert.match(
        told?.text ?? "",
        /another cluster's authority, .* ends in 4 days .*next: ssh to a server/,
      );
    } finally {
      await ok("pulumi", "config", "rm", "rke2-upgrade:kubeconfig");
    }
  });

  it("let servers share a host that the operator names, with a warning", async () => {
    await setFault(["shares-host", "3002", "on"]);
    await configure({ "consents.sharedHost[0]": "node01" });
    try {
      const told = checksOf(await previewed()).find(({ text }) => text.startsWith("proxmox: servers on"));
      assert.equal(told?.verdict, "WARN", told?.text);
      assert.match(told?.text ?? "", /node01, node01, .*next: allowed: consents\.sharedHost names node01/);
    } finally {
      await ok("pulumi", "config", "rm", "--path", "rke2-upgrade:consents.sharedHost");
      await setFault(["shares-host", "3002", "off"]);
    }
  });

  it("warn of a target that stays behind N-2", async () => {
    const { version } = JSON.parse(await ok("pulumi", "config", "get", "rke2-upgrade:latestStable"));
    await configure({ "latestStable.version": "v1.39.0+rke2r1" });
    try {
      const told = checksOf(await previewed()).find(({ text }) => text.startsWith("version: at most two"));
      assert.equal(told?.verdict, "WARN", told?.text);
      assert.match(told?.text ?? "", /1\.36 is 3 behind v1\.39\.0\+rke2r1.*next: go on from 1\.36/);
    } finally {
      await configure({ "latestStable.version": version });
    }
  });

  it("refuse a window that is too short to begin in, and that closes before the servers could be back", async () => {
    const hour = (ahead: number) => `${String((new Date().getUTCHours() + ahead) % 24).padStart(2, "0")}:00`;
    // Two hours, one of them over or nearly: going back alone takes one (procedure §6.2).
    await configure({ "windows[0].start": hour(23), "windows[0].end": hour(1) });
    try {
      const text = checksOf(await previewed()).map(({ verdict, text }) => `${verdict}  ${text}`);
      for (const line of [
        /^FAIL {2}timing: maintenance window: open until .* long \(wanted .*next: widen windows/,
        /^FAIL {2}timing: all servers and their rollback fit: .* left \(wanted .*next: start earlier/,
        /^WARN {2}timing: the whole change: .*left for another window: proj-k8sw01, /,
      ])
        assert.ok(
          text.some((one) => line.test(one)),
          `${line}:\n${text.join("\n")}`,
        );
    } finally {
      await configure({ "windows[0].start": "00:00", "windows[0].end": "24:00" });
    }
  });
});

/** Some conditions take their time: a container must have been restarted, a pod must wait for longer than it may. */
async function untilTheyShow(): Promise<void> {
  const since = Date.now();
  await until("the stuck pods to be stuck", 120, async () => {
    const { items } = await kubectl<{
      items: {
        metadata: { name: string };
        status: { containerStatuses?: { restartCount: number }[] };
      }[];
    }>("get", "pods", "--namespace=research");
    const loops = items.some(
      ({ metadata, status }) =>
        metadata.name.startsWith("fault-crashloops") &&
        status.containerStatuses?.some(({ restartCount }) => restartCount > 1),
    );
    return loops && Date.now() - since > 25_000;
  });
}
