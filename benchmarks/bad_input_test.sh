#!/bin/bash
# What //benchmarks:train_step says of bad input: exit status 2 and one line, before anything is measured.
set -uo pipefail
train_step=$1
failures=0

# refuses EXPECTED-TEXT FLAGS...
refuses() {
  local expected=$1
  shift
  "$train_step" "$@" >"$TEST_TMPDIR/stdout" 2>"$TEST_TMPDIR/stderr"
  local status=$?
  if [[ $status != 2 || $(wc -l <"$TEST_TMPDIR/stderr") != 1 || -s $TEST_TMPDIR/stdout ]] ||
    ! grep -qF -- "$expected" "$TEST_TMPDIR/stderr"; then
    echo "FAILED: $*: status $status: $(cat "$TEST_TMPDIR/stdout" "$TEST_TMPDIR/stderr")"
    failures=$((failures + 1))
  fi
}

refuses "unknown name 'nope'" --model=nope
refuses 'batch: 0 is not in' --batch=0
refuses 'batch: 200000000 is not in' --model=vgg16 --batch=200000000
refuses 'rounds: 0 is not in' --rounds=0
refuses 'policies: name at least one' --policies=
refuses 'FP8' --policies=FP8
refuses 'threads is -1' --threads=-1
refuses 'nowhere/x.json' --json="$TEST_TMPDIR/nowhere/x.json"
# More than any machine has: refused by the system or by the plan.
refuses 'memory' --model=resnet110 --batch=1000000 --policies=FP32

((failures == 0))
