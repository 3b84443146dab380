#!/usr/bin/env bash
# Has the RKE2 that runs here import another release's images, with no registry in reach. Sent after lib.sh.

# Our own: 1 GiB at 5 MB/s, unpacked, twice.
IMPORT_SECONDS=600

# Names of images as containerd has them, one a line, in order; docker.io/ is left out.
image_names() { tr -d '"\r' | sed -n 's#^\(index\.\)\?docker\.io/##; /./p' | LC_ALL=C sort -u; }

# RKE2's containerd has every image that the file names; else which it lacks, on stdout. imported LIST
imported() {
  local have lacks
  have=$(crictl images --output json) || return 1
  lacks=$(LC_ALL=C comm -23 <(image_names <"$1") <(grep -o '"[^"]*"' <<<"$have" | image_names))
  [ -z "$lacks" ] || { echo "$(wc -l <<<"$lacks") of them are not there, as ${lacks%%$'\n'*}" && return 1; }
}

# RKE2 imports what is put into agent/images while it runs. Under a name of its own at each attempt, since RKE2 takes one
# that it knows for done; and only until then: what RKE2 imports at its starts is the installed release's affair (lib-install.sh).
# import_images DIRECTORY ARCHIVE LIST: a release's, and its files there
import_images() {
  local target=$RKE2_DATA/agent/images
  if ! imported "$1/$3" >/dev/null 2>&1; then
    say "having RKE2 import the images of ${1##*/}"
    mkdir -p "$target"
    rm -f "$target"/rke2-upgrade-*
    cp "$1/$2" "$target/.rke2-upgrade.part"
    mv "$target/.rke2-upgrade.part" "$target/rke2-upgrade-$STARTED.${2#*linux-*.}"
    until_ok "$IMPORT_SECONDS" imported "$1/$3" ||
      fail "RKE2 has not imported the images of ${1##*/} after $IMPORT_SECONDS s: $LAST" "here: journalctl -u 'rke2-*' | grep -i import, and df -h $RKE2_DATA. RKE2 from before v1.30.9, v1.31.5 and v1.32.0 imports at its start alone: restart it, one node after the other. Then run pulumi up again"
  fi
  rm -f "$target"/rke2-upgrade-* "$target/.rke2-upgrade.part"
}
