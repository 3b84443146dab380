#!/usr/bin/env bash
# This node's package manager (apt, dnf or zypper): what it would upgrade, and whether the OS asks for a reboot. Sent after
# lib.sh; see envelope.sh.
#
# RKE2 is installed from its tarball, and what there is of it as a package (rke2-selinux, say) moves with it: rke2-* is never
# upgraded here. Holds (apt-mark hold, pins, versionlock, zypper addlock) are the package manager's own, and it honours them.

# Where packages that need a reboot say so (Debian, Ubuntu).
REBOOT_MARK=/run/reboot-required
# Where kernels are installed.
BOOT=/boot
# Where each kernel's modules are.
MODULES=/lib/modules

# Names of packages that are the kernel, and those that are NVIDIA's driver, its modules or what draws them in: on a GPU node they
# move together or not at all. Listed, since what else has nvidia in its name (container toolkit, settings) says nothing of it.
KERNEL='^(linux-(image|headers|modules|generic|virtual|amd64|kvm|aws|azure|gcp|oracle|nvidia)|kernel([-.]|$))'
DRIVER='^(linux-(modules|objects|signatures)-nvidia|(a?kmod|dkms)-nvidia|cuda-drivers|nvidia-(tesla-|legacy-|[0-9]+(xx)?-)*(open|driver|dkms|headless|kernel|kmod|gfx))'
# kernel-headers are the C library's.
NO_KERNEL='^kernel-headers'
NO_DRIVER='^nvidia-driver-assistant'
# A driver's libraries and tools are of its very release: they stay where it stays. Those in FREE go with any driver.
NVIDIA='nvidia|^cuda-drivers|^libcuda1|^libnvcuvid'
FREE="container|docker|settings|persistenced|modprobe|xconfig|prime|egl-|$NO_DRIVER"

# Whether this node is past its patches in this change: it has the new RKE2 on its disk, or, in a round of OS patches, where
# WANTED is ACCEPTED, reboot.sh has ended well. past_patches WANTED ACCEPTED
past_patches() {
  if [ "$1" = "$2" ]; then [ -e "$OS_WORK/past" ]; else [ "$(version_on_disk || true)" = "$1" ]; fi
}

os_manager() {
  local manager
  for manager in apt-get dnf zypper; do
    if command -v "$manager" >/dev/null; then echo "${manager%-get}" && return; fi
  done
  fail "neither apt-get nor dnf nor zypper is here" "set osPatch.packages to none; patch this node by hand"
}

# Every installed package, name=version, sorted bytewise.
# shellcheck disable=SC2016 # dpkg-query's own variables
os_packages() {
  case $1 in
  apt) dpkg-query -W -f '${db:Status-Abbrev}${binary:Package}=${Version}\n' | sed -n 's/^ii //p' ;;
  *) rpm -qa --qf '%{NAME}.%{ARCH}=%{VERSION}-%{RELEASE}\n' ;;
  esac | LC_ALL=C sort -u
}

# apt's preferences for one run, ours before the operator's: the first that fits decides. apt_preferences PACKAGES HOLD
apt_preferences() {
  local name
  # shellcheck disable=SC2086 # a list
  for name in 'rke2-*' $2; do printf 'Package: %s\nPin: version *\nPin-Priority: -1\n\n' "$name"; done
  cat /etc/apt/preferences 2>/dev/null || true
  # "now" is what is installed. Below its 100 nothing replaces it, and what a fix newly needs can still be installed.
  [ "$1" = full ] || printf '\nPackage: *\nPin: release %s\nPin-Priority: %d\n' 'a=*-security' 990 a=now 100 '*' 50
}

# os_run MANAGER PACKAGES HOLD plan|upgrade: what would be done, or does it, where zypper is told by PLAN. HOLD: names that stay as they are, by spaces.
# `apt-get upgrade --with-new-pkgs` removes nothing; a new kernel is a new package.
os_run() {
  local how=() name
  case $1 in
  apt)
    apt_preferences "$2" "$3" >"$OS_WORK/preferences"
    how=(-o Dir::Etc::Preferences="$OS_WORK/preferences" -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
    if [ "$4" = plan ]; then how+=(-s); else how+=(-y); fi
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C apt-get "${how[@]}" upgrade --with-new-pkgs
    ;;
  dnf)
    for name in 'rke2-*' $3; do how+=("--exclude=$name"); done
    [ "$2" = full ] || how+=(--security)
    if [ "$4" = plan ]; then LC_ALL=C dnf -q -C --setopt=exit_on_lock=True "${how[@]}" check-update || [ $? -eq 100 ]; else
      LC_ALL=C dnf -y --setopt=exit_on_lock=True "${how[@]}" upgrade
    fi
    ;;
  zypper)
    how=(update)
    [ "$2" = full ] || how=(patch --category security)
    if [ "$4" = plan ]; then zypper_ok --xmlout --no-refresh "${how[@]}" --auto-agree-with-licenses --dry-run; else
      # By name: zypper has no word for what stays as it is in one run, and a patch that holds such a package is a conflict.
      mapfile -t how < <(awk '{ print $1 }' <<<"$PLAN")
      zypper_ok --no-refresh update --auto-agree-with-licenses "${how[@]}"
    fi
    ;;
  esac
}

# zypper says by its exit code that it did well and more: 102 reboot, 103 it has upgraded itself, or would, and is to be
# run again for the others: patch.sh asks it until nothing is left.
zypper_ok() {
  local code=0
  LC_ALL=C zypper --non-interactive "$@" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 102 ] || [ "$code" -eq 103 ]
}

# Reads what os_run's plan printed: "name old new" a line, "-" where there is no old one. planned MANAGER
planned() {
  case $1 in
  apt) awk '$1 == "Inst" { old = "-"; at = 3; if ($3 ~ /^\[/) { old = substr($3, 2, length($3) - 2); at = 4 } print $2, old, substr($at, 2) }' ;;
  dnf)
    # Where its columns do not fit, dnf goes on in the next line, indented: a row is whole once it has three words.
    awk '/^Obsoleting/ { exit } /^[^ ]/ || !NF { row = "" }
      { row = row " " $0 } split(row, word) == 3 && word[1] ~ /\./ { print word[1], "-", word[2]; row = "" }'
    ;;
  zypper)
    # As XML: its tables are as wide as the terminal.
    awk 'function attribute(name) { return match($0, " " name "=\"[^\"]*") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "-" }
      /<to-(upgrade|install)/ { listed = 1 } /<\/to-/ { listed = 0 }
      listed && /<solvable type="package"/ { print attribute("name"), attribute("edition-old"), attribute("edition") }'
    ;;
  esac
}

# Names in a plan that fit a pattern. named PLAN PATTERN [BUT]
named() { awk -v fits="$2" -v but="${3:-^$}" '$1 ~ fits && $1 !~ but { print $1 }' <<<"$1"; }

# What would be upgraded, to PLAN, and what is held, to HELD: on a GPU node kernel and driver where only one of them moves.
# Without an answer: 1, its reason in PLAN. os_plan MANAGER PACKAGES GPU
os_plan() {
  local kernel driver
  HELD=""
  os_planned "$1" "$2" || return 1
  if [ "$3" != true ]; then return; fi
  kernel=$(named "$PLAN" "$KERNEL" "$NO_KERNEL|$DRIVER") driver=$(named "$PLAN" "$DRIVER" "$NO_DRIVER")
  if [ -z "$kernel$driver" ] || { [ -n "$kernel" ] && [ -n "$driver" ]; }; then return; fi
  # dnf lists name.arch, and excludes by it as well.
  HELD=$({ echo "$kernel" && named "$PLAN" "$NVIDIA" "$FREE"; } | awk 'NF && !seen[$0]++ { printf "%s ", $0 }')
  os_planned "$1" "$2" || return 1
}

os_planned() {
  if ! PLAN=$(os_run "$1" "$2" "$HELD" plan 2>&1 </dev/null); then
    PLAN=$(grep -v '^$' <<<"$PLAN" | tail -n 3 | tr '\n' ' ')
    return 1
  fi
  PLAN=$(planned "$1" <<<"$PLAN")
  if [ "$1" = zypper ]; then PLAN=$(awk -v held=" $HELD " '!index(held, " " $1 " ") && $1 !~ /^rke2-/' <<<"$PLAN"); fi
}

# The newest installed kernel of the flavour that runs, which the next boot takes. Nothing where the one that runs is not there.
newest_kernel() {
  local running file
  running=$(uname -r)
  if [ ! -e "$BOOT/vmlinuz-$running" ]; then return; fi
  # A release's first kernel (553.el8_10) is older than those after it (553.16.1.el8_10), for sort by a tilde alone.
  for file in "$BOOT"/vmlinuz-*; do echo "${file##*/vmlinuz-}"; done |
    awk -v running="$running" 'function flavour(name) { gsub(/[0-9._]/, "", name); return name }
      flavour($0) == flavour(running) { key = $0; gsub(/\.el/, "~el", key); print key, $0 }' | sort -V | awk 'END { print $2 }'
}

# Whether KERNEL has NVIDIA's driver on this host; one that comes in gpu-operator's container is not on it. nvidia.ko itself has
# other names (Debian: nvidia-current.ko), and CUDA asks for nvidia-uvm. has_driver KERNEL
has_driver() { [ -n "$(find "$MODULES/$1" -name 'nvidia*-uvm.ko*' -print -quit 2>/dev/null)" ]; }

# The kernel that a reboot of this GPU node would boot without NVIDIA's driver, which the running one has; or nothing.
driverless() {
  local newest
  newest=$(newest_kernel)
  if [ -n "$newest" ] && has_driver "$(uname -r)" && ! has_driver "$newest"; then echo "$newest"; fi
}

# Why this node is to be rebooted, or nothing. Without an answer: 1, what was said instead. reboot_reason MANAGER
reboot_reason() {
  local said code=0 newest
  case $1 in
  apt)
    if [ -e "$REBOOT_MARK" ]; then
      said=$(sort -u "$REBOOT_MARK.pkgs" 2>/dev/null | tr '\n' ' ' || true)
      echo "asked for by ${said:-a package}"
      return
    fi
    ;;
  dnf)
    if command -v needs-restarting >/dev/null; then said=$(LC_ALL=C needs-restarting -r 2>&1) || code=$?; else said=$(LC_ALL=C dnf -q -C needs-restarting -r 2>&1) || code=$?; fi
    if [ "$code" -eq 0 ]; then return; fi
    # It exits 1 where the plugin is not there as well.
    if grep -qi 'reboot' <<<"$said"; then echo "needs-restarting: $(grep -m 1 -i reboot <<<"$said")" && return; fi
    ;;
  zypper)
    said=$(LC_ALL=C zypper --non-interactive needs-rebooting 2>&1) || code=$?
    if [ "$code" -eq 0 ]; then return; fi
    if [ "$code" -eq 102 ]; then echo "zypper needs-rebooting" && return; fi
    ;;
  esac
  # Debian's kernels leave that mark only where unattended-upgrades is installed; and where nobody else answers, a kernel does.
  newest=$(newest_kernel)
  if [ -n "$newest" ] && [ "$newest" != "$(uname -r)" ]; then echo "kernel $newest is installed, $(uname -r) runs" && return; fi
  if [ "$code" -ne 0 ]; then echo "$1 exits $code: $(tr -s '\n' ' ' <<<"$said" | cut -c -300)" && return 1; fi
}
