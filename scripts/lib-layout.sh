#!/usr/bin/env bash
# What RKE2's config on this node makes of a cluster that no step here knows: data elsewhere, servers without etcd or
# without a part of the control plane, another datastore; and a disk that etcd's data cannot be moved from. Sent after lib.sh.
UNKNOWN_KEYS='data-dir datastore-endpoint disable-etcd disable-apiserver disable-controller-manager disable-scheduler'

MOUNTS=/proc/self/mounts

# The mounts at or below server/db/etcd. RKE2's own reset and our way back move that folder, which no mount point lets
# happen; one further down would go along, and at the next boot lie in the new data. server/db itself may be a mount.
etcd_mounts() {
  awk -v at="$(realpath -m "$RKE2_DATA/server/db")/etcd" '$2 == at || index($2, at "/") == 1 { print $2 }' "$MOUNTS"
}

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
