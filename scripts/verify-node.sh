#!/usr/bin/env bash
# Proves from the inside that this node runs WANTED: the file, the process, its service, its health endpoints.
#
# Usage: ROLE WANTED SECONDS
role=$1 wanted=$2 seconds=$3
tls=$RKE2_DATA/server/tls

disk=$(version_on_disk || true)
[ "$disk" = "$wanted" ] || fail "rke2 --version says ${disk:-nothing}, not $wanted" "the node does not run what the stack says: bring it there by an upgrade, not by acceptance"
running=$(version_running "$role" || true)
[ "$running" = "$wanted" ] || fail "the running process is ${running:-none}, the file is $disk" "systemctl status rke2-$role; a newer file does nothing until a restart"
service=$(systemctl is-active "rke2-$role.service" || true)
[ "$service" = active ] || fail "rke2-$role is $service" "journalctl -u rke2-$role -n 50"
until_ok "$seconds" curl -sf --max-time 5 http://127.0.0.1:10248/healthz || fail "the kubelet's health: $LAST" "journalctl -u rke2-$role -n 50"
if [ "$role" = server ]; then
  until_ok "$seconds" curl -sf --max-time 5 http://127.0.0.1:2381/health || fail "etcd's health: $LAST" "crictl ps -a --name etcd; crictl logs"
  # Not kubectl: a server that is being worked on is asked by its own endpoint alone.
  until_ok "$seconds" curl -sf --max-time 10 --cacert "$tls/server-ca.crt" --cert "$tls/client-admin.crt" --key "$tls/client-admin.key" https://127.0.0.1:6443/readyz ||
    fail "the API server's readyz: $LAST" "crictl ps -a --name kube-apiserver; crictl logs"
fi
result version "$running" since "$(systemctl show -P ActiveEnterTimestamp "rke2-$role.service")"
# end of step
