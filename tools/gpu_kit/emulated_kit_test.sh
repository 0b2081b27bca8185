#!/bin/bash
# The kit with the real programs, which run on the emulator: what they print is read as it should be, the time ends
# them, and a training comes back and goes on.
# usage: emulated_kit_test.sh EMULATED_KIT.tar.gz
set -euo pipefail
unset XML_OUTPUT_FILE TEST_PREMATURE_EXIT_FILE  # of this test, not of those that it runs

tar xf "$1" -C "$TEST_TMPDIR"
cd "$TEST_TMPDIR"
kit=emulated_kit/run_kit

fail() {
  echo "FAILED: $*" >&2
  cat kit_report/report.txt >&2 || true
  tail -n 3 kit_report/logs/*.log >&2 || true
  exit 1
}
# says FILE TEXT: an extended regular expression.
says() {
  grep -qE -- "$2" "$1" || fail "'$2' is not in $1"
}

status=0
REPRO16_STAND_IN=driver_version=0 $kit --backend=cuda_emulated --run=mlp 2>stderr || status=$?
[[ $status == 2 && $(wc -l <stderr) == 1 && ! -e kit_report ]] || fail "without a driver: $status, $(cat stderr)"
says stderr '^run_kit: no GPU can be used: there is no NVIDIA driver'

$kit --backend=cuda_emulated --minutes=0.7 --run=mlp || fail "exit code $?"
says kit_report/report.txt 'device: .*CUDA 13.0'
says kit_report/report.txt 'operations .* [1-9][0-9]* of [1-9][0-9]* passed'
says kit_report/report.txt 'networks .* [0-9]+ of [1-9][0-9]* passed'
says kit_report/report.txt 'mlp +FP32 +[0-9.]+ +[0-9.]+ +[0-9]+% +not measured'
says kit_report/report.txt '[0-9]+ of 5 epochs; test accuracy'

# A training goes on to the result of the one that nobody stopped.
$kit --backend=cuda_emulated --parts=training --run=mlp --out=whole || fail "exit code $?"
mkdir -p begun/training
cp whole/training/spec.textproto begun/training
emulated_kit/bin/train --spec=begun/training/spec.textproto --checkpoint=begun/training/run.checkpoint \
  --stop_after_epoch=2
$kit --backend=cuda_emulated --parts=training --run=mlp --resume=begun --out=resumed || fail "exit code $?"
says resumed/report.txt '5 of 5 epochs; test accuracy'
cmp whole/training/result.pb resumed/training/result.pb || fail "another result"
echo "passed"
