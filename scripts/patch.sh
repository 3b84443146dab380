#!/usr/bin/env bash
# Upgrades this node's OS packages in its turn, before its RKE2. Reboots nothing. Killed at any point and run again it finishes.
#
# Usage: CHANGE WANTED ACCEPTED PACKAGES GPU LOCK_SECONDS
#   PACKAGES      security | full
#   GPU           true: kernel and NVIDIA's driver move together or not at all
#   LOCK_SECONDS  how long other package managers are waited for
# A node that is past this part of its turn (lib-os.sh) is left as it is: an edited script that runs again changes nothing there.
change=$1 wanted=$2 accepted=$3 packages=$4 gpu=$5 lock_seconds=$6
OS_WORK=$STATE/os/$change
manager=$(os_manager)
mkdir -p "$OS_WORK"
# What was done, in all tries of this change: the packages that differ, name=version.
told() {
  result manager "$manager" upgraded "$1" held "${HELD% }" \
    before "$(LC_ALL=C comm -23 "$OS_WORK/before" "$OS_WORK/after" 2>/dev/null | tr '\n' ' ' | sed 's/ $//')" \
    after "$(LC_ALL=C comm -13 "$OS_WORK/before" "$OS_WORK/after" 2>/dev/null | tr '\n' ' ' | sed 's/ $//')"
}
HELD=""
if past_patches "$wanted" "$accepted"; then
  say "past its patches in $change: its packages are left as they are"
  told 0
  exit 0
fi

LOCKED="could not get lock|another process using it|frontend lock was locked|unable to (acquire|lock)|already locked by|can't create transaction lock|system management is locked|waiting for process with pid|another app is currently holding"
deadline=$(($(date +%s) + lock_seconds))
# Runs the package manager; while another one holds its lock it is asked again. managed WHAT COMMAND…
managed() {
  local what=$1 said=0
  shift
  until "$@" >"$OS_WORK/log" 2>&1 </dev/null; do
    if ! grep -qiE "$LOCKED" "$OS_WORK/log"; then
      fail "$what: $(grep -v '^$' "$OS_WORK/log" | grep -E '^(E|W|Err|dpkg|Error|Problem)' | tail -n 2 | tr '\n' ' ' | cut -c -400)$(tail -n 1 "$OS_WORK/log" | cut -c -200)" \
        "read $OS_WORK/log here and mend it by hand; then run pulumi up again: it goes on here"
    fi
    if [ "$(date +%s)" -ge "$deadline" ]; then
      fail "another package manager has been at work here for $lock_seconds s: $(grep -iE -m 1 "$LOCKED" "$OS_WORK/log" | cut -c -300)" \
        "wait until it has ended (unattended-upgrades does by itself), or end it; then run pulumi up again. This node stays as it is meanwhile"
    fi
    if [ $((said++ % 12)) -eq 0 ]; then say "waiting for another package manager: $(grep -iE -m 1 "$LOCKED" "$OS_WORK/log" | cut -c -200)"; fi
    sleep 5
  done
}

# What a kill has left half-way.
if [ "$manager" = apt ]; then
  managed "dpkg --configure -a" env DEBIAN_FRONTEND=noninteractive LC_ALL=C dpkg --force-confdef --force-confold --configure -a
fi
case $manager in
apt) managed "apt-get update" env LC_ALL=C apt-get -o APT::Update::Error-Mode=any update ;;
dnf) managed "dnf makecache" env LC_ALL=C dnf -q --setopt=exit_on_lock=True makecache --refresh ;;
zypper) managed "zypper refresh" env LC_ALL=C zypper --non-interactive refresh ;;
esac
if [ ! -e "$OS_WORK/before" ]; then
  os_packages "$manager" >"$OS_WORK/before.part"
  mv "$OS_WORK/before.part" "$OS_WORK/before"
fi
plan_or_say() { os_plan "$manager" "$packages" "$gpu" || { echo "$PLAN" && return 1; }; }
# zypper takes patches of its own first and alone, and shows the others only then: it is asked until nothing is left.
count=0 rounds=1
if [ "$manager" = zypper ]; then rounds=4; fi
for ((round = 1; round <= rounds; round++)); do
  managed "$manager does not say what it would upgrade" plan_or_say
  if [ -n "$HELD" ] && [ "$round" -eq 1 ]; then say "held, since on a GPU node kernel and driver move together or not at all: $HELD"; fi
  found=$(grep -c . <<<"$PLAN" || true)
  if [ "$found" -eq 0 ]; then break; fi
  names=$(awk '{ print $1 }' <<<"$PLAN" | tr '\n' ' ' | cut -c -400)
  if [ "$round" -gt 1 ] && [ "$round" -eq "$rounds" ]; then
    fail "after $((round - 1)) rounds $manager would still upgrade $names" "look at it with $manager here, mend what keeps these back, then run pulumi up again"
  fi
  say "upgrading $found packages: $names"
  # A reboot that this change has made already was not for these.
  rm -f "$OS_WORK/boot"
  managed "$manager" os_run "$manager" "$packages" "$HELD" upgrade
  count=$((count + found))
done
if [ "$count" -eq 0 ]; then say "no package is to be upgraded"; fi
os_packages "$manager" >"$OS_WORK/after.part"
mv "$OS_WORK/after.part" "$OS_WORK/after"
told "$count"
# end of step
