/** The watch against real HTTPS servers on this machine, one of which goes away and comes back. */
import assert from "node:assert/strict";
import { until } from "../../../rehearsal/machines/poll";
import { type Access, accessBy } from "../../../report/live/access";
import { availability } from "../../../report/live/availability";
import { notRunning } from "../../../report/live/pods";
import { judge } from "../../../report/live/readiness";
import { API_ADDRESS, type Line, type Sample } from "../../../report/live/series";
import { targetsOf, Watch } from "../../../report/live/watch";
import { settingsOf } from "../fixtures";
import { ApiServers } from "./apiServers";

const HOSTS = ["127.66.1.1", "127.66.1.2"] as const;

describe("report/live/watch", function () {
  this.timeout(60_000);
  let servers: ApiServers;
  let lines: Line[];
  const target = (name: string, host: string) => ({ name, host, port: 6443 });
  const samples = (name: string) =>
    lines.filter((line): line is Sample => "target" in line && line.target === name);
  const isGood = (name: string) => samples(name).at(-1)?.ms !== undefined;
  const start = (access: () => Promise<Access> = () => accessBy(servers.kubeconfig(HOSTS[0]))) => {
    const watch = new Watch([target("a", HOSTS[0]), target("b", HOSTS[1])], access, (line) =>
      lines.push(line),
    );
    watch.start();
    return watch;
  };

  beforeEach(async () => {
    lines = [];
    servers = new ApiServers();
    for (const host of HOSTS) await servers.start(host);
  });
  afterEach(() => servers.remove());

  it("measures the gap of the one that goes, and none of all at once while the other answers", async () => {
    const watch = start();
    try {
      await until("an answer of both", 10, async () => isGood("a") && isGood("b"));
      await servers.stop(HOSTS[0]);
      const gone = Date.now();
      await until(
        "two refusals",
        10,
        async () => samples("a").filter(({ error }) => error === "ECONNREFUSED").length >= 2,
      );
      await servers.start(HOSTS[0]);
      const back = Date.now();
      await until("an answer", 10, async () => isGood("a"));
      const found = availability(1, lines);
      const [a, b] = ["a", "b"].map((name) => found.targets.find((one) => one.target === name));
      assert.ok((a?.longestGap.seconds ?? 0) >= (back - gone) / 1000 - 0.1, JSON.stringify(found));
      assert.equal(b?.longestGap.seconds, 0);
      assert.equal(found.anyServer?.seconds, 0);
    } finally {
      await watch.stop();
    }
  });

  it("goes on at its pace where this machine's clock is set back", async () => {
    const watch = start();
    const { now } = Date;
    try {
      await until("an answer", 10, async () => isGood("a"));
      Date.now = () => now() - 3_600_000;
      const before = samples("a").length;
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.ok(samples("a").length - before >= 2);
    } finally {
      Date.now = now;
      await watch.stop();
    }
  });

  it("gives one that is silent no second question at a time, and holds up no other", async () => {
    servers.moods.set(HOSTS[0], "silent");
    const watch = start();
    try {
      await until("two samples", 10, async () => samples("a").length >= 2);
      assert.match(samples("a")[0]?.error ?? "", /no answer within 2000 ms/);
      assert.ok(samples("b").length >= 3, "b was asked on");
      const moments = samples("a").map(({ at }) => Date.parse(at));
      assert.ok((moments[1] ?? 0) - (moments[0] ?? 0) >= 2_000);
    } finally {
      await watch.stop();
    }
    // Told to stop, it leaves off in the middle of a question, and what it broke off is no gap.
    assert.ok(samples("a").every(({ error }) => error?.includes("within")));
  });

  it("tells etcd that fails from an API server that is gone", async () => {
    servers.moods.set(HOSTS[0], "no etcd");
    const watch = start();
    try {
      await until("a sample of both", 10, async () => samples("a").length > 0 && samples("b").length > 0);
      assert.deepEqual([samples("a")[0]?.error, samples("a")[0]?.etcd], ["HTTP 500: etcd", false]);
      assert.equal(samples("b")[0]?.etcd, true);
    } finally {
      await watch.stop();
    }
  });

  it("believes nobody whose certificate is not the cluster's CA's", async () => {
    const other = new ApiServers();
    const watch = start(() => accessBy(other.kubeconfig(HOSTS[0])));
    try {
      await until("a sample", 10, async () => samples("a").length > 0);
      assert.match(samples("a")[0]?.error ?? "", /CERT|ISSUER|VERIFY|self.signed/i);
    } finally {
      await watch.stop();
      await other.remove();
    }
  });

  it("says in the series that it has no kubeconfig yet, and throws nothing", async () => {
    const watch = start(() => Promise.reject(new Error("m01: refused; m02: refused")));
    try {
      await until("a line", 10, async () => lines.length > 0);
      assert.deepEqual(Object.keys(lines[0] ?? {}), ["at", "note"]);
      assert.deepEqual(availability(1, lines).notes, ["no kubeconfig yet: m01: refused; m02: refused"]);
    } finally {
      await watch.stop();
    }
  });

  it("lists the pods that do not run", async () => {
    servers.pods = [
      { metadata: { namespace: "lab", name: "web" }, status: { phase: "Running" } },
      { metadata: { namespace: "lab", name: "api" }, status: { phase: "Pending" } },
    ];
    const watch = start();
    try {
      await until("the pods", 20, async () => "notRunning" in watch.seen().pods);
      assert.deepEqual(watch.seen().pods, { notRunning: ["lab/api Pending"] });
    } finally {
      await watch.stop();
    }
  });
});

describe("report/live: what is asked, and what answers mean", () => {
  it("asks every server, and the cluster's own address where it is none of theirs", () => {
    const settings = settingsOf();
    const names = settings.servers.map(({ name }) => name);
    assert.deepEqual(
      targetsOf(settings).map(({ name }) => name),
      [...names, API_ADDRESS],
    );
    const first = settings.servers[0]?.address ?? "";
    assert.deepEqual(
      targetsOf({ ...settings, apiAddress: first }).map(({ name }) => name),
      names,
    );
  });

  it("takes no answer but 200 for a good one", () => {
    assert.deepEqual(judge(200, "ok", 12), { ms: 12 });
    assert.deepEqual(judge(401, "", 3), { error: "HTTP 401" });
    assert.deepEqual(judge(500, "[+]ping ok\n[-]etcd failed: x\n[-]informer-sync failed: y\n", 3), {
      error: "HTTP 500: etcd, informer-sync",
      etcd: false,
    });
  });

  it("counts no pod that has ended well, and no job of RKE2's charts", () => {
    const pod = (name: string, phase: string, namespace = "lab") => ({
      metadata: { namespace, name },
      status: { phase },
    });
    const chart = pod("helm-install-rke2-canal-x", "Failed", "kube-system");
    const pods = [
      pod("done", "Succeeded"),
      pod("dead", "Failed"),
      pod("lost", "Unknown"),
      pod("up", "Running"),
      chart,
    ];
    assert.deepEqual(notRunning(pods), ["lab/dead Failed", "lab/lost Unknown"]);
  });
});
