#!/bin/bash
# What experiments cost: README.md has the table that the program prints, and every experiment that trains is in it.
#
# usage: costs_test.sh EXPERIMENT...
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 1
}

table=$(LC_ALL=C.UTF-8 experiments/costs)
[[ $(< experiments/README.md) == *$'\n'"$table"$'\n'* ]] ||
  fail "experiments/README.md does not have the table of ./bazelw run //experiments:costs"

for experiment; do
  case $experiment in
    claims | table1) continue ;; # train nothing of their own
  esac
  grep -qF "| \`//experiments/$experiment\` |" <<< "$table" || fail "$experiment: its cost is not in costs.textproto"
done

# Bad input: status 2 and one line.
expect_error() {  # expect_error TEXT COSTS
  local status=0 message
  echo "$2" > "$TEST_TMPDIR/costs.textproto"
  message=$(experiments/costs --costs="$TEST_TMPDIR/costs.textproto" 2>&1 > /dev/null) || status=$?
  [[ $status == 2 && $message == *"$1"* && $message != *$'\n'* ]] || fail "$2: status $status, $message"
}
expect_error 'is there twice' 'targets { folder: "a" } targets { folder: "a" }'
expect_error 'no folder before it' 'targets { folder: "a" runs_of: "b" }'
expect_error 'needs core_hours' 'targets { folder: "a" lite { core_hours: 1 } }'
