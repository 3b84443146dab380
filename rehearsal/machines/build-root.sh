#!/usr/bin/env bash
# Builds the base root of every machine: a minimal Debian that boots systemd,
# journald, sshd and sudo. It is the read-only lower layer of the machines'
# disks and holds nothing that differs between them.
#
# usage: build-root.sh
# Prints progress, and as its last line the path of the root in the cache.
# Ends with an error when debootstrap cannot fetch (is apt's mirror reachable?).
set -euo pipefail

readonly suite=bookworm
readonly packages=systemd,systemd-sysv,dbus,openssh-server,sudo,curl,ca-certificates,iproute2,procps,openssl,iptables,iputils-ping

cache="${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}"
key="$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)"
root="$cache/root/$suite-$key"

# Machines are started and stopped by the second: what only waits, asks or
# renews itself has no place on them.
readonly masked=(
  ssh.socket systemd-logind.service systemd-networkd-wait-online.service systemd-resolved.service
  systemd-networkd.service systemd-networkd.socket systemd-timesyncd.service
  console-getty.service getty.target systemd-update-utmp.service systemd-update-utmp-runlevel.service
  systemd-ask-password-console.path systemd-ask-password-wall.path systemd-firstboot.service
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
  systemd-tmpfiles-clean.timer
)

configure() {
  local target=$1 unit
  mkdir -p "$target/etc/systemd/system"
  for unit in "${masked[@]}"; do ln -sf /dev/null "$target/etc/systemd/system/$unit"; done

  # Host keys are made for each machine; keys of the root would be shared by all.
  rm -f "$target"/etc/ssh/ssh_host_*
  rm -f "$target/etc/machine-id" "$target/etc/resolv.conf" "$target/etc/hostname"

  # What an installed Ubuntu server guest has: an unprivileged operator with sudo.
  chroot "$target" useradd --create-home --shell /bin/bash --groups sudo admin
  echo 'admin ALL=(ALL) NOPASSWD:ALL' >"$target/etc/sudoers.d/admin"
  chmod 0440 "$target/etc/sudoers.d/admin"

  # Names resolve from /etc/hosts alone: there is no DNS and no way out.
  # UseDNS is off by default; PAM's session modules would ask the masked logind.
  printf '%s\n' 'PasswordAuthentication no' 'PermitRootLogin no' 'MaxStartups 100:30:200' \
    >"$target/etc/ssh/sshd_config.d/rehearsal.conf"

  # The journal is kept on the machine's disk, so that it survives a reboot as
  # on the lab's guests, but does not grow without bound.
  mkdir -p "$target/var/log/journal" "$target/etc/systemd/journald.conf.d"
  printf '%s\n' '[Journal]' 'Storage=persistent' 'SystemMaxUse=64M' 'RateLimitIntervalSec=0' \
    >"$target/etc/systemd/journald.conf.d/rehearsal.conf"

  mkdir -p "$target/usr/share/rehearsal/images" "$target/etc/rehearsal/faults"
  rm -rf "$target"/var/cache/apt/archives/*.deb "$target"/var/lib/apt/lists/* "$target"/usr/share/{doc,man,locale}/*
}

if [[ ! -d $root ]]; then
  mkdir -p "$cache/root"
  exec 9>"$cache/root/.lock"
  flock 9
  if [[ ! -d $root ]]; then
    temporary="$root.$$"
    trap 'rm -rf "$temporary"' EXIT
    echo "base root: fetching Debian $suite with systemd and sshd (about a minute, once)"
    if ! debootstrap --variant=minbase --include="$packages" "$suite" "$temporary" >"$cache/root/debootstrap.log" 2>&1; then
      tail -5 "$cache/root/debootstrap.log" >&2
      echo "base root: debootstrap failed; see $cache/root/debootstrap.log, check that apt-get update works, run again" >&2
      exit 1
    fi
    configure "$temporary"
    mv "$temporary" "$root"
    trap - EXIT
  fi
fi
echo "$root"
