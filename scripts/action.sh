#!/usr/bin/env bash
# What action.yml runs: the doctor, told by variables alone. Verdicts are outputs, since the findings are uploaded before the job fails.
set -euo pipefail

# Says which input it is, and never what stands in it: a line of that could be a command to the runner.
refuse() {
  echo "::error title=kubectl wi::the input $1 must be one of: $2"
  exit 2
}
one_of() {
  local name=$1 value=$2
  shift 2
  local word
  for word in "$@"; do if [[ $value == "$word" ]]; then return; fi; done
  refuse "$name" "$*"
}
args=(doctor -o sarif)
flag() { if [[ $2 == true ]]; then args+=("$1"); fi; }
value() { if [[ -n $2 ]]; then args+=("$1=$2"); fi; }
each() {
  local line
  while IFS= read -r line; do if [[ -n ${line// /} ]]; then args+=("$1$line"); fi; done <<<"$2"
}

one_of overlay "$WI_OVERLAY" true false
one_of all-namespaces "$WI_ALL_NAMESPACES" true false
one_of exchange "$WI_EXCHANGE" true false
one_of upload "$WI_UPLOAD" true false
one_of fail-on-inconclusive "$WI_FAIL_ON_INCONCLUSIVE" true false
one_of fail-on "$WI_FAIL_ON" error warning never
one_of cloud "$WI_CLOUD" '' aws gcp azure
one_of cloud-credentials "$WI_CLOUD_CREDENTIALS" default none

flag --overlay "$WI_OVERLAY"
flag --all-namespaces "$WI_ALL_NAMESPACES"
if [[ $WI_EXCHANGE == false ]]; then args+=(--no-exchange); fi
value --namespace "$WI_NAMESPACE"
value --context "$WI_CONTEXT"
value --cloud "$WI_CLOUD"
value --cloud-credentials "$WI_CLOUD_CREDENTIALS"
value --baseline "$WI_BASELINE"
value --fail-on "$WI_FAIL_ON"
each --check= "$WI_CHECK"
each --file= "$WI_FILES"
args+=(--)
each '' "$WI_TARGETS"

report=$RUNNER_TEMP/kubectl-wi.sarif
code=0
"$GITHUB_ACTION_PATH/bin/kubectl-wi" "${args[@]}" >"$report" || code=$?
fails=true
case $code in
0) verdict=healthy fails=false ;;
1) verdict=unhealthy ;;
3) verdict=inconclusive fails=$WI_FAIL_ON_INCONCLUSIVE ;;
*) exit "$code" ;;
esac
printf '%s\n' "exit-code=$code" "verdict=$verdict" "fails=$fails" "sarif-file=$report" >>"$GITHUB_OUTPUT"
