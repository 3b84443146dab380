import assert from "node:assert/strict";
import { parseSettings, parseVersion, removedBetween } from "../../../config";
import { judgeComponents } from "../../../observe/checks/compatibility";
import { judgeVersionPolicy } from "../../../observe/checks/policy";
import { judgeRemovedApis, judgeStrandedObjects } from "../../../observe/checks/removedApis";
import { parseCluster } from "../../../observe/cluster";
import { parseDeprecatedApis } from "../../../observe/deprecatedApis";
import { parseDurations } from "../../../observe/durations";
import type { Facts } from "../../../observe/facts";
import { installed } from "../../../observe/installed";
import { lab } from "../../config/lab";
import { FROM, facts, pod, TO } from "../facts";

const V37 = "v1.37.0+rke2r1";
const with_ = (keys: Record<string, unknown>) =>
  parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM, ingressController: "none", ...keys }));

describe("observe/checks/policy", () => {
  const policy = (keys: Record<string, unknown>, seen: Facts = facts()) =>
    judgeVersionPolicy(with_(keys), seen);

  it("passes in the lab, each with its figure", () => {
    const found = policy({});
    assert.deepEqual(
      found.map(({ verdict }) => verdict),
      ["pass", "pass", "pass"],
    );
    assert.match(found[0]?.found ?? "", /1\.36 is not behind v1\.36\.4\+rke2r1, looked up 6 days ago/);
    assert.equal(found[1]?.found, "API servers 1.35, agents' kubelets 1.35");
    assert.equal(found[2]?.found, "3.6 → 3.6");
  });

  it("refuses what is three minors behind, warns of a step on the way, of an old look and of none", () => {
    const nMinus2 = (version: string, checkedOn = "2026-09-01", keys = {}) =>
      policy({ latestStable: { version, checkedOn }, ...keys })[0];
    assert.equal(nMinus2("v1.39.0+rke2r1")?.verdict, "warn");
    assert.match(nMinus2("v1.39.0+rke2r1")?.next ?? "", /go on from 1\.36, one minor at a time, until 1\.37/);
    const patch = { rke2Version: "v1.35.6+rke2r1" };
    assert.equal(nMinus2("v1.38.0+rke2r1", "2026-09-01", patch)?.verdict, "fail");
    assert.match(nMinus2("v1.36.4+rke2r1", "2026-01-01")?.found ?? "", /looked up 248 days ago/);
    assert.equal(nMinus2("v1.36.4+rke2r1", "2026-01-01")?.verdict, "warn");
    assert.equal(policy({ latestStable: "" })[0]?.verdict, "warn");
  });

  it("refuses an agent that ran ahead of the servers, but where the run itself brings them up to it", () => {
    const ahead = facts({ node: ["proj-k8sw01", { versionOnDisk: TO, versionRunning: TO }] });
    const skew = policy({ rke2Version: FROM }, ahead)[1];
    assert.equal(skew?.verdict, "fail");
    const ending = policy({}, ahead)[1];
    assert.deepEqual([ending?.verdict, ending?.found], ["warn", skew?.found]);
    assert.match(ending?.next ?? "", /servers' turns come first/);
    assert.match(
      skew?.found ?? "",
      /kubelet of proj-k8sw01 \(1\.36\) is newer than the API server of proj-k8sm01 \(1\.35\)/,
    );
  });

  it("says what a crossing of etcd's minor means for going back", () => {
    const etcd = policy({ rke2Version: V37, acceptedVersion: TO })[2];
    assert.equal(etcd?.verdict, "warn");
    assert.equal(etcd?.found, "3.6 → 3.7 (crossed)");
    assert.match(etcd?.next ?? "", /etcd snapshot on all servers at once; never reinstall v1\.36\.3/);
  });
});

describe("observe/installed", () => {
  const running = (image: string, labels: Record<string, string> = {}, namespace = "x") =>
    pod("p", "proj-k8sw01", {
      metadata: { name: "p", namespace, labels },
      spec: { containers: [{ name: "c", image }] },
    });
  const found = (...args: Parameters<typeof running>) =>
    installed([running(...args)]).map(({ component, version }) => `${component} ${version}`);

  it("reads image tags, whatever the registry, and labels where the tag tells nothing", () => {
    assert.deepEqual(found("registry.suse.com/rancher/rancher:v2.15.1"), ["rancher 2.15.1"]);
    assert.deepEqual(found("nvcr.io/nvidia/gpu-operator:v26.7.0@sha256:abc"), ["gpu-operator 26.7.0"]);
    assert.deepEqual(found("quay.io/jetstack/cert-manager-controller:v1.21.1"), ["cert-manager 1.21.1"]);
    assert.deepEqual(found("registry.k8s.io/ingress-nginx/controller:v1.14.5"), ["ingress-nginx 1.14.5"]);
    assert.deepEqual(found("docker.io/library/traefik:v3.7.8"), ["traefik 3.7.8"]);
    const labels = { "app.kubernetes.io/name": "traefik", "app.kubernetes.io/version": "v3.7.8" };
    assert.deepEqual(found("mirror/web:prod", labels), ["traefik 3.7.8"]);
    assert.deepEqual(found("traefik:latest"), ["traefik undefined"]);
  });

  it("leaves out what only looks like one, and what RKE2 brings itself", () => {
    assert.deepEqual(found("rancher/rancher-webhook:v0.9.0"), []);
    assert.deepEqual(found("rancher/rancher-agent:v2.15.1"), []);
    assert.deepEqual(
      found("quay.io/jetstack/cert-manager-webhook:v1.21.1", { "app.kubernetes.io/name": "webhook" }),
      [],
    );
    assert.deepEqual(
      found("x", {
        "app.kubernetes.io/name": "cert-manager",
        "app.kubernetes.io/component": "startupapicheck",
      }),
      [],
    );
    assert.deepEqual(found("traefik:v3.6.16", {}, "kube-system"), []);
  });

  it("tells two versions at once, and many replicas once", () => {
    const pods = ["v2.14.3", "v2.15.1", "v2.15.1"].map((tag) => running(`rancher/rancher:${tag}`));
    assert.deepEqual(
      installed(pods).map(({ version }) => version),
      ["2.14.3", "2.15.1"],
    );
  });
});

describe("observe/checks/compatibility", () => {
  const judge = (image: string, keys: Record<string, unknown> = {}) => {
    const pods = [pod("p", "proj-k8sw01", { spec: { containers: [{ name: "c", image }] } })];
    return judgeComponents(with_(keys), facts({ cluster: { pods } }))[0];
  };

  it("passes what is published, with its source", () => {
    const rancher = judge("rancher/rancher:v2.15.1");
    assert.equal(rancher?.verdict, "pass");
    assert.match(rancher?.found ?? "", /1\.34–1\.36, https:\/\/.*read 2026/);
  });

  it("refuses what its maker refuses, whatever is acknowledged", () => {
    assert.equal(
      judge("rancher/rancher:v2.14.3", { acknowledge: ["rancher 2.14 on 1.36"] })?.verdict,
      "fail",
    );
  });

  it("refuses an unknown pair until it is acknowledged by name, with the very command", () => {
    const unknown = judge("traefik:v3.9.0", { acknowledge: ["rancher 2.99 on 1.36"] });
    assert.equal(unknown?.verdict, "fail");
    assert.match(
      unknown?.next ?? "",
      /pulumi config set --path 'rke2-upgrade:acknowledge\[1\]' 'traefik 3\.9 on 1\.36'$/,
    );
    assert.equal(judge("traefik:v3.9.0", { acknowledge: ["traefik 3.9 on 1.36"] })?.verdict, "warn");
    assert.equal(judge("traefik:v3.9.0", { acknowledge: ["traefik 3.9 on 1.35"] })?.verdict, "fail");
  });

  it("never asks for the GPU operator's newest before the cluster's upgrade: procedure §4.2 has it after", () => {
    const image = "nvcr.io/nvidia/gpu-operator:v25.3.0";
    const row = /^§4\.2 "GPU operator compatibility": update the GPU operator after the cluster upgrade\. /;
    const unknown = judge(image);
    assert.equal(unknown?.verdict, "fail");
    assert.match(unknown?.next ?? "", row);
    assert.match(unknown?.next ?? "", /'gpu-operator 25\.3 on 1\.36'$/);
    assert.match(judge(image, { acknowledge: ["gpu-operator 25.3 on 1.36"] })?.next ?? "", row);
    assert.doesNotMatch(judge("traefik:v3.9.0")?.next ?? "", /GPU/);
    assert.doesNotMatch(unknown?.next ?? "", /first/);
  });

  describe("of what an operator moves", () => {
    const moved = (
      when: string,
      version: string,
      changes: Record<string, unknown> = {},
      live = "v1.18.2",
    ) => {
      const image = `quay.io/jetstack/cert-manager-controller:${live}`;
      const pods = [
        pod("p", "proj-k8sw01", {
          metadata: { name: "p", namespace: "certs" },
          spec: { containers: [{ name: "c", image }] },
        }),
      ];
      const { keys = {}, ...entry } = changes as { keys?: Record<string, unknown> };
      const operator = {
        name: "certs",
        namespace: "certs",
        chart: "oci://x.org/cert-manager",
        version,
        when,
      };
      const settings = with_({ operators: [{ ...operator, ...entry }], ...keys });
      return judgeComponents(settings, facts({ cluster: { pods } })).map(
        ({ check, verdict, found, wanted }) =>
          [check.replace("compatibility: ", ""), verdict, found.split(" in ")[0], wanted.slice(-4)].join(" "),
      );
    };

    it("before Kubernetes: what it becomes, on the one that runs and on the wanted one", () => {
      assert.deepEqual(moved("before", "v1.21.1"), [
        "cert-manager on what runs now pass 1.18.2 → v1.21.1 1.35",
        "cert-manager pass 1.18.2 → v1.21.1 1.36",
      ]);
      assert.deepEqual(moved("before", "1.20.0"), [
        "cert-manager on what runs now pass 1.18.2 → 1.20.0 1.35",
        "cert-manager fail 1.18.2 → 1.20.0 1.36",
      ]);
      const acknowledged = { keys: { acknowledge: ["cert-manager 1.20 on 1.36"] } };
      assert.match(moved("before", "1.20.0", acknowledged)[1] ?? "", /^cert-manager warn/);
      // Installed already, and no news of the minor that runs.
      assert.deepEqual(moved("before", "v1.21.1", {}, "v1.21.1"), ["cert-manager pass 1.21.1 1.36"]);
      assert.deepEqual(moved("before", "v1.21.2", {}, "v1.21.1"), [
        "cert-manager pass 1.21.1 → v1.21.2 1.36",
      ]);
    });

    it("after it: what runs and what it becomes, both on the wanted one", () => {
      assert.deepEqual(moved("after", "v1.21.1"), [
        "cert-manager fail 1.18.2 1.36",
        "cert-manager pass 1.18.2 → v1.21.1 1.36",
      ]);
      assert.deepEqual(moved("after", "v1.21.2", {}, "v1.21.1"), ["cert-manager pass 1.21.1 1.36"]);
    });

    it("with the minor as it is: a release that nobody has published on it is no more what the cluster lives with", () => {
      const stays = { keys: { rke2Version: "v1.35.7+rke2r1" } };
      assert.deepEqual(moved("before", "v1.99.0", stays), ["cert-manager fail 1.18.2 → v1.99.0 1.35"]);
    });

    it("and not of one in another place, nor of one whose chart counts by itself", () => {
      assert.deepEqual(moved("before", "v1.21.1", { namespace: "other" }), ["cert-manager fail 1.18.2 1.36"]);
      assert.deepEqual(moved("before", "v1.21.1", { chart: "cert-manager-csi-driver" }), [
        "cert-manager fail 1.18.2 1.36",
      ]);
      assert.equal(moved("before", "v1.21.1", { chart: "./cert-manager-v1.21.1.tgz" }).length, 2);
      const traefik = {
        name: "traefik",
        namespace: "lab",
        chart: "traefik",
        version: "37.1.0",
        when: "before",
      };
      assert.match(judge("traefik:v3.6.0", { operators: [traefik] })?.found ?? "", /^3\.6\.0 in /);
    });
  });

  it("does not hold a patch of the minor that the cluster lives with", () => {
    assert.equal(judge("rancher/rancher:v2.13.1", { rke2Version: "v1.35.7+rke2r1" })?.verdict, "warn");
  });
});

describe("observe/checks/removedApis", () => {
  // As a kube-apiserver v1.36.3 with these beta versions switched on prints it.
  const metrics = [
    'apiserver_requested_deprecated_apis{group="networking.k8s.io",removed_release="1.37",resource="servicecidrs",subresource="",version="v1beta1"} 1',
    'apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1',
    'apiserver_requested_deprecated_apis{group="x.io",removed_release="1.40",resource="later",subresource="",version="v1beta1"} 1',
    'apiserver_requested_deprecated_apis{group="y.io",removed_release="1.37",resource="reset",subresource="",version="v1beta1"} 0',
  ];
  const judge = (
    keys: Record<string, unknown>,
    seen = facts({ node: ["proj-k8sm02", { deprecatedApis: parseDeprecatedApis(metrics) }] }),
  ) => judgeRemovedApis(with_({ rke2Version: V37, acceptedVersion: TO, ...keys }), seen)[0];

  it("lists group, version and resource of what the target removes, of every server's count", () => {
    const found = judge({});
    assert.equal(found?.verdict, "fail");
    assert.equal(found?.found, "networking.k8s.io/v1beta1 servicecidrs");
    assert.match(
      found?.next ?? "",
      /'rke2-upgrade:acknowledge\[0\]' 'networking\.k8s\.io\/v1beta1 servicecidrs'$/,
    );
  });

  it("goes on once it is acknowledged, and passes where nobody asks", () => {
    assert.equal(judge({ acknowledge: ["networking.k8s.io/v1beta1 servicecidrs"] })?.verdict, "warn");
    assert.equal(judge({}, facts())?.verdict, "pass");
  });

  it("is silent within a minor, and says what could not be measured", () => {
    assert.equal(judge({ rke2Version: "v1.36.4+rke2r1" }), undefined);
    const blind = facts();
    const nodes = new Map([...blind.nodes].map(([name]) => [name, { missing: "no answer" }]));
    assert.equal(judge({}, { ...blind, nodes })?.verdict, "not measured");
  });

  it("does not take one API server's silence for nobody asking", () => {
    const told = judge({}, facts({ node: ["proj-k8sm03", { deprecatedApis: undefined }] }));
    assert.equal(told?.verdict, "not measured");
    assert.match(told?.found ?? "", /none asked for; not read: proj-k8sm03/);
    assert.match(told?.next ?? "", /on proj-k8sm03$/);
  });
});

describe("observe/checks/removedApis: objects", () => {
  const api = "certificates.k8s.io/v1alpha1 clustertrustbundles";
  const stranded = facts({ cluster: { stranded: [{ api, names: ["survey-ca", "archive-ca"] }] } });
  const judge = (keys: Record<string, unknown>, seen = stranded) =>
    judgeStrandedObjects(with_({ rke2Version: V37, acceptedVersion: TO, ...keys }), seen)[0];

  it("names them, and what to do, until they are given up by name", () => {
    const found = judge({});
    assert.equal(found?.verdict, "fail");
    assert.equal(found?.found, `${api}: survey-ca, archive-ca`);
    assert.match(
      found?.next ?? "",
      /^kubectl get clustertrustbundles\.v1alpha1\.certificates\.k8s\.io -o yaml/,
    );
    assert.equal(judge({ acknowledge: [api] })?.verdict, "warn");
  });

  it("passes where there are none, is silent where the target removes nothing, and says when nobody answered", () => {
    assert.equal(judge({}, facts())?.verdict, "pass");
    assert.equal(judge({ rke2Version: TO, acceptedVersion: FROM }), undefined);
    assert.equal(judge({}, { ...facts(), cluster: { missing: "no answer" } })?.verdict, "not measured");
  });

  it("warns of a target whose removals it does not know", () => {
    const later = judge({ rke2Version: "v1.39.0+rke2r1", acceptedVersion: "v1.38.0+rke2r1" }, facts());
    assert.equal(later?.verdict, "warn");
    assert.match(later?.found ?? "", /known up to 1\.38/);
  });

  it("reads them from the lists: only what no successor serves is stranded", () => {
    const from = parseVersion(TO);
    const to = parseVersion(V37);
    assert.ok(from && to);
    const list = (...names: string[]) =>
      JSON.stringify({ items: names.map((name) => ({ metadata: { name } })) });
    const lines = {
      "stored:certificates.k8s.io/v1alpha1/clustertrustbundles": list("survey-ca"),
      "stored:networking.k8s.io/v1beta1/servicecidrs": list("kubernetes"),
      "stored:networking.k8s.io/v1/servicecidrs": list("kubernetes"),
      "stored:storage.k8s.io/v1beta1/volumeattributesclasses": list(),
    };
    const said = Object.entries(lines).map(([key, json]) => `${key}\t${json}\n`);
    const read = (text: string) => parseCluster("proj-k8sm01", text, removedBetween(from, to)).stranded;
    assert.deepEqual(read(said.join("")), [{ api, names: ["survey-ca"] }]);
    assert.deepEqual(read(""), []);
  });
});

describe("observe/durations", () => {
  it("reads result lines, and passes over what was cut short", () => {
    const lines = [
      '{"step":"restart","node":"a","startedAt":"x","seconds":12.5,"version":"v"}',
      '{"step":"rest',
      "",
      "{}",
    ];
    assert.deepEqual(parseDurations(lines), [{ step: "restart", node: "a", seconds: 12.5 }]);
  });
});
