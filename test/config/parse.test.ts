import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { linuxUser, nodeName, proxmoxNode } from "../../config/formats";
import { ConfigError, type Mistake } from "../../config/mistakes";
import { parseSettings } from "../../config/parse";
import { shellWord } from "../../scripts";
import { lab, labAsShipped, labNodes, nodesWith, RECIPIENT } from "./lab";

/** The mistakes of a config, by path. */
function mistakesOf(raw: Record<string, string>): Map<string, Mistake> {
  try {
    parseSettings(raw);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return new Map(error.mistakes.map((mistake) => [mistake.path, mistake]));
  }
  return new Map();
}

const pathsOf = (changes: Record<string, unknown>) => [...mistakesOf(lab(changes)).keys()];

describe("config/parse: the lab", () => {
  it("accepts the lab once its placeholders are filled in", () => {
    const settings = parseSettings(lab());
    assert.deepEqual(
      settings.servers.map(({ name }) => name),
      ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"],
    );
    assert.deepEqual(
      settings.agents.map(({ name, gpu }) => [name, gpu]),
      [
        ["proj-k8sw01", false],
        ["proj-k8sw02", false],
        ["proj-k8sw03", false],
        ["proj-k8sw04", true],
      ],
    );
  });

  it("refuses every placeholder of the lab as it is shipped, and says how to get the real thing", () => {
    const mistakes = mistakesOf(labAsShipped);
    const expected = [...labNodes.map((_, i) => `nodes[${i}].hostKey`), "backup.recipients[0]"];
    assert.deepEqual([...mistakes.keys()], expected);
    assert.match(mistakes.get("nodes[2].hostKey")?.next ?? "", /ssh-keyscan .*10\.25\.20\.13/);
    assert.match(mistakes.get("nodes[2].hostKey")?.next ?? "", /console/);
  });

  it("gives nodes the common user and port, unless they have their own", () => {
    const nodes = nodesWith(1, { user: "ubuntu", port: 2222 });
    const settings = parseSettings(lab({ ssh: { user: "ops" }, nodes }));
    assert.deepEqual(
      settings.nodes.slice(0, 2).map(({ user, port }) => [user, port]),
      [
        ["ops", 22],
        ["ubuntu", 2222],
      ],
    );
  });

  it("fills in the rest of an object of which one key is set", () => {
    const { drain } = parseSettings(lab({ drain: { graceSeconds: 60 } }));
    assert.deepEqual(drain, {
      graceSeconds: 60,
      timeoutSeconds: 300,
      gpuGraceSeconds: 300,
      gpuTimeoutSeconds: 600,
    });
  });
});

describe("config/parse: names", () => {
  const named = (name: string, more: object = {}) => nodesWith(0, { name, ...more });

  it("takes hostnames with a domain, Proxmox hosts with capitals and users with dots, wherever they are named", () => {
    const name = "proj-k8sm01.example.org";
    const changes = `${name} config.yaml 0a1b2c3d`;
    const settings = parseSettings(
      lab({
        nodes: named(name, { proxmoxNode: "PVE-Node01", user: "john.doe" }),
        rke2Version: "v1.35.4+rke2r3",
        goBack: { strategy: "rollback", nodes: [name] },
        restoreTest: { node: name },
        consents: { sharedHost: ["PVE-Node01"] },
        acknowledge: [changes, `${name} runs v1.36.3+rke2r1`],
      }),
    );
    const [node] = settings.nodes;
    assert.deepEqual([node?.name, node?.proxmoxNode, node?.user], [name, "PVE-Node01", "john.doe"]);
    assert.deepEqual(settings.goBack?.nodes, [name]);
    assert.equal(settings.acknowledge[0], changes);
  });

  it("refuses what Kubernetes, the kubelet's label or Linux would", () => {
    for (const name of [
      "K8sm01",
      "a..b",
      ".a",
      "a.",
      "-a",
      "a.-b",
      "a_b",
      "",
      `${"a".repeat(40)}.${"b".repeat(23)}`,
    ])
      assert.deepEqual([...mistakesOf(lab({ nodes: named(name) })).keys()], ["nodes[0].name"], name);
    for (const proxmoxNode of ["pve.example.org", "-a", "a_b"])
      assert.deepEqual(
        [...mistakesOf(lab({ nodes: named("a", { proxmoxNode }) })).keys()],
        ["nodes[0].proxmoxNode"],
      );
    for (const user of [".john", "john doe", "-john"])
      assert.deepEqual([...mistakesOf(lab({ nodes: named("a", { user }) })).keys()], ["nodes[0].user"]);
  });

  it("takes no name that bash, a file's name or a resource's URN would read otherwise", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\w.-]{1,64}$/)), (text) => {
        if (![nodeName, linuxUser, proxmoxNode].some((format) => format.test(text))) return;
        assert.equal(shellWord(text), text);
        assert.ok(!text.startsWith(".") && text.length <= 63);
      }),
    );
  });
});

describe("config/parse: mistakes", () => {
  it("tells every mistake at once, whatever their number", () => {
    const faults: Record<string, { change: Record<string, unknown>; paths: string[] }> = {
      version: { change: { rke2Version: "v1.36" }, paths: ["rke2Version"] },
      goBack: { change: { goBack: { strategy: "undo" } }, paths: ["goBack.strategy"] },
      changeId: { change: { changeId: "CR 2026/41" }, paths: ["changeId"] },
      address: { change: { apiAddress: "10.25.20.300" }, paths: ["apiAddress"] },
      proxmox: {
        change: { proxmox: { endpoint: "http://10.25.20.2:8006", tokenId: "root" } },
        paths: ["proxmox.endpoint", "proxmox.tokenId"],
      },
      backup: { change: { backup: { recipients: [] } }, paths: ["backup.recipients"] },
      drain: { change: { drain: { timeoutSeconds: 100 } }, paths: ["drain.timeoutSeconds"] },
      limits: {
        change: { limits: { readySeconds: 0, leaseSeconds: "40" } },
        paths: ["limits.readySeconds", "limits.leaseSeconds"],
      },
      consents: { change: { consents: { emptyDir: ["everything"] } }, paths: ["consents.emptyDir[0]"] },
      image: { change: { validation: { image: "busybox:latest" } }, paths: ["validation.image"] },
      unknown: { change: { dryRun: "true" }, paths: ["dryRun"] },
    };
    fc.assert(
      fc.property(fc.subarray(Object.keys(faults), { minLength: 1 }), (names) => {
        const chosen = names.map((name) => faults[name]);
        const raw = lab(Object.assign({}, ...chosen.map((fault) => fault?.change)));
        const expected = chosen.flatMap((fault) => fault?.paths ?? []).sort();
        assert.deepEqual([...mistakesOf(raw).keys()].sort(), expected);
      }),
    );
  });

  it("wants a server's InternalIP where its address is a name, and takes the address for it else", () => {
    const named = { address: "srv1.example.org" };
    const told = mistakesOf(lab({ nodes: nodesWith(0, named) }));
    assert.deepEqual([...told.keys()], ["nodes[0].internalIp"]);
    const { servers, agents } = parseSettings(
      lab({ nodes: nodesWith(0, { ...named, internalIp: "10.9.0.1" }) }),
    );
    assert.deepEqual(
      [servers[0], servers[1], agents[0]].map((node) => node?.internalIp),
      ["10.9.0.1", "10.25.20.12", "10.25.20.21"],
    );
    const agentByName = nodesWith(3, { address: "agent1.example.org" });
    assert.equal(parseSettings(lab({ nodes: agentByName })).agents[0]?.address, "agent1.example.org");
    const twice = mistakesOf(
      lab({
        nodes: nodesWith(0, { internalIp: "10.9.0.1" }).map((node, i) =>
          i === 1 ? { ...node, internalIp: "10.9.0.1" } : node,
        ),
      }),
    );
    assert.deepEqual([...twice.keys()], ["nodes[1].internalIp"]);
  });

  it("tells what is missing from an empty config", () => {
    assert.deepEqual([...mistakesOf({}).keys()].sort(), [
      "acceptedVersion",
      "apiAddress",
      "backup",
      "changeId",
      "nodes",
      "proxmox",
      "rke2Version",
    ]);
  });

  it("says of each mistake what was found, what is allowed, and the next move", () => {
    const message = new ConfigError([...mistakesOf(lab({ apiAddress: "10.25.20.300" })).values()]).message;
    assert.equal(
      message,
      [
        "The stack's config has 1 mistake; nothing was changed. Every key is explained in docs/config.md.",
        "",
        "1. rke2-upgrade:apiAddress",
        '   found:   "10.25.20.300"',
        "   allowed: an IPv4 address or a DNS name in lower case, no port, no scheme",
        "   example: 10.25.20.10",
        "   next:    pulumi config set 'rke2-upgrade:apiAddress' '10.25.20.10'",
      ].join("\n"),
    );
  });

  it("asks whether a near miss was meant, at every depth", () => {
    const mistakes = mistakesOf(
      lab({ drian: {}, limits: { readySecond: 5 }, nodes: nodesWith(3, { vmid: 3 }) }),
    );
    assert.match(mistakes.get("drian")?.allowed ?? "", /did you mean drain\?/);
    assert.match(mistakes.get("limits.readySecond")?.allowed ?? "", /did you mean readySeconds\?/);
    assert.match(mistakes.get("nodes[3].vmid")?.allowed ?? "", /did you mean vmId\?/);
    assert.match(
      mistakes.get("nodes[3].vmid")?.next ?? "",
      /config rm --path 'rke2-upgrade:nodes\[3\]\.vmid'/,
    );
  });

  it("survives any value under any key, and never finds nothing wrong with nonsense", () => {
    const keys = fc.constantFrom("nodes", "proxmox", "backup", "limits", "drain", "consents", "validation");
    fc.assert(
      fc.property(keys, fc.jsonValue(), (key, value) => {
        fc.pre(typeof value !== "object" || Array.isArray(value) !== (key === "nodes"));
        fc.pre(value !== "" && value !== null);
        if (value !== null && typeof value === "object" && Object.keys(value).length === 0) return;
        assert.ok(
          [...mistakesOf(lab({ [key]: JSON.stringify(value) })).keys()].some((path) => path.startsWith(key)),
        );
      }),
    );
  });

  it("refuses goBack where nothing is under way, with the command that unsets it", () => {
    const mistake = mistakesOf(lab({ goBack: { strategy: "reinstall" } })).get("goBack");
    assert.match(mistake?.why ?? "", /nothing to go back from/);
    assert.match(mistake?.next ?? "", /pulumi config rm 'rke2-upgrade:goBack'/);
    assert.deepEqual(pathsOf({ goBack: {} }), []);
  });

  it("says what to do with text that is no list", () => {
    assert.match(mistakesOf(lab({ nodes: "proj-k8sm01" })).get("nodes")?.next ?? "", /YAML/);
  });

  it("never shows what looks like a secret, nor what the stack holds encrypted", () => {
    const identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const token = "rke2@pve!op=12345678-1234-1234-1234-123456789abc";
    const raw = lab({
      backup: { recipients: [identity] },
      proxmox: { endpoint: "https://10.25.20.2:8006", tokenId: token },
    });
    const message = new ConfigError([...mistakesOf(raw).values()]).message;
    assert.doesNotMatch(message, /GFPYYSJZ|123456789abc/);
    assert.match(message, /proxmoxTokenSecret/);
    assert.throws(
      () => parseSettings(lab({ changeId: "not a change ID" }), { hidden: new Set(["changeId"]) }),
      (error: Error) =>
        !error.message.includes("not a change ID") && error.message.includes("encrypted value"),
    );
  });
});

describe("config/parse: rules", () => {
  it("refuses an override that names another change: a left-over one opens nothing for the next", () => {
    for (const key of ["windowOverride", "acceptedServers"]) {
      assert.deepEqual(pathsOf({ [key]: "CR-2026-041" }), []);
      assert.deepEqual(pathsOf({ [key]: "CR-2025-001" }), [key]);
      const { next } = mistakesOf(lab({ [key]: "CR-2025-001" })).get(key) ?? {};
      assert.equal(next, `pulumi config rm 'rke2-upgrade:${key}'`);
    }
  });

  it("refuses a move down, a skipped minor and RKE2's revision set back", () => {
    const move = (acceptedVersion: string, rke2Version: string) =>
      pathsOf({ acceptedVersion, rke2Version, ingressController: "none" });
    assert.deepEqual(move("v1.35.4+rke2r1", "v1.36.3+rke2r1"), []);
    assert.deepEqual(move("v1.36.3+rke2r1", "v1.35.4+rke2r1"), ["rke2Version"]);
    assert.deepEqual(move("v1.36.3+rke2r2", "v1.36.3+rke2r1"), ["rke2Version"]);
    assert.deepEqual(move("v1.34.4+rke2r1", "v1.36.3+rke2r1"), ["rke2Version"]);
  });

  it("wants the ingress controller decided on the way to 1.36, and only then", () => {
    const undecided = (acceptedVersion: string, rke2Version: string) =>
      pathsOf({ acceptedVersion, rke2Version, ingressController: "" });
    assert.deepEqual(undecided("v1.35.4+rke2r1", "v1.36.3+rke2r1"), ["ingressController"]);
    assert.deepEqual(undecided("v1.35.4+rke2r1", "v1.35.7+rke2r1"), []);
    assert.deepEqual(undecided("v1.36.3+rke2r1", "v1.36.3+rke2r2"), []);
  });

  it("takes both ingress controllers in either order, each once, and none alone", () => {
    const refused = (ingressController: string) => pathsOf({ ingressController });
    for (const good of ["none", "traefik", "traefik,ingress-nginx", "ingress-nginx,traefik"])
      assert.deepEqual(refused(good), [], good);
    for (const bad of ["traefik,traefik", "none,traefik", "traefik, ingress-nginx", "haproxy", "traefik,"])
      assert.deepEqual(refused(bad), ["ingressController"], bad);
  });

  it("refuses ingress-nginx alone from 1.37 on", () => {
    const versions = { acceptedVersion: "v1.36.4+rke2r1", rke2Version: "v1.37.0+rke2r1" };
    assert.deepEqual(pathsOf({ ...versions, ingressController: "ingress-nginx" }), ["ingressController"]);
  });

  it("refuses an even number of servers, and none", () => {
    const withServers = (count: number) => {
      const agents = labNodes.filter(({ role }) => role === "agent");
      const servers = labNodes.filter(({ role }) => role === "server");
      return pathsOf({ nodes: [...servers.slice(0, count), ...agents] });
    };
    assert.deepEqual([0, 1, 2, 3].map(withServers), [["nodes"], [], ["nodes"], []]);
  });

  it("refuses a name, address or VM that two nodes claim, even where other keys are wrong too", () => {
    const { name, address, vmId } = labNodes[0] as Record<string, unknown>;
    const nodes = nodesWith(4, { name, address, vmId, hostKey: "ssh-ed25519" });
    assert.deepEqual(pathsOf({ nodes }).sort(), [
      "nodes[4].address",
      "nodes[4].hostKey",
      "nodes[4].name",
      "nodes[4].vmId",
    ]);
  });

  it("refuses a GPU on a server", () => {
    assert.deepEqual(pathsOf({ nodes: nodesWith(0, { gpu: true }) }), ["nodes[0].gpu"]);
  });
});

describe("config/parse: host keys", () => {
  const fault = (hostKey: string) =>
    mistakesOf(lab({ nodes: nodesWith(0, { hostKey }) })).get("nodes[0].hostKey")?.why;
  const [, ecdsa = ""] = String(labNodes[1]?.hostKey).split(" ");

  for (const [type, bits] of [
    ["ed25519", undefined],
    ["ecdsa", 256],
    ["ecdsa", 384],
    ["ecdsa", 521],
  ] as const) {
    it(`takes a real ${type} key${bits ? ` of ${bits} bits` : ""}`, () => {
      const file = join(mkdtempSync(join(tmpdir(), "host-key-")), "key");
      const size = bits ? ["-b", String(bits)] : [];
      execFileSync("ssh-keygen", ["-q", "-t", type, ...size, "-N", "", "-C", "", "-f", file]);
      const key = readFileSync(`${file}.pub`, "utf8").trim();
      rmSync(dirname(file), { recursive: true });
      assert.equal(fault(key), undefined);
    });
  }

  it("refuses what is no pinnable key, with the reason", () => {
    assert.match(fault(`10.25.20.11 ecdsa-sha2-nistp256 ${ecdsa}`) ?? "", /starts with the host/);
    assert.match(fault(`ecdsa-sha2-nistp256 ${ecdsa} root@vm`) ?? "", /follows the key/);
    assert.match(fault(`ssh-ed25519 ${ecdsa}`) ?? "", /another algorithm/);
    assert.match(fault("ssh-rsa AAAAB3NzaC1yc2E=") ?? "", /RSA key cannot be pinned.*ECDSA/);
    assert.match(fault("ssh-dss AAAAB3NzaC1kc3M=") ?? "", /known algorithm/);
    assert.match(fault("ssh-ed25519 not*base64") ?? "", /not base64/);
    assert.match(fault(`ecdsa-sha2-nistp256 ${ecdsa.slice(0, 60)}`) ?? "", /cut short/);
  });
});

describe("config/parse: recipients", () => {
  it("takes what the age library takes, and refuses one letter changed", () => {
    const withRecipient = (recipient: string) => pathsOf({ backup: { recipients: [recipient] } });
    assert.deepEqual(withRecipient(RECIPIENT), []);
    assert.deepEqual(withRecipient(RECIPIENT.replace("q", "z")), ["backup.recipients[0]"]);
  });
});
