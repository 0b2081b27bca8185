#!/bin/bash
# chart.py gives equal bytes for equal inputs on whatever machine, a picture that can stand in a page, and one line for a
# wrong input.
set -euo pipefail

marker=$1 svg=$2 png=$3 data=$4
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(dirname "$marker")
out=$TEST_TMPDIR

draw() {  # draw SPEC
  env ${machine:-} python3 reports/chart.py --spec="$1" --data="$data" --theme=reports/chart_theme.json \
    --fonts="${fonts:-reports/chart_fonts.conf}" --svg="$out/chart.svg" --png="$out/chart.png"
}

fail() {
  echo "$1" >&2
  exit 1
}

draw reports/testdata/histogram.vl.json
cmp "$svg" "$out/chart.svg" || fail "the SVG is not the same when it is drawn again"
cmp "$png" "$out/chart.png" || fail "the PNG is not the same when it is drawn again"

# A machine with another font of that name, in all places where fonts are looked for, another locale and time zone.
export HOME=$out/home XDG_CONFIG_HOME=$out/config XDG_DATA_HOME=$out/data
mkdir -p "$HOME/.fonts" "$XDG_DATA_HOME/fonts" "$HOME/.local/share/fonts" "$XDG_CONFIG_HOME/fontconfig"
python3 reports/testdata/make_font.py 'Liberation Sans' "$HOME/.fonts/boxes.ttf"
cp "$HOME/.fonts/boxes.ttf" "$XDG_DATA_HOME/fonts"
cp "$HOME/.fonts/boxes.ttf" "$HOME/.local/share/fonts"
echo "<fontconfig><dir>$HOME/.fonts</dir></fontconfig>" > "$XDG_CONFIG_HOME/fontconfig/fonts.conf"
machine='LC_ALL=de_DE.UTF-8 TZ=Asia/Tokyo' draw reports/testdata/histogram.vl.json
cmp "$svg" "$out/chart.svg" || fail "the SVG depends on the machine"
cmp "$png" "$out/chart.png" || fail "the PNG depends on the machine"

# That font would have been seen.
fonts=$XDG_CONFIG_HOME/fontconfig/fonts.conf draw reports/testdata/histogram.vl.json
cmp -s "$png" "$out/chart.png" && fail "the test's own font is not drawn with when it is asked for"

status=0
message=$(fonts=$out/nowhere.conf draw reports/testdata/histogram.vl.json 2>&1) || status=$?
[[ $status == 2 && $message == *'nowhere.conf'* && $message != *$'\n'* ]] || fail "no font file: status $status, $message"

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
