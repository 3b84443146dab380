#!/usr/bin/env bash
# Asks this server's own API server with curl, as procedure §4.1 measures it: a kubectl for each question would take
# more time than the answers do. Sent after lib.sh.

# Not curl's own name, which would have the answers indented.
# By no proxy: sudo may be handed one by PAM (/etc/environment).
API_CURL=(curl -sS --noproxy '*' -A rke2-upgrade --max-time 8 --cacert "$RKE2_DATA/server/tls/server-ca.crt"
  --cert "$RKE2_DATA/server/tls/client-admin.crt" --key "$RKE2_DATA/server/tls/client-admin.key")

# api PATH [CURL OPTION…]: the body, then the HTTP status on a line of its own.
api() {
  local path=$1
  shift
  asked
  "${API_CURL[@]}" -w '\n%{http_code}' "$@" "https://127.0.0.1:6443$path" </dev/null 2>&1
}

# Questions for one connection: ask_all sends them together, in the order in which they were noted.
QUESTIONS=()
# question NAME PATH [optional]: a kind that the cluster does not know is an answer where it is optional.
question() { QUESTIONS+=("$1 ${3:-needed} $2"); }

# Prints name<TAB>answer for each question. What cannot be read is no empty list: then 1, what and why on stderr.
ask_all() {
  local urls=() question
  for question in "${QUESTIONS[@]}"; do urls+=("https://127.0.0.1:6443${question##* }"); done
  { "${API_CURL[@]}" -w '\n@%{http_code}\n' "${urls[@]}" </dev/null 2>&1 || true; } |
    awk -v questions="$(printf '%s\n' "${QUESTIONS[@]}")" -v who="$HERE: $STEP" '
      BEGIN { count = split(questions, question, "\n") }
      /^@[0-9][0-9][0-9]$/ {
        split(question[++i], asked, " ")
        code = substr($1, 2)
        if (code == 200) print asked[1] "\t" body
        else if (code != 404 || asked[2] != "optional") {
          why = body ? substr(body, 1, 200) : "no answer in 8 s"
          if (asked[1] == "ready") printf "%s: the API server here does not answer ready (HTTP %s: %s)\n", who, code, why > "/dev/stderr"
          else printf "%s: cannot read %s (HTTP %s: %s)\n", who, asked[3], code, why > "/dev/stderr"
          exit failed = 1
        }
        body = ""
        next
      }
      /./ { body = body $0 }
      END { if (!failed && i < count) { print who ": cannot ask the API server: " body > "/dev/stderr"; exit 1 } }'
}
