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

# The data beside the page: as a program reads it, numbers with all their digits.
mkdir "$out/data"
./render --report=$report --format=data --out="$out/data"
python3 - "$out/data" << 'END' || fail "the data cannot be read"
import csv, json, sys
folder = sys.argv[1] + "/test_accuracy_after_the_last_epoch_all_policies"
rows = list(csv.DictReader(open(folder + ".csv", encoding="utf-8", newline="")))
assert [row["Network"] for row in rows] == ["AlexNet", "MobileNetV2"], rows
assert rows[0]["FP16 (%)"] == "75.8" and rows[0]["FP16 (%) paper"] == "76", rows[0]
assert rows[1]["FP16 - FP32 (points) note"] == "[-4.9, -2.9], margin ±0.9", rows[1]
objects = json.load(open(folder + ".json", encoding="utf-8"))
assert objects[1]["FP16 - FP32 (points)"] == -3.9, objects[1]
assert objects[1]["FP16 - FP32 (points) verdict"] == "differ", objects[1]
statements = json.load(open(sys.argv[1] + "/statements.json", encoding="utf-8"))
assert len(statements) == 6 and statements[3]["ours"] == 121.4 and statements[5]["ours"] is None, statements
END
"${page[@]}" --data_files > "$out/linked.html"
grep -o 'href="[a-z_]*\.[a-z]*"' "$out/linked.html" | sort | cut -d'"' -f2 | cmp - <(ls "$out/data") ||
  fail "the page does not name the files beside it"

# Bad input.
expect 2 '--report is needed' ./render
expect 2 'give --out=FOLDER' ./render --report=$report --format=data
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
[[ $(./compare_golden "${files[@]}" --brief) == 'golden: none at this scale' ]] || fail "brief: none"
expect 2 '--reason is needed' ./update_golden "${files[@]}"
cmp testdata/golden.textproto "$golden" || fail "the golden file was changed without a reason"
./update_golden "${files[@]}" --reason='first values' --commit=abc1234
grep -q 'reason: "first values"' "$golden" || fail "the reason is missing"
head -n 4 testdata/golden.textproto | cmp - <(head -n 4 "$golden") || fail "the first comment was lost"
expect 0 '' ./compare_golden "${files[@]}"
[[ $(./compare_golden "${files[@]}" --brief) == 'golden: equal' ]] || fail "brief: equal"
sed -i 's/mean: "0x1.e59999999999ap+6"/mean: "0x1.e59999999999bp+6"/' "$golden"
expect 1 'report: ratio mean: golden 0x1.e59999999999bp+6, measured 0x1.e59999999999ap+6' \
  ./compare_golden "${files[@]}"
brief=$(./compare_golden "${files[@]}" --brief) || fail "brief: a difference is a failure"
[[ $brief == $'golden: different\n  report: ratio mean: golden 0x1.e59999999999bp+6'* ]] || fail "brief: $brief"
sed 's/^provenance {/& made_up_data: true/' $report > "$out/made_up.textproto"
[[ $(./compare_golden --golden="$golden" --report="$out/made_up.textproto" --brief) == *'data are made up' ]] ||
  fail "brief: made-up data"

# Of another toolkit: said, and no failure.
sed 's/^provenance {/& toolkit: "none"/' $report > "$out/no_toolkit.textproto"
sed -i 's/reason: "first values"/& toolkit: "ptxas 13.0.88"/' "$golden"
[[ $(./compare_golden --golden="$golden" --report="$out/no_toolkit.textproto") == "not compared: "*"none" ]] ||
  fail "golden values of another toolkit were compared"

# A change that no commit has is told apart: refused, but in what tests are held to.
expect 2 'no commit has' ./update_golden "${files[@]}" --reason='more' --commit=abc1234-dirty
expect 2 'either --report or --runs' ./compare_golden "${files[@]}" --runs=a.pb
