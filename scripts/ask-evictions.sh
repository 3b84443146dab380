#!/usr/bin/env bash
# Asks the API server whether it would evict each pod, as a drain does, without evicting it: a server-side dry run.
#
# Usage: NAMESPACE/POD…   (after lib.sh and lib-api.sh)
# Prints, for each that it would not: namespace/pod<TAB>reason. One that is gone is no obstacle.
# One connection for all: each request stands in curl's own configuration.
requests() {
  local pod first=yes
  for pod in "$@"; do
    [ -n "$first" ] || echo next
    first=
    printf 'url = "https://127.0.0.1:6443/api/v1/namespaces/%s/pods/%s/eviction"\n' "${pod%%/*}" "${pod#*/}"
    printf 'cacert = "%s"\ncert = "%s"\nkey = "%s"\n' "$RKE2_DATA/server/tls/server-ca.crt" "$RKE2_DATA/server/tls/client-admin.crt" "$RKE2_DATA/server/tls/client-admin.key"
    printf 'noproxy = "*"\n'
    printf 'header = "content-type: application/json"\nuser-agent = rke2-upgrade\nmax-time = 5\nsilent\nshow-error\n'
    printf 'data = "{\\"apiVersion\\":\\"policy/v1\\",\\"kind\\":\\"Eviction\\",\\"metadata\\":{\\"namespace\\":\\"%s\\",\\"name\\":\\"%s\\"},\\"deleteOptions\\":{\\"dryRun\\":[\\"All\\"]}}"\n' "${pod%%/*}" "${pod#*/}"
    printf 'write-out = "\\n@%%{http_code} %s\\n"\n' "$pod"
  done
}
requests "$@" | { curl -K - 2>&1 || true; } | awk '
  /^@[0-9][0-9][0-9] / {
    code = substr($1, 2)
    if (code == "000") { print "no answer on the eviction of " $2 ": " body > "/dev/stderr"; exit 1 }
    if (code !~ /^(200|201|404)$/) print $2 "\t" body
    body = ""
    next
  }
  /./ { body = body $0 }' || fail "cannot ask which evictions would be refused" "kubectl get --raw /readyz on this server"
# end of step
