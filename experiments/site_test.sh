#!/bin/bash
# The site of the smoke runs: every experiment is in its index, every link leads to a file in the folder, and nothing
# points outside: no address, no path of this machine.
#
# usage: site_test.sh EXPERIMENT...
set -euo pipefail

site=$TEST_TMPDIR/site

fail() {
  echo "$1" >&2
  exit 1
}

experiments/site_smoke.sh --out_dir="$site" > "$TEST_TMPDIR/glance"
[[ $# -ge 4 ]] || fail "a site of $# experiments"
for experiment; do
  grep -q "href=\"$experiment/report.html\"" "$site/index.html" || fail "$experiment is not in the index"
  grep -q "$experiment" "$TEST_TMPDIR/glance" || fail "$experiment is not on the terminal"
  [[ -s $site/$experiment/report.html ]] || fail "$experiment has no page"
done
[[ -z $(find "$site" -name '.unfinished*') ]] || fail "an unfinished folder is left"

find "$site" -name '*.html' | while read -r page; do
  # References inside a page are data or fragments; others are files beside it.
  sed -E 's/"data:[^"]*"/"data:"/g' "$page" > "$TEST_TMPDIR/page"
  { grep -oE '(href|src)="[^"]*"' "$TEST_TMPDIR/page" || true; } | sed -E 's/^[a-z]+="//; s/"$//' |
    while read -r link; do
      case $link in
        'data:'* | '#'*) ;;
        *) [[ -f $(dirname "$page")/$link ]] || fail "$page: $link leads nowhere" ;;
      esac
    done
  if grep -niE 'https?:|<script|@import' "$TEST_TMPDIR/page"; then fail "$page: not self-contained"; fi
  if grep -nE "$PWD|/(tmp|root|home|work|proc)/" "$TEST_TMPDIR/page"; then fail "$page: a path of this machine"; fi
done

# In Markdown the same pages, for a repository.
experiments/site_smoke.sh --markdown --out_dir="$TEST_TMPDIR/markdown" > /dev/null
for experiment; do
  grep -q "($experiment/report.md)\|(<$experiment/report.md>)" "$TEST_TMPDIR/markdown/README.md" ||
    fail "$experiment is not in the index in Markdown"
  [[ -s $TEST_TMPDIR/markdown/$experiment/report.md ]] || fail "$experiment has no page in Markdown"
done
[[ -z $(find "$TEST_TMPDIR/markdown" -name '*.html') ]] || fail "a page for a browser among those in Markdown"

# A second writing replaces the first, and does not touch what else is there.
echo kept > "$site/notes.txt"
experiments/site_smoke.sh --out_dir="$site" > /dev/null
[[ $(cat "$site/notes.txt") == kept ]] || fail "a file that is not the site's was lost"

# Bad input: status 2 and one line.
expect_error() {  # expect_error TEXT ARGUMENT
  local status=0 message
  message=$(experiments/site_smoke.sh "$2" 2>&1 > /dev/null) || status=$?
  [[ $status == 2 && $message == *"$1"* && $message != *$'\n'* ]] || fail "$2: status $status, $message"
}
expect_error 'unknown' --colour=blue
expect_error 'cannot be written' --out_dir=/proc/nowhere
