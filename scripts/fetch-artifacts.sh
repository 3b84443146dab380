#!/usr/bin/env bash
# Puts the release files of the given versions on this node, checked, so that install and going back are local.
#
# Usage: SCRIPT_URL ARTIFACT_URL CA VERSION…
#   SCRIPT_URL    RKE2's install script (https://get.rke2.io or a mirror)
#   ARTIFACT_URL  prefix of the releases; below it <version with %2B>/sha256sum-<arch>.txt and the tarball
#                 (facts: install.sh)
#   CA            certificates that vouch for both, as PEM text; "" = the system's own
# Leaves $STATE/artifacts/VERSION/{install.sh,sha256sum-ARCH.txt,rke2.linux-ARCH.tar.gz}. What is there and
# whole is not fetched again.
script_url=$1 artifact_url=$2 ca=$3
shift 3
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) fail "RKE2 has no release for $(uname -m)" "use amd64 or arm64 machines" ;;
esac
tarball=rke2.linux-$arch.tar.gz sums=sha256sum-$arch.txt

trust "$ca"

# whole DIRECTORY: the tarball there is the one its sums name.
whole() { [ -s "$1/install.sh" ] && (cd "$1" && grep " $tarball\$" "$sums" | sha256sum -c --status -) 2>/dev/null; }

fetched=0
for version in "$@"; do
  dir=$STATE/artifacts/$version
  if whole "$dir"; then
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
  fetch "$url/$tarball" "$part/$tarball"
  whole "$part" || fail "$url/$tarball does not match its sha256 in $sums" "have the mirror checked; nothing was installed"
  rm -rf "$dir"
  mv "$part" "$dir"
  fetched=$((fetched + 1))
done
result fetched "$fetched"
# end of step
