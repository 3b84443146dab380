#!/usr/bin/env bash
# What the steps of a way back share. Sent after lib.sh and lib-hold.sh; see envelope.sh.
# shellcheck disable=SC2034 # RESTORED and ASIDE are read by the steps
#
# What is destroyed is destroyed once an attempt, and the state of a node often cannot tell whether that was done: so
# each node keeps, in a folder of the change and the attempt, the names of what it has done.

# Opens this attempt's folder. begin_attempt CHANGE ATTEMPT
begin_attempt() {
  DIR=$STATE/back/$1-$2
  mkdir -p "$DIR"
}

# was_done NAME; now_done NAME
was_done() { [ -e "$DIR/$1" ]; }
now_done() {
  date -u +%FT%TZ >"$DIR/$1.part"
  mv "$DIR/$1.part" "$DIR/$1"
  sync "$DIR"
}

# Ends every container of RKE2's on this node: they outlive the service by design (rancher/rke2#963). A torn install
# may lack the script; the install step that follows brings it and asks again.
kill_containers() {
  local file
  for file in /usr/local/bin/rke2-killall.sh /opt/rke2/bin/rke2-killall.sh; do
    if [ -x "$file" ]; then
      timeout 120 "$file" </dev/null >"$STATE/killall.log" 2>&1 || say "$file ended with $?: $(tail -n 1 "$STATE/killall.log" | cut -c -200)"
      return 0
    fi
  done
  say "no rke2-killall.sh here yet"
}

# Moves this server's etcd data aside: what lies in server/db, not the folder, which may be the mount of a disk of its own
# (rancher/rke2#6571), and into it, since a move within one file system is whole or not at all. Killed half-way and run
# again it moves the rest. A mount in there stays where it is: etcd's own is refused before (lib-layout.sh).
# move_data_aside NAME: sets ASIDE
move_data_aside() {
  local db=$RKE2_DATA/server/db
  ASIDE=$db/rke2-upgrade-$1
  if [ ! -e "$db" ]; then return 0; fi
  mkdir -p "$ASIDE"
  find "$db/" -mindepth 1 -maxdepth 1 ! -name 'rke2-upgrade-*' ! -name lost+found ! -exec mountpoint -q {} \; -exec mv -t "$ASIDE" -- {} +
  sync
}

# Whether etcd's data here is that of a member which the cluster of the server at ADDRESS no longer has: a learner that stalls
# for five minutes is removed (k3s, learnerMaxStallTime), and its data never joins again (k3s-io/k3s#2399). RKE2 has a member
# added before its etcd writes anything. Asked by the members' own port, for etcd here is not up; by address too: a member
# has no name until it has started. What cannot be told is none. was_evicted ADDRESS
was_evicted() {
  local etcd=$RKE2_DATA/server/db/etcd own name members
  [ -d "$etcd/member/wal" ] || return 1
  own=$(sed -nE "s/^advertise-client-urls: *[\"']?(https:[^\"',]*):2379.*/\1:2380/p" "$etcd/config" 2>/dev/null || true)
  name=$(cat "$etcd/name" 2>/dev/null || true)
  members=$(etcd_peer_ask "https://$1:2380/members") || return 1
  [ -n "$name" ] && [[ ! $own =~ ^(|https://127\..*)$ ]] && [[ $members == *'"id":'* ]] && [[ $members != *"\"$name\""* ]] && [[ $members != *"\"$own\""* ]]
}

# write_join URL: "" keeps a server from joining anybody, which --cluster-reset demands (rancher/rke2#3178).
# Who joins with no etcd data needs the token in its config ("RKE2_TOKEN is required to join a cluster", k3s's
# shouldBootstrapLoad). That of the server that founded the cluster mostly has none: RKE2 made one up, in server/token.
write_join() {
  local token="" named configs last
  # In another file than ours, that of an earlier try. Ours is never away meanwhile: a founder would found anew.
  named=$(config_files | grep -vxF "$JOIN_DROPIN" | xargs -r grep -lE '^"?token(-file)?"?:' || true)
  if [ -n "$1" ] && [ -z "$named" ]; then token="token-file: $RKE2_DATA/server/token"; fi
  mkdir -p "${JOIN_DROPIN%/*}"
  printf '# by rke2-upgrade, while this server comes back: removed when it has\nserver: "%s"\n%s\n' "$1" "$token" >"$JOIN_DROPIN.part"
  mv "$JOIN_DROPIN.part" "$JOIN_DROPIN"
  mapfile -t configs < <(config_files)
  last=$(grep -lE "^[\"']?server[\"']?[[:space:]]*:" "${configs[@]}" </dev/null | tail -n 1)
  [ "$last" = "$JOIN_DROPIN" ] ||
    fail "$last says which server to join, and RKE2 reads it after ours" "rename it so that it sorts before ${JOIN_DROPIN##*/}, then run pulumi up again"
}
remove_join() { rm -f "$JOIN_DROPIN" "$JOIN_DROPIN.part"; }

# Puts the configuration back as backup-config.sh kept it, once an attempt. What is there is kept in the attempt's
# folder. Not to be asked in an if: errors must end the step. put_config_back CHANGE: sets RESTORED
RESTORED=false
put_config_back() {
  local kept=$STATE/backup/$1 aside=$DIR/replaced path
  if was_done configured || ! [ -e "$kept/complete" ]; then return 0; fi
  # See lib-left.sh: this is no change by hand.
  rm -f "$STATE/left"
  # The folders go back whole: a manifest that the newer release brought would be deployed by the older one too.
  for path in etc/rancher/rke2/config.yaml etc/rancher/rke2/registries.yaml etc/rancher/rke2/config.yaml.d var/lib/rancher/rke2/server/manifests; do
    # Killed half-way and run again, the first copy is the one that counts.
    if [ -e "/$path" ] && ! [ -e "$aside/$path" ]; then
      mkdir -p "$aside/${path%/*}"
      cp -a "/$path" "$aside/$path.part"
      mv "$aside/$path.part" "$aside/$path"
    fi
    if [ -e "$kept/$path" ]; then
      rm -rf "/$path.rke2-upgrade"
      cp -a "$kept/$path" "/$path.rke2-upgrade"
      rm -rf "/${path:?}"
      mv "/$path.rke2-upgrade" "/$path"
    else
      rm -rf "/${path:?}"
    fi
  done
  now_done configured
  RESTORED=true
}
