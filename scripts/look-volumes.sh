#!/usr/bin/env bash
# Prints the cluster's volumes as JSON; changes nothing.
#
# Usage: (no arguments, after lib.sh)
kube 127.0.0.1 get --raw /api/v1/persistentvolumes || fail "cannot read the volumes" "kubectl get pv on this server"
# end of step
