#!/bin/bash
# datasets.bzl: where a data set comes from, that made-up data give way to real ones as soon as these are in reach, that
# real ones are left alone, and what is said of a wrong file. Asks a Bazel of its own, in a small workspace, with one
# server for all questions.
set -euo pipefail

bazel=$(command -v bazel || command -v bazelisk) && version=$("$bazel" --version 2>/dev/null) || {
  echo "SKIPPED: no Bazel that starts on the PATH of a test: $PATH"
  exit 0
}
unset REPRO16_DATA
export HOME=$TEST_TMPDIR
out=$TEST_TMPDIR/output

fail() {
  echo "datasets_test: $1" >&2
  exit 1
}

# ---- A workspace with three data sets: `single` of one file, `pair` of two, `archive` of one in an archive -----------

web=$TEST_TMPDIR/web mirror=$TEST_TMPDIR/mirror workspace=$TEST_TMPDIR/workspace
mkdir -p "$web" "$mirror" "$workspace/third_party" "$TEST_TMPDIR/published"
cp third_party/datasets.bzl "$workspace/third_party"
touch "$workspace/third_party/BUILD"
echo 'the published images' >"$TEST_TMPDIR/published/images"
(cd "$TEST_TMPDIR" && tar -czf images.tar.gz published)
digest() {
  sha256sum "$1" | cut -d' ' -f1
}
images=$(digest "$TEST_TMPDIR/published/images") archive=$(digest "$TEST_TMPDIR/images.tar.gz")
cat >"$workspace/WORKSPACE" <<WORKSPACE
load("//third_party:datasets.bzl", "dataset_repositories")

dataset_repositories([
    dict(
        name = "single",
        files = {"images": "$images"},
        folder = "single",
        hosts = ["file://$web/none/", "file://$web/"],
    ),
    dict(
        name = "pair",
        files = {"images": "$images", "labels": "$images"},
        folder = "pair",
        hosts = ["file://$web/"],
    ),
    dict(
        name = "archive",
        archive = "file://$web/images.tar.gz",
        archive_prefix = "published",
        archive_sha256 = "$archive",
        files = {"images": "$images"},
        folder = "archive",
    ),
])
WORKSPACE
cd "$workspace"
options=()
[[ $version != "bazel 7."* ]] || options=(--noenable_bzlmod --enable_workspace)

ask() {  # ask COMMAND ARGUMENT...
  "$bazel" --output_base="$out" --host_jvm_args=-Xmx300m "$1" "${options[@]}" "${@:2}"
}
trap 'ask shutdown >/dev/null 2>&1' EXIT

# expect REPOSITORY FILE: its data are this file alone.
expect() {
  local files
  files=$(ask query "deps(@$1//:files)" 2>"$TEST_TMPDIR/log") || fail "@$1: $(<"$TEST_TMPDIR/log")"
  [[ $(grep ':data/' <<<"$files") == "@$1//:data/$2" ]] || fail "@$1 has not $2 alone: $files"
  [[ $2 == MADE_UP ]] || [[ $(digest "$out/external/$1/data/$2") == "$images" ]] || fail "@$1: $2 has other contents"
}

# expect_error REPOSITORY TEXT...: no data, and the line that says so has all the texts.
expect_error() {
  local line text
  ! ask query "deps(@$1//:files)" >"$TEST_TMPDIR/log" 2>&1 || fail "@$1 is there: $(<"$TEST_TMPDIR/log")"
  line=$(grep 'no such package' "$TEST_TMPDIR/log" | head -n 1)
  for text in "${@:2}"; do
    [[ $line == *"$text"* ]] || fail "@$1: the error does not name $text: $(<"$TEST_TMPDIR/log")"
  done
}

# ---- Single files ----------------------------------------------------------------------------------------------------

expect single MADE_UP
grep -q 'MADE-UP data stand in' "$TEST_TMPDIR/log" || fail "made-up data come without a word"
expect single MADE_UP
gzip -c "$TEST_TMPDIR/published/images" >"$web/images.gz"
options+=(--nofetch)
expect single MADE_UP
unset 'options[-1]'
expect single images # the network is back

# What is there is not looked at again, neither by this server nor by the next.
first=$(stat -c '%i %z' "$out/external/single/data/images")
rm "$web/images.gz"
expect single images
ask shutdown
expect single images
[[ $(stat -c '%i %z' "$out/external/single/data/images") == "$first" ]] || fail "real data are fetched again"

# Wrong ones: never made-up data.
gzip -c <<<'other images' >"$web/images.gz"
ask clean --expunge 2>/dev/null
expect_error single "images as downloaded" "$(digest - <<<'other images')" "$images" REPRO16_DATA
echo 'no gzip at all' >"$web/images.gz"
expect_error single images.gz "not in gzip format" REPRO16_DATA
gzip -c <<<'other images' >"$web/images.gz"
expect_error pair "images as downloaded" "$images" # although the labels are out of reach
rm "$web/images.gz"
expect single MADE_UP

# ---- The folder that REPRO16_DATA names -------------------------------------------------------------------------------

export REPRO16_DATA=$mirror
expect single MADE_UP
mkdir "$mirror/single"
expect_error single "$mirror/single/images" missing
echo 'other images' >"$mirror/single/images"
expect_error single "$mirror/single/images" "$(digest - <<<'other images')" "$images"
xz -c "$TEST_TMPDIR/published/images" >"$mirror/single/images.xz"
rm "$mirror/single/images"
expect single images
REPRO16_DATA=$TEST_TMPDIR/none expect_error single "REPRO16_DATA=$TEST_TMPDIR/none"
unset REPRO16_DATA
expect single MADE_UP # what the variable no longer names is not used
REPRO16_DATA=$mirror expect single images

# ---- An archive ------------------------------------------------------------------------------------------------------

expect archive MADE_UP
ask shutdown
cp "$TEST_TMPDIR/published/images" "$web/images.tar.gz"
expect_error archive "$web/images.tar.gz" "$images" "$archive" REPRO16_DATA
cp "$TEST_TMPDIR/images.tar.gz" "$web/images.tar.gz"
expect archive images # by the next server
