#!/usr/bin/env bash
# What RKE2's config on this node makes of a cluster that no step here knows: data elsewhere, servers without etcd or
# without a part of the control plane, another datastore. Sent after lib-left.sh.
UNKNOWN_KEYS='data-dir datastore-endpoint disable-etcd disable-apiserver disable-controller-manager disable-scheduler'

# Each such key that is set, a line each; of data-dir what it says, of others never: an endpoint may hold a password.
# As RKE2 reads its files, the last one counts; what RKE2 does anyway is nothing to tell.
unknown_layout() {
  # Files that are not there are none.
  { sed -n "s/^[\"']\{0,1\}\(${UNKNOWN_KEYS// /\\|}\)[\"']\{0,1\}:\([[:space:]].*\)\{0,1\}\$/\1\2/p" \
    "$CONFIG_FOLDER"/config.yaml "$CONFIG_FOLDER"/config.yaml.d/*.yaml "$CONFIG_FOLDER"/config.yaml.d/*.yml 2>/dev/null || true; } |
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
