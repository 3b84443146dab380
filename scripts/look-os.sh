#!/usr/bin/env bash
# Reads what this node's package manager would upgrade, by the lists that it has, and whether a reboot is pending; changes
# nothing. Lines of key=value.
#
# Usage: PACKAGES GPU   (after lib.sh and lib-os.sh)
packages=$1 gpu=$2
OS_WORK=$(mktemp -d)
trap 'rm -rf "$OS_WORK"' EXIT
manager=$(os_manager)
os_plan "$manager" "$packages" "$gpu" || fail "$manager does not say what it would upgrade: $PLAN" "ask it by hand"
echo "manager=$manager"
sed -n 's/./update=&/p' <<<"$PLAN"
echo "held=${HELD% }"
unknown=""
reason=$(reboot_reason "$manager") || unknown=$reason reason=""
echo "reboot=$reason"
echo "unknown=$unknown"
# A driver that is upgraded may well come for that kernel too: the reboot asks anew.
if [ "$gpu" = true ] && [ -z "$(named "$PLAN" "$DRIVER" "$NO_DRIVER")" ]; then echo "driverless=$(driverless)"; fi
# end of step
