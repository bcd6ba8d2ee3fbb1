#!/usr/bin/env bash
# What action.yml runs: one command of sipsync, its reports and its outputs. Inputs arrive as INPUT_… only, so that no
# text from a pull request is ever part of a script.
set -euo pipefail

PATH="$RUNNER_TEMP/sipsync/bin:$PATH"
reports="$RUNNER_TEMP/sipsync-reports"
plan="$reports/sipsync.plan.json"
mkdir -p "$reports"
read -rd '' -a paths <<<"$INPUT_PATHS" || true # several lines are one list; its end is no failure
# Files say which variables sipsync reads, and no file has a reason to name this one.
token=$GITHUB_TOKEN
unset GITHUB_TOKEN

output() { # NAME VALUE
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

fail() { # REASON CODE [TEXT]
  output failure_reason "$1"
  [[ -z ${3:-} ]] || printf '::error title=sipsync::%s\n' "$3"
  exit "$2"
}

fail_by_code() { # CODE OTHERWISE
  case $1 in
    4) fail partly-applied 4 ;;
    5) fail plan-changed 5 ;;
    6) fail safety-limit 6 ;;
    7) fail unhealthy 7 ;;
    64) fail wrong-usage 64 ;;
    130) fail interrupted 130 ;;
    *) fail "$2" "$1" ;;
  esac
}

plainly() { # COMMAND…: what it prints is text, even where a line's title looks like a command to the runner
  local end code=0
  end=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$end"
  "$@" || code=$?
  printf '::%s::\n' "$end"
  return "$code"
}

# The token is there for this one command: not in git's configuration, and not in arguments, which other processes read.
git_with_token() {
  GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=1 \
    GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader" \
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$token" | base64 | tr -d '\n')" \
    git "$@"
}

# What the target branch protects counts in a pull request, and a checkout has its merge commit only. Where the whole
# history was checked out, it stays whole.
fetch_target_branch() {
  local depth=(--depth=1)
  [[ -n ${GITHUB_BASE_REF:-} && -z ${SIPSYNC_TARGET_BRANCH:-} ]] || return 0
  [[ $(git rev-parse --is-shallow-repository) == true ]] || depth=()
  git_with_token fetch --quiet --no-tags "${depth[@]}" origin \
    "+refs/heads/$GITHUB_BASE_REF:refs/remotes/origin/$GITHUB_BASE_REF"
}

# A snapshot is pushed as its branch's only commit: a branch that holds anything else would be lost.
check_snapshot_branch() {
  case $INPUT_SNAPSHOT_BRANCH in
    '' | sipsync-*) ;;
    *) fail wrong-usage 64 "snapshot-branch must begin with sipsync-, as in sipsync-snapshot" ;;
  esac
}

fetch_snapshot() {
  git_with_token fetch --quiet --depth=1 origin "refs/heads/$INPUT_SNAPSHOT_BRANCH" &&
    git show FETCH_HEAD:snapshot.json >"$reports/snapshot.json"
}

publish_snapshot() { # as the branch's only commit: old states are of no use to anybody
  local blob tree commit
  blob=$(git hash-object -w "$reports/snapshot.json")
  tree=$(printf '100644 blob %s\tsnapshot.json\n' "$blob" | git mktree)
  commit=$(git -c user.name=sipsync -c user.email=sipsync@localhost commit-tree -m "Snapshot" "$tree")
  git_with_token push --quiet --force origin "$commit:refs/heads/$INPUT_SNAPSHOT_BRANCH"
}

# Plans, and reports the plan whatever came of it; the result is sipsync's exit code, 2 where something would change.
make_plan() {
  local options=() code=0
  sipsync validate --format github -- "${paths[@]}" || fail invalid $?
  fetch_target_branch || fail no-target-branch 1 "The branch $GITHUB_BASE_REF can't be fetched."
  [[ -z $INPUT_PORTAL ]] || options+=(--portal "$INPUT_PORTAL")
  if [[ -n $INPUT_SNAPSHOT_BRANCH ]]; then
    fetch_snapshot || fail no-snapshot 1 "No snapshot on $INPUT_SNAPSHOT_BRANCH: run the snapshot job once."
    options+=(--against "$reports/snapshot.json" --max-age "$INPUT_MAX_AGE")
  fi
  options+=(--report "json=$reports/plan.json" --report "text=$reports/plan.txt")
  output json_plan_path "$reports/plan.json"
  output text_plan_path "$reports/plan.txt"
  [[ $INPUT_COMMAND != drift ]] || options+=(--drift)
  plainly sipsync plan --github --detailed-exitcode --out "$plan" "${options[@]}" -- "${paths[@]}" || code=$?
  return "$code"
}

comment() { # a fork's token can't write comments: there the step's summary has to do
  if [[ $INPUT_COMMENT == true && -n $INPUT_PULL_REQUEST && $INPUT_FORK != true && -s $plan ]]; then
    GITHUB_TOKEN=$token sipsync comment --github "$plan"
  fi
}

apply() {
  local options=(--plan "$INPUT_PLAN_FILE" --yes --wait "$INPUT_WAIT" --report "markdown=$reports/apply.md") code=0
  [[ -z $INPUT_EXPECT_PLAN ]] || options+=(--expect-plan "$INPUT_EXPECT_PLAN")
  [[ -z $INPUT_EXPECT_CHANGES ]] || options+=(--expect-changes "$INPUT_EXPECT_CHANGES")
  plainly sipsync apply "${options[@]}" -- "${paths[@]}" || code=$?
  [[ ! -s $reports/apply.md ]] || cat "$reports/apply.md" >>"$GITHUB_STEP_SUMMARY"
  ((code == 0)) || fail_by_code "$code" apply-failed
}

check_snapshot_branch
code=0 comment_code=0
case $INPUT_COMMAND in
  plan)
    make_plan || code=$?
    comment || comment_code=$?
    ((code == 0 || code == 2)) || fail_by_code "$code" plan-failed
    ((comment_code == 0)) || fail comment-failed "$comment_code" "The plan is in the step's summary."
    ;;
  drift)
    make_plan || code=$?
    ((code != 2)) || fail drift 2 "The portal differs from the files; the step's summary shows how."
    ((code == 0)) || fail_by_code "$code" plan-failed
    ;;
  apply) apply ;;
  snapshot)
    sipsync snapshot --out "$reports/snapshot.json" -- "${paths[@]}" || fail_by_code $? plan-failed
    publish_snapshot
    ;;
  *) fail wrong-usage 64 "command is plan, apply, drift or snapshot" ;;
esac
