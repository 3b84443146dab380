#!/usr/bin/env bash
# Reboots this node where that is due, in its turn, before its RKE2. The reboot comes after this step's end, and whoever
# asked waits for another boot ID and asks again (components/rebooting.ts).
#
# Usage: CHANGE ROLE WANTED ACCEPTED WHEN GPU
#   WHEN  whenNeeded | always | never
#   GPU   true: not into a kernel without NVIDIA's driver, where the running one has it on this host
# A node that is past this part of its turn (lib-os.sh) is left as it is; one that has come back is not rebooted twice for the same
# packages.
change=$1 role=$2 wanted=$3 accepted=$4 when=$5 gpu=$6
OS_WORK=$STATE/os/$change
manager=$(os_manager)
boot=$(cat /proc/sys/kernel/random/boot_id)
asked=$(cat "$OS_WORK/boot" 2>/dev/null || true)
unknown=""
reason=$(reboot_reason "$manager") || unknown=$reason reason=""

# Ends the step: where it does not reboot, its node is past this part of its turn. answer REBOOTING REBOOTED
answer() {
  if [ "$1" = false ]; then
    mkdir -p "$OS_WORK"
    : >"$OS_WORK/past"
    sync "$OS_WORK/past"
  fi
  result rebooting "$1" rebooted "$2" bootIdBefore "${asked:-$boot}" bootId "$boot" pending "${reason:-${unknown:+not known: $unknown}}"
}
if [ -n "$asked" ] && [ "$asked" != "$boot" ]; then
  # The first answer after it counts the reboot, for the forecast of later runs.
  # shellcheck disable=SC2034 # read by result
  if [ ! -e "$OS_WORK/back" ]; then STARTED=$(stat -c %Y "$OS_WORK/boot")000000000; fi
  : >"$OS_WORK/back"
  say "rebooted: boot $boot, before $asked${reason:+; a reboot is still asked for: $reason}"
  answer false true
  exit 0
fi
if past_patches "$wanted" "$accepted"; then
  say "past its patches in $change: not rebooted"
  answer false false
  exit 0
fi
if [ "$when" = whenNeeded ] && [ -n "$unknown" ]; then
  fail "whether a reboot is needed is not known: $unknown" \
    "mend that here (where the command is not there: dnf install dnf-utils, with dnf5 dnf5-plugins), or set osPatch.reboot to always or never; then run pulumi up again: it goes on here"
fi
if [ "$when" = never ] || { [ "$when" = whenNeeded ] && [ -z "$reason" ]; }; then
  if [ -n "$reason" ]; then
    say "not rebooted, as osPatch.reboot says; one is pending: $reason"
  elif [ -n "$unknown" ]; then
    say "not rebooted, as osPatch.reboot says; whether one is pending is not known: $unknown"
  else say "no reboot is needed"; fi
  answer false false
  exit 0
fi

# Whoever installed that kernel: packages that go with it are held together (lib-os.sh), what is there already is not.
kernel=""
if [ "$gpu" = true ]; then kernel=$(driverless); fi
if [ -n "$kernel" ]; then
  fail "a reboot boots kernel $kernel, for which NVIDIA's driver is not installed here: $(uname -r) has it" \
    "install the driver for it here (dkms autoinstall -k $kernel, its package, or the .run's --kernel-name=$kernel), or remove that kernel; then run pulumi up again: it goes on here. $(row gpu)"
fi
if [ "$role" = server ]; then
  # The gate that asked lies before drain and patches, and a rerun does not ask it again.
  until_ok 120 others_are_a_quorum || fail "without this server etcd has no quorum: $LAST" "mend the other servers first, then run pulumi up again: it goes on here. $(row quorum)"
  leader_away
fi
mkdir -p "$OS_WORK"
rm -f "$OS_WORK/back"
echo "$boot" >"$OS_WORK/boot.part"
mv "$OS_WORK/boot.part" "$OS_WORK/boot"
sync
say "rebooting: ${reason:-as osPatch.reboot says}"
# Late enough for this step's answer, on a loaded node too. One that is under way already is as good.
systemd-run --quiet --collect --unit=rke2-upgrade-reboot --on-active=10 --timer-property=AccuracySec=100ms systemctl reboot ||
  systemctl is-active -q rke2-upgrade-reboot.timer || [ "$(systemctl is-system-running || true)" = stopping ] ||
  fail "systemd takes no reboot" "systemctl list-jobs here; reboot it by hand, then run pulumi up again"
answer true false
# end of step
