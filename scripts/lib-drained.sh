#!/usr/bin/env bash
# What the drains of a node did in this change, kept on the server that is asked: a drain that stopped at a budget and was
# gone on with is one drain to the record. Sent before drain.sh.

# Where it is kept: a line a pod that kubectl said was evicted; a line a budget and try. keep_drained CHANGE NODE
keep_drained() {
  mkdir -p "$STATE/drained/$1"
  EVICTED=$STATE/drained/$1/$2.evicted HEADROOM=$STATE/drained/$1/$2.headroom
}

# One line a budget: namespace|name|disruptions allowed|nil where it selects nothing|its selector, "key Operator values;"
# each.
# shellcheck disable=SC2016 # Go templates hold dollar signs
budgets_table() {
  kube "$API" get pdb -A -o go-template='{{range .items}}{{.metadata.namespace}}|{{.metadata.name}}|{{.status.disruptionsAllowed}}|{{printf "%v" .spec.selector | eq "<nil>" | printf "%v"}}|{{if .spec.selector}}{{range $k, $v := .spec.selector.matchLabels}}{{$k}} In {{$v}};{{end}}{{range .spec.selector.matchExpressions}}{{.key}} {{.operator}} {{range $i, $v := .values}}{{if $i}},{{end}}{{$v}}{{end}};{{end}}{{end}}{{"\n"}}{{end}}'
}

# Of budgets_table's budgets, those that guard one of the pods: "allowed namespace/name" each.
# guarding BUDGETS PODS: PODS a line each, namespace/name|labels, "key=value," each
guarding() {
  awk -F'|' '
    function fits(selector, own,   n, i, want, word, values, m, j, inside) {
      n = split(selector, want, ";")
      for (i = 1; i < n; i++) {
        split(want[i], word, " ")
        inside = 0
        m = split(word[3], values, ",")
        for (j = 1; j <= m; j++) if (index("," own, "," word[1] "=" values[j] ",")) inside = 1
        # A value may be empty.
        if (m == 0 && word[2] ~ /In$/ && index("," own, "," word[1] "=,")) inside = 1
        if (word[2] == "In" && !inside) return 0
        if (word[2] == "NotIn" && inside) return 0
        if (word[2] == "Exists" && !index("," own, "," word[1] "=")) return 0
        if (word[2] == "DoesNotExist" && index("," own, "," word[1] "=")) return 0
      }
      return 1
    }
    NF == 5 { if ($4 != "true") { budget[++count] = $0 } next }
    NF == 2 {
      for (i = 1; i <= count; i++) {
        split(budget[i], b, "|")
        if (!told[i] && index($1, b[1] "/") == 1 && fits(b[5], $2)) { told[i] = 1; print b[3], b[1] "/" b[2] }
      }
    }' <<<"$1
$2"
}

# Keeps how many disruptions the budgets allowed that guard these pods, as a drain begins; what cannot be read is not
# measured, and no reason to stop. keep_headroom PODS
keep_headroom() {
  local budgets
  if budgets=$(budgets_table) && [[ $budgets != *"<no value>"* ]]; then guarding "$budgets" "$1" >>"$HEADROOM"; else say "the budgets' headroom is not measured"; fi
}

# Ends the step with what all tries did, and the tightest budget that any of them found. What was not kept is left out.
result_drained() {
  local evicted=() room=() allowed budget
  if [ -e "$EVICTED" ]; then evicted=(evicted "$(grep -c '^pod/.* evicted$' "$EVICTED" || true)"); fi
  if [ -e "$HEADROOM" ]; then
    room=(budgets "$(cut -d' ' -f2 "$HEADROOM" | sort -u | grep -c . || true)")
    read -r allowed budget < <(sort -n "$HEADROOM") && room+=(headroom "$allowed" budget "$budget")
  fi
  result "${evicted[@]}" "${room[@]}"
}
