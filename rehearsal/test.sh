#!/usr/bin/env bash
# Runs every test there is, in order of cost: linters, unit, Go, contract, and
# last the end-to-end ones on a rehearsal that is brought up and ended here.
# The last line is "N passed, N failed", over all of them.
# usage: test.sh [lint|unit|go|contract|e2e|stories|waves]... (through run.sh, which sets PATH; default: all but the last two)
# The stories (test/stories: the checks, the record, operators …) take a fresh lab each, and together more
# than an hour. waves is the story that has a lab of its own, with eight agents.
set -euo pipefail

# What the runners print is counted below, which colours would hide.
export FORCE_COLOR=0
# The program refuses one, also where a test runs it.
unset SSH_AUTH_SOCK

readonly log="${TMPDIR:-/tmp}/rke2-upgrade-test.$$.log"
passed=0
failed=0

cli() { node --require ts-node/register/transpile-only rehearsal/cli/main.ts "$@"; }

# Adds what a runner counted; one that failed without counting a failure is one.
add() {
  local status=$1 ok=$2 bad=$3
  ((status == 0 || bad > 0)) || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
}

# Runs a phase and shows its output and time.
run() {
  local name=$1 from=$SECONDS
  shift
  echo "== $name"
  set +e
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  set -e
  echo "== $name: $((SECONDS - from)) s"
}

count() { grep -oE "^ +[0-9]+ $1" "$log" | awk '{ sum += $1 } END { print sum + 0 }'; }

mocha_phase() {
  run "$@"
  add "$status" "$(count passing)" "$(count failing)"
}

# Top-level tests of every Go module.
go_tests() {
  local module directory result=0
  export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
  while IFS= read -r module; do
    directory=$(dirname "$module")
    [[ -n $(git ls-files "$directory/*.go") ]] || continue
    local versions=("$directory"/v*.mod) modfile=-mod=readonly
    [[ ! -e ${versions[-1]} ]] || modfile="-modfile=$(basename "${versions[-1]}")"
    # As in lint.sh, which also vets.
    local packages=(./...)
    [[ $directory != rehearsal/kubernetes ]] || packages=(./cri ./crictl ./node)
    (cd "$directory" && go test -vet=off -v "$modfile" "${packages[@]}") | { grep -E '^(---|FAIL|ok|panic)|^ +[a-z_]+\.go:' || true; }
    ((PIPESTATUS[0] == 0)) || result=1
  done < <(git ls-files '*go.mod')
  return "$result"
}

finish() {
  rm -f "$log"
  [[ -z ${up:-} ]] || cli down
}
trap finish EXIT
trap 'exit 130' INT TERM

phases=("$@")
((${#phases[@]})) || phases=(lint unit go contract e2e)

for phase in "${phases[@]}"; do
  case $phase in
    lint)
      run lint bash rehearsal/lint.sh
      add "$status" "$((status == 0))" 0
      ;;
    unit)
      mapfile -t files < <(git ls-files 'test/*.test.ts' 'test/**/*.test.ts' | grep -vE '^test/(e2e|contract|stories)/' | sort -ru)
      # A file's tests mostly wait or start processes; each file has a process that no other is in at the time.
      mocha_phase unit mocha --parallel --jobs "$(nproc)" "${files[@]}"
      ;;
    go)
      run go go_tests
      add "$status" "$(grep -c '^--- PASS' "$log" || true)" "$(grep -c '^--- FAIL' "$log" || true)"
      ;;
    contract)
      run toolchain bash rehearsal/toolchain/build.sh
      PATH="$(tail -1 "$log"):$PATH" mocha_phase contract mocha --timeout 120000 'test/contract/**/*.test.ts'
      ;;
    e2e | stories | waves)
      up=yes
      mapfile -t files < <(git ls-files "test/$phase/*.test.ts" | grep -v '/waves.test.ts$')
      stack=Pulumi.lab.yaml
      if [[ $phase == waves ]]; then
        files=(test/stories/waves.test.ts) stack=rehearsal/stacks/Pulumi.waves.yaml
      fi
      # One that is up is as somebody left it.
      run "rehearsal up" cli up --fresh --stack-file "$stack"
      ((status == 0)) || { add 1 0 0; break; }
      # Each file begins on the same lab.
      cli checkpoint fresh
      for file in "${files[@]}"; do
        [[ $file == "${files[0]}" ]] || cli restore fresh
        mocha_phase "$file" mocha --timeout 1800000 "$file"
      done
      ;;
    *)
      echo "test.sh: no phase $phase: there are lint, unit, go, contract, e2e, stories, waves" >&2
      exit 2
      ;;
  esac
done

echo "$passed passed, $failed failed"
((failed == 0))
