#!/bin/bash
# //experiments/recorded:record writes nothing from a source tree with changes that are not committed.
set -uo pipefail
record=$1
export BUILD_WORKSPACE_DIRECTORY=$TEST_TMPDIR/tree HOME=$TEST_TMPDIR GIT_CONFIG_NOSYSTEM=1
failures=0

# expect TEXT FLAGS...: exit code 2 and one line that has TEXT.
expect() {
  local text=$1 error status
  shift
  error=$("$record" "$@" 2>&1 >/dev/null)
  status=$?
  if [[ $status != 2 || $error != *"$text"* || $error == *$'\n'* ]]; then
    echo "FAILED: exit code $status, not 2 with '$text': $error"
    failures=$((failures + 1))
  fi
}

tree_git() {
  git -C "$BUILD_WORKSPACE_DIRECTORY" -c user.name=test -c user.email=test@example.org "$@"
}

mkdir -p "$BUILD_WORKSPACE_DIRECTORY/experiments/recorded"
echo source >"$BUILD_WORKSPACE_DIRECTORY/source.cc"
echo record >"$BUILD_WORKSPACE_DIRECTORY/experiments/recorded/run.textproto"
tree_git init -q && tree_git add . && tree_git commit -qm sources || exit 1

# As committed: it goes as far as its flags. So it does with another record.
expect '--commit, --date, --machine and --out are needed'
echo 'another record' >"$BUILD_WORKSPACE_DIRECTORY/experiments/recorded/run.textproto"
expect '--commit, --date, --machine and --out are needed'

echo changed >"$BUILD_WORKSPACE_DIRECTORY/source.cc"
expect 'has changes that are not committed'
"$record" --help | grep -q -- --commit || { echo 'FAILED: no help' && failures=$((failures + 1)); }
tree_git commit -qam change
expect '--commit, --date, --machine and --out are needed'

rm -rf "$BUILD_WORKSPACE_DIRECTORY/.git"
GIT_CEILING_DIRECTORIES=$TEST_TMPDIR expect 'has changes that are not committed'
exit $((failures > 0))
