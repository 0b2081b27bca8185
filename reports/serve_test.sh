#!/bin/bash
# serve.py shows a folder on loopback only, ends cleanly, and says in one line what is wrong.
set -euo pipefail

mkdir "$TEST_TMPDIR/site"
echo "the index" > "$TEST_TMPDIR/site/index.html"

fail() {
  echo "$1" >&2
  exit 1
}

expect_error() {  # expect_error TEXT PORT: exit status 2, and one line with the text
  local status=0 message
  message=$(python3 reports/serve.py --folder="$TEST_TMPDIR/site" --port="$2" 2>&1) || status=$?
  [[ $status == 2 && $message == *"$1"* && $message != *$'\n'* ]] || fail "--port=$2: status $status, $message"
}

# Port 0 is any free one; the first line tells which.
exec {lines}< <(exec python3 reports/serve.py --folder="$TEST_TMPDIR/site" --port=0)
server=$!
read -r address _ <&"$lines"
[[ $address =~ ^http://127\.0\.0\.1:([0-9]+)/$ ]] || fail "not an address on loopback: $address"
port=${BASH_REMATCH[1]}
page=$(python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' "$address")
[[ $page == "the index" ]] || fail "the page: $page"

expect_error 'in use' "$port"
expect_error 'give a number' 65536
expect_error 'give a number' http

kill -TERM "$server"
status=0
wait "$server" || status=$?
[[ $status == 0 ]] || fail "it ended with status $status"
