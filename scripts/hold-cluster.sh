#!/usr/bin/env bash
# Takes the cluster for a change (Lease kube-system/rke2-upgrade), or lets it go.
#
# Usage: take|release OWNER WHO   (after lib.sh)
action=$1 owner=$2 who=$3
mkdir -p "$STATE"
lease() { kube 127.0.0.1 -n kube-system get lease rke2-upgrade --ignore-not-found -o jsonpath='{.spec.holderIdentity} since {.spec.acquireTime}'; }
held=$(lease)
if [ "$action" = release ]; then
  # A round of OS patches is done with. Not before: until the way back is let go its acceptance can be taken back, and
  # whose turn is over must have none again.
  if [ -z "$held" ] || [ "${held%% *}" = "$owner" ]; then kube 127.0.0.1 annotate nodes --all rke2-upgrade/patched- >/dev/null; fi
  if [ "${held%% *}" = "$owner" ]; then kube 127.0.0.1 -n kube-system delete lease rke2-upgrade --ignore-not-found >/dev/null; fi
  exit 0
fi
if [ -z "$held" ]; then
  # create, not apply: of two who come at once one wins.
  printf '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"rke2-upgrade","namespace":"kube-system"},"spec":{"holderIdentity":"%s","acquireTime":"%s"}}' \
    "$owner $who" "$(date -u +%FT%T.000000Z)" |
    timeout 30 "$RKE2_DATA/bin/kubectl" --kubeconfig "$KUBECONFIG_FILE" create -f - >/dev/null 2>"$STATE/lease.err" || true
  held=$(lease)
  [ -n "$held" ] || fail "the Lease kube-system/rke2-upgrade could not be created: $(cut -c -300 "$STATE/lease.err" | tr '\n' ' ')" "see who may create Leases there (webhooks, RBAC), then run pulumi up again"
fi
[ "${held%% *}" = "$owner" ] || fail "the cluster is held by another change: ${held#* }" "finish or accept that change first; only if it is known to be dead: kubectl -n kube-system delete lease rke2-upgrade"
# end of step
