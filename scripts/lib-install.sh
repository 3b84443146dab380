#!/usr/bin/env bash
# Installs a release from the files that fetch-artifacts.sh left here. Restarts nothing. Sent after lib.sh.
# shellcheck disable=SC2034 # INSTALLED is read by the steps

# Not to be asked in an if: errors must end the step. install_release ROLE VERSION: sets INSTALLED
INSTALLED=false
install_release() {
  local dir=$STATE/artifacts/$2 before after file
  # First, since a rerun that finds the release installed needs them no less.
  place_images "$dir"
  before=$(version_on_disk || true)
  if [ "$before" = "$2" ]; then
    say "$2 is installed"
    return 0
  fi
  (cd "$dir" && grep 'rke2\.linux-.*\.tar\.gz$' sha256sum-*.txt | sha256sum -c --status -) 2>/dev/null ||
    fail "the release files in $dir are missing or damaged" "nothing was changed here. Have them fetched again: pulumi state taint URN, with the URN of $HERE-fetch-artifacts from pulumi stack --show-urns; then pulumi up"
  # How the node was left is over; the proof after this records it anew (lib-left.sh).
  rm -f "$STATE/left"
  say "installing $2 over ${before:-an unreadable version}"
  # Without the images, which place_images has placed: install.sh would unpack them into /tmp, and beside that file.
  rm -rf "$dir.install"
  mkdir "$dir.install"
  for file in "$dir"/install.sh "$dir"/sha256sum-*.txt "$dir"/rke2.linux-*.tar.gz; do ln -s "$file" "$dir.install/"; done
  # INSTALL_RKE2_ARTIFACT_PATH ignores the version asked for: what was installed is asked after.
  INSTALL_RKE2_ARTIFACT_PATH=$dir.install INSTALL_RKE2_TYPE=$1 INSTALL_RKE2_METHOD=tar INSTALL_RKE2_VERSION=$2 \
    sh "$dir/install.sh" </dev/null 2>&1 || fail "RKE2's install script failed" "read its output above; the service still runs ${before:-the old version}; run pulumi up again"
  rm -rf "$dir.install"
  after=$(version_on_disk || true)
  [ "$after" = "$2" ] || fail "installed, but rke2 --version says ${after:-nothing}, not $2" "the tarball in $dir is not of $2: have the mirror checked, then fetch again (pulumi state taint of $HERE-fetch-artifacts)"
  INSTALLED=true
}

# RKE2's images, where they were fetched: RKE2 imports at its start what lies in this folder. The other release's file
# of the same name makes way, and comes back with that release. Not the list beside it: RKE2 pulls what a list there
# names. place_images DIRECTORY
place_images() {
  local file target=$RKE2_DATA/agent/images
  for file in "$1"/rke2-images.linux-*.tar.*; do
    if [ ! -e "$file" ] || cmp -s "$file" "$target/${file##*/}"; then continue; fi
    (cd "$1" && grep " ${file##*/}\$" sha256sum-*.txt | sha256sum -c --status -) 2>/dev/null ||
      fail "$file is damaged" "nothing was changed here. Have it fetched again: remove $1 on this node; pulumi state taint URN, with the URN of $HERE-fetch-artifacts from pulumi stack --show-urns; then pulumi up"
    say "placing ${file##*/}"
    mkdir -p "$target"
    cp "$file" "$target/.${file##*/}.part"
    mv "$target/.${file##*/}.part" "$target/${file##*/}"
  done
}
