#!/bin/bash
# The programs of this folder: exit statuses, one line for a bad input, nothing half-written, golden values there and back.
set -euo pipefail

cd reports
report=testdata/report.textproto
out=$TEST_TMPDIR

fail() {
  echo "$1" >&2
  exit 1
}

expect() {  # expect STATUS TEXT COMMAND...: the exit status, and one line of error with the text in it
  local want=$1 text=$2 status=0 error
  shift 2
  error=$("$@" 2>&1 > /dev/null) || status=$?
  [[ $status == "$want" && $error == *"$text"* && $error != *$'\n'* ]] || fail "$*: status $status, error: $error"
}

# A page in a file, the same when written again.
page=(./render --report=$report --format=html --chart=histogram=fixture_chart.svg --commit=abc1234)
"${page[@]}" --out="$out/a.html"
"${page[@]}" > "$out/b.html"
cmp "$out/a.html" "$out/b.html" || fail "the page is not the same when it is written again"
grep -q 'abc1234' "$out/a.html" || fail "the commit is missing"
grep -q '<svg' "$out/a.html" || fail "the chart is missing"

# Colour.
./render --report=$report > "$out/plain" || fail "the report is not printed"
grep -q $'\033' "$out/plain" && fail "colour although the output is no terminal"
./render --report=$report --color=always > "$out/coloured" || fail "the report is not printed in colour"
grep -q $'\033' "$out/coloured" || fail "no colour although it was asked for"

# Bad input.
expect 2 '--report is needed' ./render
expect 2 'nowhere.pb' ./render --report="$out/nowhere.pb"
expect 2 '--format=pdf' ./render --report=$report --format=pdf
expect 2 '--color=blue' ./render --report=$report --color=blue
expect 2 '--chart=fig9=a.svg' ./render --report=$report --format=html --chart=fig9=a.svg
expect 2 'not an SVG' ./render --report=$report --format=html --chart=histogram=$report
expect 2 'nowhere/a.html' ./render --report=$report --format=html --out="$out/nowhere/a.html"
sed 's/^title:/titel:/' $report > "$out/wrong.textproto"
expect 2 'titel' ./render --report="$out/wrong.textproto" --out="$out/none.txt"
[[ ! -e $out/none.txt ]] || fail "a page was written from a wrong report"

# Golden values: none at first, then written, then equal, then one digit changed.
golden=$out/golden.textproto
cp testdata/golden.textproto "$golden"
chmod u+w "$golden"
files=(--golden="$golden" --report=$report)
expect 2 'none at scale lite' ./compare_golden "${files[@]}"
expect 2 '--reason is needed' ./update_golden "${files[@]}"
cmp testdata/golden.textproto "$golden" || fail "the golden file was changed without a reason"
./update_golden "${files[@]}" --reason='first values' --commit=abc1234
grep -q 'reason: "first values"' "$golden" || fail "the reason is missing"
head -n 4 testdata/golden.textproto | cmp - <(head -n 4 "$golden") || fail "the first comment was lost"
expect 0 '' ./compare_golden "${files[@]}"
sed -i 's/mean: "0x1.e59999999999ap+6"/mean: "0x1.e59999999999bp+6"/' "$golden"
expect 1 'report: ratio mean: golden 0x1.e59999999999bp+6, measured 0x1.e59999999999ap+6' \
  ./compare_golden "${files[@]}"

# Of another toolkit: said, and no failure.
sed 's/^provenance {/& toolkit: "none"/' $report > "$out/no_toolkit.textproto"
sed -i 's/reason: "first values"/& toolkit: "ptxas 13.0.88"/' "$golden"
[[ $(./compare_golden --golden="$golden" --report="$out/no_toolkit.textproto") == "not compared: "*"none" ]] ||
  fail "golden values of another toolkit were compared"

# A change that no commit has is told apart: refused, but in what tests are held to.
expect 2 'no commit has' ./update_golden "${files[@]}" --reason='more' --commit=abc1234-dirty
expect 2 'either --report or --runs' ./compare_golden "${files[@]}" --runs=a.pb
