import assert from "node:assert/strict";
import { parseNode } from "../../observe/node";

/** As a server of the lab answered, cut to what is judged. */
const SERVER = `clockMs=1795509049198
firstCpuUs=28000000
firstAtUs=1795509049000000
firstFsyncSeconds=0.5
firstFsyncs=100
etcdQuotaBytes=2147483648
versionOnDisk=v1.35.4+rke2r1
etcdMount=/var/lib/rancher/rke2/server/db/etcd
disk=/ 60296 31454749 31457280
disk=/data 100 5 10
memoryMiB=24105
memoryFreeMiB=19859
processors=2
certificateDue=client-admin.crt (system:admin)|2026-12-24T09:27:00+01:00|WARNING
certificates=30
containerdTemplate=/var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl
etcdMembers={"header":{"member_id":"71"},"members":[{"ID":"71","name":"a-1","peerURLs":["https://10.0.0.1:2380"],"isLearner":true},{"ID":"72","name":"b-1","peerURLs":["https://10.0.0.2:2380"]}]}
etcdStatus={"header":{"member_id":"71"},"dbSize":"2703360","leader":"72","isLearner":true}
etcdAlarms={"header":{"member_id":"71"}}
etcdMember https://10.0.0.1:2380={"etcdserver":"3.6.16","etcdcluster":"3.6.0"}
etcdMember https://10.0.0.2:2380=
ready=200 0.0134 ok
kubeconfigCa=5e1f
lastCpuUs=28500000
lastAtUs=1795509050000000
lastFsyncSeconds=0.9
lastFsyncs=104
etcdQuotaBytes=2147483648
clockEndMs=1795509050298
`;

describe("observe/node", () => {
  it("reads what a server says of itself, two figures by what they grew", () => {
    const seen = parseNode(SERVER, 1795509049000, 1795509050500);
    assert.deepEqual(seen.disks[1], { mount: "/data", freeMiB: 100, inodesFree: 5, inodes: 10 });
    assert.equal(seen.dueCertificates[0]?.expires.toISOString(), "2026-12-24T08:27:00.000Z");
    assert.equal(seen.dueCertificates[0]?.status, "WARNING");
    assert.deepEqual(seen.etcdMounts, ["/var/lib/rancher/rke2/server/db/etcd"]);
    assert.deepEqual(seen.containerdTemplates, [
      "/var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl",
    ]);
    assert.deepEqual(seen.server?.ready, { value: 13 });
    assert.equal(seen.server?.cpuUsed, 0.25);
    assert.equal(Math.round(seen.server?.fsyncMs ?? 0), 100);
    assert.deepEqual(seen.server?.etcd, {
      members: [
        { name: "a-1", peerUrl: "https://10.0.0.1:2380", isLearner: true, version: "3.6.16" },
        { name: "b-1", peerUrl: "https://10.0.0.2:2380", isLearner: false, version: undefined },
      ],
      leader: "72",
      alarms: 0,
      dbBytes: 2703360,
      quotaBytes: 2 ** 31,
      isLearner: true,
    });
  });

  it("does not take an alarm, or a quota, that was not told for none", () => {
    const deaf = parseNode(SERVER.replace(/etcdAlarms=.*/, "etcdAlarms="), 0, 0);
    assert.equal(deaf.server?.etcd?.alarms, undefined);
    const raised = SERVER.replace(/(etcdAlarms=.*)}/, '$1,"alarms":[{"memberID":"71","alarm":"NOSPACE"}]}');
    assert.equal(parseNode(raised, 0, 0).server?.etcd?.alarms, 1);
    const blind = parseNode(
      SERVER.replace(/etcdQuotaBytes=.*\n/g, "").replace(/(first|last)Fsync.*\n/g, ""),
      0,
      0,
    );
    assert.equal(blind.server?.etcd?.quotaBytes, undefined);
    assert.equal(blind.server?.fsyncs, undefined);
  });

  it("tells the clock's skew apart from the time on the way", () => {
    const { clockSkewMs, clockErrorMs } = parseNode(SERVER, 1795509049000, 1795509050500);
    assert.equal(clockSkewMs, -2);
    assert.equal(clockErrorMs, 200);
  });

  it("says nothing of etcd where none answers, and no figure where nothing was written in that second", () => {
    const idle = parseNode(
      SERVER.replace("lastFsyncs=104", "lastFsyncs=100").replace(/etcdStatus=.*/, "etcdStatus="),
      0,
      0,
    );
    assert.equal(idle.server?.fsyncMs, undefined);
    assert.equal(idle.server?.etcd, undefined);
    assert.equal(idle.server?.fsyncs, 0);
    assert.equal(parseNode("service=active\n", 0, 0).server, undefined);
  });
});
