import { Machine } from "../machines/machine";
import type { Fault } from "./fault";
import { required } from "./fault";
import { ssh } from "./operator";

/** What makes something wrong on a node, and right again: shell, run there by the operator. */
interface OnNode {
  readonly name: string;
  readonly effect: string;
  readonly on: string;
  readonly off: string;
  /** Exits 0 while it is wrong. */
  readonly test: string;
}

function onNode({ name, effect, on, off, test }: OnNode): Fault {
  const usage = `${name} <node>`;
  return {
    usage,
    effect,
    async set(wanted, node) {
      const { record } = await Machine.byName(required(node, usage));
      const script = wanted ? `if ! ( ${test} ); then ${on}; fi` : `if ( ${test} ); then ${off}; fi`;
      await ssh(record.address, `set -e; ${script}`);
    },
    async active() {
      const machines = await Machine.all();
      const answers = await Promise.all(
        machines.map(({ record }) =>
          ssh(record.address, `if ( ${test} ); then echo on; fi`, 15).catch(() => ""),
        ),
      );
      return machines
        .filter((_, index) => answers[index]?.trim() === "on")
        .map(({ record }) => `${name} ${record.name}`);
    },
  };
}

/** A program of the machine, answered for by a script before it on root's PATH: what one kernel cannot make wrong. */
const fed = (name: string, program: string, effect: string, body: string): Fault =>
  onNode({
    name,
    effect,
    on: `printf '%s\\n' '#!/bin/sh' '# fault ${name}' '${body}' | sudo install -m 755 /dev/stdin /usr/local/sbin/${program}`,
    off: `sudo rm -f /usr/local/sbin/${program}`,
    test: `grep -qs 'fault ${name}' /usr/local/sbin/${program}`,
  });

const FULL = "/var/lib/rke2-upgrade";
const CERTIFICATE = "/var/lib/rancher/rke2/agent/client-rke2-controller.crt";
const TEMPLATE = "/var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl";
const GATEWAY = `for p in 2382 2379; do sudo curl -sf --cacert /var/lib/rancher/rke2/server/tls/etcd/server-ca.crt --cert /var/lib/rancher/rke2/server/tls/etcd/server-client.crt --key /var/lib/rancher/rke2/server/tls/etcd/server-client.key https://127.0.0.1:$p/v3/maintenance/alarm -d`;
const alarm = (body: string) => `${GATEWAY} '${body}' && break; done`;

/** Faults on a node, by name. */
export const nodeFaults: Readonly<Record<string, Fault>> = {
  "service-fails": onNode({
    name: "service-fails",
    effect: "rke2 ends with an error whenever it is started on that node",
    on: "sudo install -D /dev/null /etc/rehearsal/faults/service-fails",
    off: "sudo rm -f /etc/rehearsal/faults/service-fails",
    test: "test -e /etc/rehearsal/faults/service-fails",
  }),
  "disk-full": onNode({
    name: "disk-full",
    effect: `the file system of ${FULL} has a few MiB and inodes left`,
    on: `sudo mkdir -p ${FULL} && sudo mount -t tmpfs -o size=16m,nr_inodes=64,mode=700 tmpfs ${FULL} && sudo bash -c 'for i in $(seq 62); do : >${FULL}/.full-$i || break; done'`,
    off: `sudo umount ${FULL}`,
    test: `grep -qs ' ${FULL} tmpfs ' /proc/mounts`,
  }),
  "certificate-expires": onNode({
    name: "certificate-expires",
    effect: "one of RKE2's certificates on that node ends in two days",
    // A file that RKE2 has there and this stand-in has no use for: nothing is cut off by it.
    on: `sudo openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -days 2 -subj /CN=system:rke2-controller -out ${CERTIFICATE} 2>/dev/null`,
    off: `sudo rm ${CERTIFICATE}`,
    test: `sudo test -e ${CERTIFICATE}`,
  }),
  "containerd-template": onNode({
    name: "containerd-template",
    effect: "a containerd template that does not build on RKE2's own, as gpu-operator has left behind",
    on: `sudo mkdir -p ${TEMPLATE.replace(/\/[^/]*$/, "")} && echo 'version = 2' | sudo tee ${TEMPLATE} >/dev/null`,
    off: `sudo rm -f ${TEMPLATE}`,
    test: `sudo test -e ${TEMPLATE}`,
  }),
  "etcd-alarm": onNode({
    name: "etcd-alarm",
    effect: "etcd's alarm NOSPACE: the cluster is read-only (leases too: nodes are lost after 40 s)",
    on: alarm('{"action":"ACTIVATE","alarm":"NOSPACE"}'),
    off: alarm('{"action":"DEACTIVATE","alarm":"NOSPACE"}'),
    test: `sudo test -d /var/lib/rancher/rke2/server/db && { ${alarm('{"action":"GET"}')}; } | grep -q '"alarm":'`,
  }),
  "clock-skew": fed(
    "clock-skew",
    "date",
    "that node says that its clock is 5 s ahead (fed through date)",
    'exec /usr/bin/date -d "+5 seconds" "$@"',
  ),
  "cgroup-v1": fed(
    "cgroup-v1",
    "stat",
    "that node says that its control groups are of version 1 (fed through stat)",
    'case "$*" in *sys/fs/cgroup) echo tmpfs ;; *) exec /usr/bin/stat "$@" ;; esac',
  ),
};
