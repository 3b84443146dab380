#!/usr/bin/env bash
# Reads who came to this node with privileges, and on a server what was asked of its API server; changes nothing.
# Lines of key=value:
#   journalFrom=MICROSECONDS  of the oldest line that the journal still has
#   journal=JSON              a line of sshd, sudo, su or login, as journalctl has it
#   audit=PATH                the audit log; empty where the API server keeps none
#   auditLines=COUNT          how many requests of that time it has, whoever asked
#   audited=COUNT<TAB>USER<TAB>AGENT<TAB>VERB<TAB>RESOURCE<TAB>FIRST<TAB>LAST
#
# Usage: FROM UNTIL LINES ROLE   (after lib.sh)
#   FROM, UNTIL  whole seconds since 1970, by this node's clock
#   LINES        at most so many lines of the journal; one more is printed where there are more, the oldest left out
#   ROLE         server, or agent: no audit log
from=$1 until=$2 lines=$3 role=$4

oldest=$(journalctl --quiet --no-pager --output=json --output-fields=MESSAGE 2>/dev/null | head -n 1 || true)
echo "journalFrom=$(grep -o '"__REALTIME_TIMESTAMP":"[0-9]*' <<<"$oldest" | grep -o '[0-9]*$' || true)"

# sshd-session is OpenSSH's from 9.8 on. A process that has ended already has neither _COMM nor _EXE, and one that was called
# by another name has that in both but _EXE.
matches=()
for program in sshd sshd-session sudo su login; do
  matches+=("_COMM=$program" + "SYSLOG_IDENTIFIER=$program" + "_EXE=/usr/bin/$program" + "_EXE=/bin/$program" +)
done
timeout 40 journalctl --quiet --no-pager --output=json --output-fields=MESSAGE,_EXE,_UID,SYSLOG_IDENTIFIER \
  --since="@$from" --until="@$until" "${matches[@]:0:${#matches[@]}-1}" |
  { grep -E '"MESSAGE":(\[|"([^"]* : .*COMMAND=|Accepted |Failed |FAILED SU |pam_unix\((su|su-l|login):session\): session opened ))' || true; } |
  tail -n $((lines + 1)) | sed 's/^/journal=/' ||
  fail "the journal cannot be read within 40 s" "journalctl --since=@$from --until=@$until on this node"

[ "$role" = server ] || exit 0

# The running API server's own word; one that is down is taken to keep what RKE2 has it keep (rancher/rke2: CIS profile
# or audit-policy-file).
audit=$RKE2_DATA/server/logs/audit.log
if pid=$(pgrep -xo kube-apiserver); then audit=$(tr '\0' '\n' <"/proc/$pid/cmdline" | sed -n 's/^--audit-log-path=//p' | tail -n 1); fi
[ -e "$audit" ] || audit=
echo "audit=$audit"
[ -n "$audit" ] || exit 0

# Requests that changed something or went into a container, by whoever is no part of Kubernetes. Counted, so that no
# object is told; a line's fields stand in the order in which Kubernetes writes them. What was sent comes after them and is
# never looked into: it could hold fields of the same names.
# shellcheck disable=SC2016 # awk holds dollar signs
count='
function after(text, mark,  at) { at = index(text, mark); return at ? substr(text, at + length(mark)) : "" }
function before(text, mark,  at) { at = index(text, mark); return at ? substr(text, 1, at - 1) : text }
function of_cluster(name) { return name ~ /^system:/ && name !~ /^system:(admin|anonymous|unauthenticated)$/ }
function word(text) { match(text, /^([^"\\]|\\.)*/); return substr(text, 1, RLENGTH) }
{ head = before(before($0, "\"requestObject\":"), "\"responseObject\":") }
index(head, "\"stage\":\"ResponseComplete\"") {
  n = split($0, parts, "\"requestReceivedTimestamp\":\"")
  time = substr(parts[n], 1, 19)
  if (n < 2 || time < from || time >= until) next
  lines++
  verb = word(after(head, "\"verb\":\""))
  object = after(head, "\"objectRef\":{")
  object = substr(object, 1, index(object, "}"))
  resource = word(after(object, "\"resource\":\""))
  sub_resource = word(after(object, "\"subresource\":\""))
  if (sub_resource != "") resource = resource "/" sub_resource
  inside = resource ~ /\/(exec|attach|portforward|proxy)$/
  if (!inside && verb !~ /^(create|update|patch|delete|deletecollection)$/) next
  # Asking what one may do changes nothing.
  if (resource == "" || resource ~ /reviews$/) next
  if (after(after(head, "\"responseStatus\":{"), "\"code\":") + 0 >= 400) next
  who = before(head, "\"sourceIPs\":")
  user = word(after(who, "\"username\":\""))
  # Rancher asks in the name of its users. A person who asks in the name of another is told by their own.
  as = word(after(who, "\"impersonatedUser\":{\"username\":\""))
  if (as != "" && of_cluster(user)) user = as
  if (of_cluster(user)) next
  agent = word(after(head, "\"userAgent\":\""))
  sub(/[\/ ].*/, "", agent)
  key = user "\t" agent "\t" verb "\t" resource
  if (!(key in times) || time < first[key]) first[key] = time
  if (time > last[key]) last[key] = time
  times[key]++
}
END {
  print "auditLines=" lines + 0
  for (key in times) print "audited=" times[key] "\t" key "\t" first[key] "Z\t" last[key] "Z"
}'
name=${audit##*/}
{ find "${audit%/*}" -maxdepth 1 -type f -name "${name%.*}*" -newermt "@$from" -exec nice -n 19 timeout 60 zcat -f {} + ||
  fail "the audit log $audit cannot be read within 60 s" "look at its size"; } |
  nice -n 19 awk -v from="$(date -u -d "@$from" +%FT%T)" -v until="$(date -u -d "@$until" +%FT%T)" "$count"
# end of step
