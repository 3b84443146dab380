#!/usr/bin/env bash
# Makes this machine's OS lag behind, or takes that back: a local apt repository with newer versions of small packages that
# are installed. Run as root on the machine.
#
# usage: outdated.sh on|off [quiet]
#   quiet  what is newer asks for no reboot
#
# rehearsal-base         1.0, 1.1 is there; its installation asks for a reboot, as Debian's do
# rehearsal-held         the same without, held by apt-mark
# rke2-rehearsal         the same; its name says that it goes with RKE2
# linux-image-rehearsal  the same; its name says that it is the kernel, and no driver comes with it
set -euo pipefail
wanted=$1 quiet=${2:-}
repository=/srv/rehearsal-apt
list=/etc/apt/sources.list.d/rehearsal.list
names=(rehearsal-base rehearsal-held rke2-rehearsal linux-image-rehearsal)
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

if [[ $wanted = off ]]; then
  apt-mark unhold "${names[@]}" >/dev/null 2>&1 || true
  dpkg --purge "${names[@]}" >/dev/null 2>&1
  rm -rf "$repository" "$list" /run/reboot-required /run/reboot-required.pkgs
  apt-get -qq update
  exit
fi

# A package's file, and its entry in the repository's index. package NAME VERSION
package() {
  local root file
  root=$(mktemp -d)
  mkdir "$root/DEBIAN"
  printf '%s\n' "Package: $1" "Version: $2" "Architecture: all" "Maintainer: rehearsal" "Description: stands for a package of the OS" >"$root/DEBIAN/control"
  if [[ $1 = rehearsal-base && $2 = 1.1 && -z $quiet ]]; then
    printf '%s\n' '#!/bin/sh' 'echo "*** System restart required ***" >/run/reboot-required' 'echo rehearsal-base >>/run/reboot-required.pkgs' >"$root/DEBIAN/postinst"
    chmod 755 "$root/DEBIAN/postinst"
  fi
  chmod 755 "$root" "$root/DEBIAN"
  file=$1_$2_all.deb
  dpkg-deb --build --root-owner-group "$root" "$repository/$file" >/dev/null
  rm -rf "$root"
  {
    dpkg-deb --field "$repository/$file"
    printf '%s\n' "Filename: ./$file" "Size: $(stat -c %s "$repository/$file")" "SHA256: $(sha256sum "$repository/$file" | cut -d' ' -f1)" ""
  } >>"$repository/Packages"
}

rm -rf "$repository"
mkdir -p "$repository"
for name in "${names[@]}"; do
  package "$name" 1.0
  package "$name" 1.1
done
printf '%s\n' "Origin: rehearsal" "Suite: rehearsal-security" "Date: $(date -u '+%a, %d %b %Y %H:%M:%S UTC')" "SHA256:" \
  " $(sha256sum "$repository/Packages" | cut -d' ' -f1) $(stat -c %s "$repository/Packages") Packages" >"$repository/Release"
echo "deb [trusted=yes] file:$repository ./" >"$list"
for name in "${names[@]}"; do dpkg --install "$repository/${name}_1.0_all.deb" >/dev/null; done
apt-mark hold rehearsal-held >/dev/null
apt-get -qq update
