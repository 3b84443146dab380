#!/usr/bin/env bash
# How a run of the program left this node: its version, and a fingerprint of each file of RKE2's config, so that what
# is changed by hand afterwards shows. Sent after lib.sh.
#
# The record stays on the node, so a VM's rollback takes it back together with the files it is about. Whatever of ours
# changes them removes it (install_release, put_config_back), and the proof that follows makes it anew. Fingerprints
# are salted: registries.yaml may hold a password that is short enough to be guessed from a bare hash.
LEFT=$STATE/left

# A line a file: file FINGERPRINT NAME. Our own drop-in comes and goes with a way back. A line about ingress-controller is
# left out: before 1.36 we ask for it to be written there, and a check of its own compares it. left_files SALT
left_files() {
  local name
  (
    cd "$CONFIG_FOLDER" 2>/dev/null || exit 0
    for name in config.yaml config.yaml.d/*.yaml config.yaml.d/*.yml registries.yaml; do
      if [ ! -f "$name" ] || [ "$name" = "config.yaml.d/${JOIN_DROPIN##*/}" ]; then continue; fi
      echo "file $({ echo "$1" && sed '/^ingress-controller:/d' "$name"; } | sha256sum | cut -c -64) $name"
    done
  )
}

# left_value NAME: what the record says of salt, version or at
left_value() { awk -v name="$1" '$1 == name { print $2 }' "$LEFT" 2>/dev/null || true; }

# Records how the node is now.
left_record() {
  local salt
  salt=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
  (
    umask 077
    { echo "salt $salt" && echo "version $(version_on_disk || true)" && echo "at $(date -u +%FT%TZ)" && left_files "$salt"; } >"$LEFT.part"
  )
  mv "$LEFT.part" "$LEFT"
}

# A line a file that is not as it was left: NAME FINGERPRINT, its first eight digits, or NAME gone. Nothing without a record.
left_changes() {
  local salt
  salt=$(left_value salt)
  if [ -z "$salt" ]; then return 0; fi
  {
    sed -n 's/^file /was /p' "$LEFT"
    left_files "$salt"
  } | awk '$1 == "was" { was[$3] = $2 } $1 == "file" { now[$3] = $2 }
    END {
      for (name in now) if (!(name in was) || now[name] != was[name]) print name, substr(now[name], 1, 8)
      for (name in was) if (!(name in now)) print name, "gone"
    }' | sort
}
