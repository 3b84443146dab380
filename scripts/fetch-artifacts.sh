#!/usr/bin/env bash
# Puts the release files of both versions on this node, checked, so that install and going back are local. With images,
# RKE2 has imported WANTED's when this ends: the first new server's charts roll out on nodes whose turn is still to come.
#
# Usage: SCRIPT_URL ARTIFACT_URL CA WANTED ACCEPTED [IMAGES]
#   SCRIPT_URL    RKE2's install script (https://get.rke2.io or a mirror)
#   ARTIFACT_URL  prefix of the releases; below it <version with %2B>/sha256sum-<arch>.txt and the tarball
#                 (as INSTALL_RKE2_ARTIFACT_URL of RKE2's install.sh). file:///… of a folder that is mounted here
#                 serves as well
#   IMAGES        tar.zst or tar.gz: RKE2's images as well, for nodes that reach no registry
#   CA            certificates that vouch for both, as PEM text; "" = the system's own
# Leaves in $STATE/artifacts/VERSION: install.sh, sha256sum-ARCH.txt, rke2.linux-ARCH.tar.gz and, where asked for,
# rke2-images.linux-ARCH.IMAGES, with the list of what is in it, rke2-images.linux-ARCH.txt. What is there and whole is
# not fetched again.
script_url=$1 artifact_url=$2 ca=$3 wanted=$4 accepted=$5 images=${6:-}
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) fail "RKE2 has no release for $(uname -m)" "use amd64 or arm64 machines" ;;
esac
tarball=rke2.linux-$arch.tar.gz sums=sha256sum-$arch.txt
files=("$tarball")
if [ -n "$images" ]; then files+=("rke2-images.linux-$arch".{"$images",txt}); fi

trust "$ca"

# faulty DIRECTORY: the first of the files there that is not the one its sums name; nothing where all are
faulty() {
  local file
  [ -s "$1/install.sh" ] || { echo install.sh && return; }
  for file in "${files[@]}"; do
    (cd "$1" && grep " $file\$" "$sums" | sha256sum -c --status -) 2>/dev/null || { echo "$file" && return; }
  done
}

fetched=0
for version in "$wanted" "$accepted"; do
  dir=$STATE/artifacts/$version
  if [ -z "$(faulty "$dir")" ]; then
    say "$version is here and whole"
    continue
  fi
  part=$dir.part
  rm -rf "$part"
  mkdir -p "$part"
  url=$artifact_url/${version//+/%2B}
  say "fetching $version"
  fetch "$script_url" "$part/install.sh"
  fetch "$url/$sums" "$part/$sums"
  for file in "${files[@]}"; do fetch "$url/$file" "$part/$file"; done
  wrong=$(faulty "$part")
  [ -z "$wrong" ] || fail "$url/$wrong does not match its sha256 in $sums" "have the mirror checked; nothing was installed"
  rm -rf "$dir"
  mv "$part" "$dir"
  fetched=$((fetched + 1))
done
# A round of OS patches brings no other images.
if [ -n "$images" ] && [ "$wanted" != "$accepted" ]; then import_images "$STATE/artifacts/$wanted" "${files[@]:1}"; fi
result fetched "$fetched"
# end of step
