#!/usr/bin/env bash
# What RKE2's config on this node makes of a cluster that no step here knows: data elsewhere, servers without etcd or
# without a part of the control plane, another datastore. Sent after lib.sh.
UNKNOWN_KEYS='data-dir datastore-endpoint disable-etcd disable-apiserver disable-controller-manager disable-scheduler'

# Each such key that is set, a line each; of data-dir what it says, of others never: an endpoint may hold a password.
# The last one counts; what RKE2 does anyway is nothing to tell.
unknown_layout() {
  local files
  mapfile -t files < <(config_files)
  sed -n "s/^[\"']\{0,1\}\(${UNKNOWN_KEYS// /\\|}\)[\"']\{0,1\}:\([[:space:]].*\)\{0,1\}\$/\1\2/p" "${files[@]}" </dev/null |
    awk -v usual="$RKE2_DATA" '{
      said = $2
      gsub(/["\047]/, "", said)
      if (said ~ /^#/) said = ""
      if ($1 == "data-dir") sub(/\/+$/, "", said)
      value[$1] = said
    }
    END {
      for (key in value)
        if (value[key] != "" && value[key] != usual && value[key] !~ /^([Ff]alse|FALSE|~|null)$/)
          print key (key == "data-dir" ? ": " value[key] : "")
    }' | sort
}
