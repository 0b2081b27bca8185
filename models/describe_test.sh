#!/bin/bash
# What //models:describe prints of a small network, and what it says of bad input.
set -uo pipefail
describe=$1 layers=$2 dot=$3
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# refuses NAME EXPECTED-TEXT ARGUMENTS...
refuses() {
  local name=$1 expected=$2
  shift 2
  "$describe" "$@" >"$TEST_TMPDIR/stdout" 2>"$TEST_TMPDIR/stderr"
  local status=$?
  [[ $status == 2 ]] || fail "$name: exit status $status, not 2"
  [[ $(wc -l <"$TEST_TMPDIR/stderr") == 1 ]] || fail "$name: not one line: $(cat "$TEST_TMPDIR/stderr")"
  grep -qF -- "$expected" "$TEST_TMPDIR/stderr" || fail "$name: no '$expected' in: $(cat "$TEST_TMPDIR/stderr")"
  [[ ! -s $TEST_TMPDIR/stdout ]] || fail "$name: printed all the same"
}

"$describe" mlp >"$TEST_TMPDIR/mlp" || fail "mlp: exit status $?"
sed '/^Memory/,$d' "$TEST_TMPDIR/mlp" | diff -u "$layers" - || fail 'the layers of mlp'

# Bytes that follow from the 535,818 parameters, rounded up to cache lines; the rest is the backend's choice.
sed '1,/^Memory/d' "$TEST_TMPDIR/mlp" | awk '
  function near(a, b) { return a - b < 0.02 && b - a < 0.02 }
  NF != 7 || $1 == "policy" { next }
  { ++policies; total[$1] = $7 }
  !near($2 + $3 + $4 + $5 + $6, $7) { print "not the total: " $0; bad = 1 }
  $1 == "FP32" && !(near($4, 2.14) && near($5, 2.14) && near($6, 2.14)) { print "FP32: " $0; bad = 1 }
  $1 == "FP16" && !(near($4, 1.07) && near($5, 1.07) && near($6, 1.07)) { print "FP16: " $0; bad = 1 }
  $1 == "MP" && !(near($4, 3.21) && near($5, 1.07) && near($6, 2.14)) { print "MP: " $0; bad = 1 }
  END {
    if (policies != 6) { print policies " policies, not 6"; bad = 1 }
    if (!(total["FP16"] < 0.75 * total["FP32"])) { print "FP16 saves nothing"; bad = 1 }
    exit bad
  }' || fail 'the memory of mlp'

memory() { "$describe" mlp "$@" | awk '$1 == "FP32" { print $7 }'; }
awk "BEGIN { exit !($(memory --batch=32) < $(memory)) }" || fail 'a smaller batch takes no less memory'
awk "BEGIN { exit !($(memory --width=0.25) < $(memory)) }" || fail 'a narrower network takes no less memory'

"$describe" mlp --dot | diff -u "$dot" - || fail 'the drawing of mlp'

# Of the DOT grammar, what a drawing uses: every line is a node, an edge between nodes, or the frame.
"$describe" --dot resnet32 | awk '
  NR == 1 { if ($0 != "digraph network {") { print; bad = 1 } next }
  closed { print "after the end: " $0; bad = 1 }
  /^}$/ { closed = 1; next }
  /^  node \[[^"\]]*"[^"]*"\];$/ { next }
  /^  "[a-z0-9_]+" \[label="[^"]*"\];$/ { node[$1] = 1; next }
  /^  "[a-z0-9_]+" -> "[a-z0-9_]+" \[label="[^"]*"\];$/ {
    if (!($1 in node) || !($3 in node)) { print "no such node: " $0; bad = 1 }
    ++edges
    next
  }
  { print "not DOT: " $0; bad = 1 }
  END { exit bad || !closed || edges < 100 }' || fail 'the drawing of resnet32'

refuses 'unknown model' "unknown name 'resnet33'; use one of alexnet, vgg16" resnet33
refuses 'no model' '0 models; name one of alexnet'
refuses 'two models' '2 models' mlp vgg16
refuses 'batch 0' '--batch: 0 is not in' mlp --batch=0
refuses 'width 0' 'width: 0 is not in' mlp --width=0
refuses 'width that is no number' 'width' mlp --width=wide
refuses 'unknown flag' 'batsh' mlp --batsh=1

((failures == 0))
