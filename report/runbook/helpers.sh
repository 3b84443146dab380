#!/usr/bin/env bash
# What every step of a runbook stands on; the steps follow below. Nothing here knows Pulumi or Node.js.
#
# It asks before every step. To run it from one step on: FROM=24 bash runbook.sh; to be asked nothing: YES=1.
# Every step converges: one that has done its work does nothing when it is run again.
set -euo pipefail

: "${SSH_KEY:?the file with the SSH private key for all nodes: export SSH_KEY=~/.ssh/id_ed25519}"
FROM=${FROM:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stop() {
  echo "runbook: $1" >&2
  echo "  next: $2" >&2
  exit 1
}

# step NUMBER TITLE: whether to do it now.
step() {
  local answer
  if (($1 < FROM)); then return 1; fi
  printf '\n%s. %s\n' "$1" "$2"
  if [ "${YES:-}" = 1 ]; then return 0; fi
  read -r -p "   Enter: do it, s: skip it, q: stop here. " answer </dev/tty
  case $answer in
  s) return 1 ;;
  q) stop "stopped before step $1" "FROM=$1 bash $0 goes on there" ;;
  esac
}

# on USER@ADDRESS PORT SECONDS COMMAND: runs a command there, host keys pinned. Standard input goes along.
on() {
  timeout "$3" ssh -i "$SSH_KEY" -p "$2" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
    -o UserKnownHostsFile="$work/known_hosts" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=15 "$1" "$4"
}

# run NUMBER USER@ADDRESS PORT SECONDS COMMAND: a step's script there, from standard input.
run() {
  local number=$1
  shift
  on "$@" || stop "step $number ended with $?; its own words stand above" "mend the cause, then FROM=$number bash $0"
}

# reboots NUMBER USER@ADDRESS PORT SECONDS COMMAND: as run; a node that goes down after it is waited for, by its boot ID, and
# asked again.
reboots() {
  local before deadline=$((SECONDS + $4))
  cat >"$work/reboots"
  run "$@" <"$work/reboots" | tee "$work/reboots.said"
  grep -q '"rebooting":true' "$work/reboots.said" || return 0
  before=$(sed -n 's/.*"bootId":"\([^"]*\)".*/\1/p' "$work/reboots.said")
  until [ "$(on "$2" "$3" 20 'cat /proc/sys/kernel/random/boot_id' </dev/null 2>/dev/null || echo "$before")" != "$before" ]; do
    ((SECONDS < deadline)) || stop "step $1: $2 has not come back from its reboot" "look at its console in Proxmox VE; once it answers, FROM=$1 bash $0"
    sleep 2
  done
  run "$@" <"$work/reboots"
}

# lease NUMBER USER@ADDRESS PORT SECONDS COMMAND: as run, on the way back: a dead API holds nobody up, another change does.
lease() {
  local number=$1 code=0
  shift
  on "$@" 2>"$work/lease.err" || code=$?
  cat "$work/lease.err" >&2
  if ((code == 0)); then return; fi
  if grep -q 'held by another change' "$work/lease.err"; then
    stop "step $number: another change holds the cluster" "as it says above; then FROM=$number bash $0"
  fi
  echo 'the API does not answer: the nodes are taken alone'
}

# pve METHOD PATH [FIELD=VALUE]…: Proxmox VE's API. The token is read from a file, never from a command line.
pve() {
  local method=$1 path=$2 field options=()
  shift 2
  : "${PROXMOX_TOKEN_FILE:?the file with the API token, user@realm!name=secret, in one line}"
  for field in "$@"; do options+=(--data-urlencode "$field"); done
  (umask 077 && printf 'Authorization: PVEAPIToken=%s\n' "$(cat "$PROXMOX_TOKEN_FILE")" >"$work/token")
  [ ! -e "$work/proxmox.pem" ] || options+=(--cacert "$work/proxmox.pem")
  curl -sS --fail-with-body --max-time 60 -X "$method" -H "@$work/token" "${options[@]}" "$PROXMOX_ENDPOINT/api2/json$path"
}

# pve_wait HOST SECONDS: waits for the task whose answer stands on standard input.
pve_wait() {
  local upid status deadline=$((SECONDS + $2))
  upid=$(sed 's/.*"data":"\([^"]*\)".*/\1/')
  [[ $upid == UPID:* ]] || stop "Proxmox VE gave no task: $upid" "look into its task list on $1"
  while ((SECONDS < deadline)); do
    status=$(pve GET "/nodes/$1/tasks/$upid/status")
    if [[ $status == *'"status":"stopped"'* ]]; then
      [[ $status == *'"exitstatus":"OK"'* || $status == *'"exitstatus":"WARNINGS'* ]] && return 0
      status=${status#*'"exitstatus":"'}
      stop "task $upid failed: ${status%%'"'*}" "read it in Proxmox VE; it may have left a lock: qm unlock"
    fi
    sleep 1
  done
  stop "task $upid is not done after $2 s" "read it in Proxmox VE"
}

# entries: the JSON list of objects on standard input, an object a line. What is quoted in a value stays quoted.
entries() {
  local listed newline=$'\n'
  listed=$(cat)
  printf '%s\n' "${listed//\},\{/$newline}"
}

# snapshots_of HOST VMID NAME MARK: this change's own, renewals included, the oldest first: when, its name, all of it.
snapshots_of() {
  local listed entry when
  listed=$(pve GET "/nodes/$1/qemu/$2/snapshot") || return
  entries <<<"$listed" | while IFS= read -r entry; do
    [[ $entry == *"$4"* && $entry =~ \"snaptime\":\"?([0-9]+) ]] || continue
    when=${BASH_REMATCH[1]}
    [[ $entry =~ \"name\":\"("$3"(-[0-9]+)?)\" ]] || continue
    printf '%s %s %s\n' "$when" "${BASH_REMATCH[1]}" "$entry"
  done | sort -n
}

# vm_snapshot HOST VMID NAME DESCRIPTION MARK SECONDS: without RAM; one of ours that is there is kept.
vm_snapshot() {
  local listed found
  listed=$(pve GET "/nodes/$1/qemu/$2/snapshot")
  if [[ $listed == *"\"name\":\"$3\""* ]]; then
    found=$(snapshots_of "$1" "$2" "$3" "$5")
    grep -v '"snapstate":' <<<"$found" | grep -q "^[0-9]* $3 " ||
      stop "VM $2 has a snapshot $3 that this change did not take, or that is left half-way" "rename or delete it in Proxmox VE if you can spare it, then this step again"
    echo "VM $2 has $3 already: kept"
    return
  fi
  pve POST "/nodes/$1/qemu/$2/snapshot" "snapname=$3" vmstate=0 "description=$4"$'\n'"$5" | pve_wait "$1" "$6"
}

# vm_rollback HOST VMID NAME MARK AT-REST SECONDS USER@ADDRESS PORT SSH-SECONDS: to the newest of this change's
# snapshots, then power on. What the disk holds since is gone, so it is done once: see since.
# AT-REST stands in the description of a snapshot that does not start RKE2 by itself; empty where any will do.
vm_rollback() {
  local found newest name entry answer began deadline
  began=$(since)
  found=$(snapshots_of "$1" "$2" "$3" "$4")
  newest=$(grep -v '"snapstate":' <<<"$found" | tail -n 1) || true
  [ -n "$newest" ] || stop "VM $2 has no whole snapshot $3 of this change" "go back by reinstall (an agent) or restore (the cluster), which need none"
  [[ $newest == *"$5"* ]] || stop "VM $2's newest snapshot of this change would start RKE2 with old etcd data by itself" "go back by restore, or roll back by hand with the link down"
  read -r _ name _ <<<"$newest"
  answer=$(pve GET "/nodes/$1/tasks?vmid=$2&source=archive&limit=50")
  while IFS= read -r entry; do
    [[ $entry == *'"type":"qmrollback"'* && $entry == *'"status":"OK"'* && $entry =~ \"starttime\":\"?([0-9]+) ]] || continue
    if ((BASH_REMATCH[1] >= began)); then
      echo "VM $2 was rolled back since $(date -u -d "@$began" +%FT%TZ) already: passed over. To do it once more: rm $0.began"
      name=
    fi
  done < <(entries <<<"$answer")
  if [ -n "$name" ]; then
    answer=$(pve GET "/cluster/resources?type=vm")
    while IFS= read -r entry; do
      [[ $entry =~ \"vmid\":\"?$2\"?([,}]|$) && $entry =~ \"hastate\":\"([^\"]+) && ${BASH_REMATCH[1]} != ignored ]] || continue
      stop "VM $2 is managed for high availability (${BASH_REMATCH[1]}), which would start it in the middle of its rollback" "ha-manager set vm:$2 --state ignored on a host, then this step again; set it back after"
    done < <(entries <<<"$answer")
    echo "VM $2 goes back to $name"
    pve POST "/nodes/$1/qemu/$2/snapshot/$name/rollback" start=0 | pve_wait "$1" "$6"
  fi
  answer=$(pve GET "/nodes/$1/qemu/$2/status/current")
  if [[ $answer != *'"status":"running"'* ]]; then pve POST "/nodes/$1/qemu/$2/status/start" | pve_wait "$1" "$6"; fi
  deadline=$((SECONDS + $9))
  until on "$7" "$8" 20 true </dev/null 2>"$work/ssh.err"; do
    ((SECONDS < deadline)) || stop "VM $2 is on, but $7 does not answer over SSH after $9 s: $(tail -n 1 "$work/ssh.err")" "look at its console in Proxmox VE, then do this step again"
    sleep 1
  done
}

# since: when the first rollback of this runbook was begun, seconds since the epoch. A rerun finds it beside the runbook.
since() {
  local whose began=
  if [ -e "$0.began" ]; then read -r whose began <"$0.began"; fi
  if [ "${whose:-}" != "$ATTEMPT" ]; then
    began=$(date +%s)
    echo "$ATTEMPT $began" >"$0.began"
  fi
  echo "$began"
}

# vm_release HOST VMID NAME MARK SECONDS: deletes this change's snapshots, renewals included, by their exact names.
vm_release() {
  local found name
  found=$(snapshots_of "$1" "$2" "$3" "$4")
  if [ -z "$found" ]; then
    echo "VM $2 has no snapshot $3 of this change any more"
    return
  fi
  while read -r _ name _; do
    echo "VM $2: $name is deleted"
    pve DELETE "/nodes/$1/qemu/$2/snapshot/$name" | pve_wait "$1" "$5"
  done <<<"$found"
}

# etcd_backup USER@ADDRESS PORT SECONDS NODE NAME DIRECTORY VERSION RECIPIENT…: an etcd snapshot off the server, and
# the server's token apart from it, both encrypted.
etcd_backup() {
  local target=$1 port=$2 seconds=$3 node=$4 name=$5 directory=$6 version=$7 said path sum bytes file recipients=()
  shift 7
  for file in "$@"; do recipients+=(-r "$file"); done
  command -v age >/dev/null || stop "age is not installed here" "install age: the snapshot is the keys of the cluster, it is never kept in clear"
  file=$directory/etcd-$(date -u +%FT%H%M%SZ)-$version.age
  (umask 077 && mkdir -p "$directory" "${directory%/*}/tokens")
  said=$(script_etcd_save | on "$target" "$port" "$seconds" "sudo -n bash -s -- etcd-save $name $node")
  IFS=$'\t' read -r path sum bytes <<<"$said"
  (umask 077 && on "$target" "$port" "$seconds" "sudo -n cat /var/lib/rancher/rke2/server/token" </dev/null |
    age "${recipients[@]}" >"${directory%/*}/tokens/${directory##*/}.age")
  (umask 077 && on "$target" "$port" "$seconds" "sudo -n cat $path" </dev/null | tee >(sha256sum >"$work/sum") |
    age "${recipients[@]}" >"$file.part")
  # The sum is written beside the pipe: wait until it is there.
  until [ -s "$work/sum" ]; do sleep 0.1; done
  [ "$(cut -d' ' -f1 "$work/sum")" = "$sum" ] || stop "$path has sha256 $sum, something else arrived" "do this step again"
  echo "$sum  etcd snapshot of $node, before encryption" >"$file.sha256"
  mv "$file.part" "$file"
  script_etcd_delete | on "$target" "$port" "$seconds" "sudo -n bash -s -- etcd-delete ${path##*/}"
  echo "$file ($bytes bytes before encryption)"
}

# place_backup USER@ADDRESS PORT SECONDS DIRECTORY VERSION…: the newest etcd snapshot with the data of one of these
# versions, in plain on the server.
place_backup() {
  local target=$1 port=$2 seconds=$3 directory=$4 one version file='' sum folder=/var/lib/rke2-upgrade/restore
  shift 4
  : "${AGE_IDENTITY:?the file with an age identity that the etcd snapshot is for}"
  # Their names sort by time. One without its sum was broken off before it was whole.
  for one in "$directory"/etcd-*.age; do
    for version in "$@"; do
      if [[ $one == *"Z-$version.age" && -e $one.sha256 ]]; then file=$one; fi
    done
  done
  [ -n "$file" ] || stop "$directory holds no etcd snapshot of $*" "bring one there, with its .sha256"
  sum=$(cut -d' ' -f1 "$file.sha256")
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || stop "$file.sha256 holds no checksum" "bring it there"
  echo "placing $file"
  age -d -i "$AGE_IDENTITY" "$file" | on "$target" "$port" "$seconds" "sudo -n bash -c 'umask 077; mkdir -p $folder; cd $folder; cat >etcd-snapshot.part && echo \"$sum  etcd-snapshot.part\" | sha256sum -c --status - && mv etcd-snapshot.part etcd-snapshot && echo \"$sum  etcd-snapshot\" >etcd-snapshot.sha256 && sync etcd-snapshot etcd-snapshot.sha256 .'"
}
