#!/usr/bin/env bash
# Asks the API server whether it would evict each pod, as a drain does, without evicting it: a server-side dry run.
#
# Usage: NAMESPACE/POD…   (after lib.sh and lib-api.sh)
# Prints, for each that it would not: namespace/pod<TAB>reason. One that is gone is no obstacle.
for pod in "$@"; do
  body=$(printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"namespace":"%s","name":"%s"},"deleteOptions":{"dryRun":["All"]}}' "${pod%%/*}" "${pod#*/}")
  said=$(api "/api/v1/namespaces/${pod%%/*}/pods/${pod#*/}/eviction" -H 'content-type: application/json' -d "$body") ||
    fail "cannot ask for the eviction of $pod: $(tail -n 1 <<<"$said" | cut -c -200)" "kubectl get --raw /readyz on this server"
  case ${said##*$'\n'} in
  200 | 201 | 404) ;;
  *) printf '%s\t%s\n' "$pod" "${said%$'\n'*}" ;;
  esac
done
# end of step
