#!/bin/bash
# chart.py gives equal bytes for equal inputs, a picture that can stand in a page, and one line for a wrong input.
set -euo pipefail

marker=$1 svg=$2 png=$3 data=$4
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$marker")
out=$TEST_TMPDIR

draw() {  # draw SPEC
  python3 reports/chart.py --spec="$1" --data="$data" --theme=reports/chart_theme.json \
    --svg="$out/chart.svg" --png="$out/chart.png"
}

fail() {
  echo "$1" >&2
  exit 1
}

draw reports/testdata/histogram.vl.json
cmp "$svg" "$out/chart.svg" || fail "the SVG is not the same when it is drawn again"
cmp "$png" "$out/chart.png" || fail "the PNG is not the same when it is drawn again"

grep -q 'currentColor' "$svg" || fail "the SVG does not take the page's colour"
[[ $(grep -o '<path' "$svg" | wc -l) -ge 80 ]] || fail "the bars are missing"
if grep -o '\bid="[^"]*"' "$svg" | grep -v 'id="histogram-'; then
  fail "an id does not begin with the figure's name"
fi

titles=$(grep -o '<title>[^<]*</title>' "$svg")
[[ $(head -n 1 <<<"$titles") == '<title>&lt;of&gt;: error; samples: 5</title>' ]] || fail "the hover value: $titles"
[[ $(wc -l <<<"$titles") -ge 80 ]] || fail "not every bar has a hover value"

sed '/"tooltip"/,/\]/d; s/"top"}},/"top"}}/' reports/testdata/histogram.vl.json > "$out/plain.vl.json"
draw "$out/plain.vl.json"
grep -q '<title>' "$out/chart.svg" && fail "a hover value that was not asked for"

sed 's/{"field": "absent"}/{"aggregate": "count"}/' reports/testdata/histogram.vl.json > "$out/wrong.vl.json"
status=0
message=$(draw "$out/wrong.vl.json" 2>&1) || status=$?
[[ $status == 2 && $message == *'tooltip'*'aggregate'* && $message != *$'\n'* ]] ||
  fail "a wrong tooltip: status $status, $message"

sed 's/"name": "bins"/"name": "bans"/' reports/testdata/histogram.vl.json > "$out/wrong.vl.json"
status=0
message=$(draw "$out/wrong.vl.json" 2>&1) || status=$?
[[ $status == 2 && $message == *'no data set "bans"; it has: bins' && $message != *$'\n'* ]] ||
  fail "a wrong data set: status $status, $message"
