#!/usr/bin/env bash
# Scans this node with kube-bench (procedure §5.1), and compares what fails with what failed before the change.
#
# Usage: WHEN ROLE CHANGE WANTED ACCEPTED SOURCE SHA256 CA BENCHMARK [ID…]   (after lib.sh, lib-fetch.sh and lib-scanner.sh)
#   WHEN       before: kept once a change, and never of a node that runs WANTED already; where that is ACCEPTED, a round
#              of OS patches, never of one that was patched already;
#              turn, after, accept: compared with that; accept is asked before the way back is let go, and stops where
#              CHANGE has touched this node and there is nothing to compare
#   CHANGE     the ID under which the change began: what is kept of it bears that
#   SOURCE     the URL of kube-bench's release archive, whose SHA256 this is; or its image, HOST/NAME@sha256:SHA256
#   CA         certificates that vouch for the URL's server, as PEM text; "" = the system's own
#   BENCHMARK  a folder of cfg/
#   ID         numbers of checks that may fail newly: the config has a reason for each
# Leaves kube-bench's own JSON in $STATE/scan/CHANGE/WHEN.json. Prints each check's status as one JSON object, then its
# result line.
when=$1 role=$2 change=$3 wanted=$4 accepted=$5 source=$6 sha256=$7 ca=$8 benchmark=$9
shift 9
acknowledged=" $* "
folder=$STATE/scan/$change
tool=$STATE/scan/kube-bench-$sha256
case $role in
server) targets=master,etcd,controlplane,node ;;
*) targets=node ;;
esac

# The status of each check, a line each: NUMBER STATUS. Texts in the JSON have their quotes escaped. statuses FILE
statuses() {
  grep -o '"\(test_number\|status\)": *"[^"]*"' "$1" |
    awk -F'"' '$2 == "test_number" { id = $4 } $2 == "status" && id != "" { print id, $4; id = "" }' | sort -uV
}

# What the check asks, in kube-bench's words. name_of NUMBER FILE
name_of() { grep -o "\"test_number\": *\"$1\", *\"test_desc\": *\"[^\"]*" "$2" | head -n 1 | sed 's/.*"//'; }

# profile in RKE2's config, which a hardened node has; the last one counts, as for RKE2.
profile() {
  local files
  mapfile -t files < <(config_files)
  # In quotes or none (\x27 is the single one).
  sed -nE 's/^[\x27"]?profile[\x27"]?[[:space:]]*:[[:space:]]*[\x27"]?([A-Za-z0-9.-]*).*/\1/p' "${files[@]}" </dev/null | tail -n 1
}

# count STATUS FILE
count() { awk -v wanted="$1" '$2 == wanted { n++ } END { print n + 0 }' "$2"; }
# failing FILE: the numbers of what fails, on one line
failing() { awk '$2 == "FAIL" { printf "%s%s", gap, $1; gap = " " }' "$1"; }

# tell FILE [KEY VALUE…]: what was found, each check and then the result line.
tell() {
  local file=$1
  shift
  awk 'BEGIN { printf "{\"checks\":{" } { printf "%s\"%s\":\"%s\"", gap, $1, $2; gap = "," } END { print "}}" }' "$file"
  result pass "$(count PASS "$file")" fail "$(count FAIL "$file")" warn "$(count WARN "$file")" info "$(count INFO "$file")" \
    failed "$(failing "$file")" benchmark "$benchmark" profile "$(profile)" "$@"
}

# Whether this change has touched this node.
touched() {
  if [ "$wanted" = "$accepted" ]; then [ -e "$STATE/os/$change/before" ]; else [ "$(version_on_disk || true)" = "$wanted" ]; fi
}

# A number is another check in another benchmark or release. What an earlier checkout kept does not say what found it.
scanner="$benchmark $sha256"
if [ -e "$folder/before" ]; then
  was=$(cat "$folder/before.scanner" 2>/dev/null || echo "$scanner")
  if [ "$was" != "$scanner" ]; then
    if [ "$when" != before ] || touched; then
      fail "before the change this node was scanned with ${was% *} of the kube-bench whose SHA-256 is ${was#* }, and now $benchmark of $sha256 is asked for: their checks cannot be compared" \
        "put scan.benchmark and kube-bench's archive or image back as they were, and run pulumi up again; set others once this change is accepted"
    fi
    say "nothing was touched yet: scanned anew, with $benchmark in place of ${was% *}"
    rm "$folder/before"
  fi
fi
if [ "$when" = before ]; then
  if [ -e "$folder/before" ]; then
    say "kept before"
    tell "$folder/before"
    exit 0
  fi
  if touched; then
    say "this node is on $wanted, or patched: there is no before to scan any more. Acceptance will stop here and say what to do"
    result kept false
    exit 0
  fi
fi
provide_scanner "$source" "$sha256" "$ca" "$tool"
[ -d "$tool/cfg/$benchmark" ] ||
  fail "this kube-bench has no benchmark $benchmark" "set scan.benchmark to one of: $(cd "$tool/cfg" && printf '%s ' rke2-cis-*)"
mkdir -p "$folder"
PATH=$PATH:$RKE2_DATA/bin "$tool/kube-bench" run --config-dir "$tool/cfg" --config "$tool/cfg/config.yaml" \
  --benchmark "$benchmark" --targets "$targets" --json </dev/null >"$folder/$when.json.part" 2>"$folder/kube-bench.err" ||
  fail "kube-bench ended with $?: $(tail -n 3 "$folder/kube-bench.err" "$folder/$when.json.part" | tr '\n' ' ')" "run it on this node by hand: $tool/kube-bench run --config-dir $tool/cfg --benchmark $benchmark --targets $targets"
mv "$folder/$when.json.part" "$folder/$when.json"
statuses "$folder/$when.json" >"$folder/$when.part" || true
[ -s "$folder/$when.part" ] || fail "kube-bench told no result" "read $folder/$when.json and $folder/kube-bench.err on this node"
profile >"$folder/$when.profile"
echo "$scanner" >"$folder/$when.scanner"
# The list comes last: where it is, all of the scan is.
mv "$folder/$when.part" "$folder/$when"
sync "$folder"
if [ "$when" = before ]; then
  tell "$folder/$when"
  exit 0
fi
if [ ! -e "$folder/before" ]; then
  # Both marks of a turn go with the way back: without them there is nothing to hold on to.
  if [ "$when" = accept ] && { [ -e "$STATE/backup/$change/complete" ] || [ -e "$STATE/os/$change/before" ]; }; then
    fail "there is no scan of this node from before $change, as where scan was set while it was under way: nothing to compare with, and its way back is still there" \
      "judge what fails here by hand ($folder/$when.json on this node: $(failing "$folder/$when")); where that is good, accept without scans: take scan out of the config, run pulumi up, and put it back after"
  fi
  say "compared with nothing: there is no scan of this node from before $change"
  tell "$folder/$when"
  exit 0
fi

before_profile=$(cat "$folder/before.profile")
[ -z "$before_profile" ] || [ "$(profile)" = "$before_profile" ] ||
  fail "RKE2's profile was $before_profile before the change and is $(profile | grep . || echo unset) now" "write 'profile: $before_profile' into /etc/rancher/rke2/config.yaml again and restart rke2-$role, then run pulumi up again"
mapfile -t new < <(awk 'NR == FNR { was[$1] = $2; next } $2 == "FAIL" && was[$1] != "FAIL" { print $1 }' "$folder/before" "$folder/$when")
open=() names=""
for id in "${new[@]}"; do
  if [[ $acknowledged == *" $id "* ]]; then
    say "fails newly, acknowledged: $id $(name_of "$id" "$folder/$when.json")"
  else
    open+=("$id")
    names="$names; $id $(name_of "$id" "$folder/$when.json")"
  fi
done
[ ${#open[@]} -eq 0 ] ||
  fail "the scan has new failures since before the change: ${names#; }" "mend them on this node (what to do stands in $folder/$when.json) and run pulumi up again; or take each on: pulumi config set --path 'rke2-upgrade:scan.acknowledged[$#].id' ${open[0]}, and .reason likewise"
tell "$folder/$when" new "${new[*]:-}"
# end of step
