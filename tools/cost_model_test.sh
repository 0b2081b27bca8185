#!/bin/bash
# The cost model's program: what it prints, writes and refuses.
#
# usage: cost_model_test.sh COST_MODEL REPORT README
set -u
cost_model=$1
report=$2
readme=$3
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# Exit status 2 and one line that holds the text.
refuses() {
  local text=$1
  shift
  local line
  line=$("$cost_model" "$@" 2>&1)
  [[ $? == 2 ]] || fail "$* is not refused with exit status 2"
  [[ $(wc -l <<< "$line") == 1 && $line == *"$text"* ]] || fail "$*: $line"
}

refuses 'use one of epyc_zen4_2core, h100, rtx4080' --device=rtx9999
refuses '--batch: 0 is not in [1, 50000]' --batch=0
refuses '--batch: 50001 is not in [1, 50000]' --batch=50001
refuses 'batch' --batch=many
refuses 'missing.textproto: cannot be read' --published=missing.textproto
refuses 'holds no file of a device' --devices=missing
refuses 'missing/report.pb: cannot be written' --out="$TEST_TMPDIR/missing/report.pb"
refuses 'unexpected argument' rtx4080

bad=$TEST_TMPDIR/bad
mkdir "$bad"
echo 'name: "a device" launch_us { value: 1 source: "made up" } speed: 1' > "$bad/field.textproto"
refuses 'field.textproto:1:' --devices="$bad" --device=field
echo 'name: "a device" memory_gb { value: 1 }' > "$bad/source.textproto"
refuses 'memory_gb: has no source' --devices="$bad" --device=source
echo 'batch: 1 networks { model: "no_net" fp16_seconds: 1 fp32_seconds: 1 mp_seconds: 1 }' > "$bad/times.textproto"
refuses 'times.textproto: networks: ' --published="$bad/times.textproto"

for device in rtx4080 h100 epyc_zen4_2core; do
  out=$TEST_TMPDIR/$device.txt
  "$cost_model" --device=$device > "$out" || fail "$device: exit status"
  [[ -z $(awk 'length > 120' "$out") ]] || fail "$device: wider than 120 columns"
  head -1 "$out" | grep -q 'a model, not a measurement' || fail "$device: is not marked as a model"
done
grep -q 'No error is stated' "$TEST_TMPDIR/h100.txt" || fail "h100: has an error against another device"
"$cost_model" --batch=128 | grep -q 'No error is stated' || fail "--batch=128: has an error against another batch"

# What the page quotes is what the program prints.
quoted=$(awk '/^```text$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$readme")
[[ -n $quoted ]] || fail "README quotes nothing"
while IFS= read -r line; do
  grep -qxF -- "$line" "$TEST_TMPDIR/rtx4080.txt" || fail "README quotes what is not printed: $line"
done <<< "$quoted"

# The same bytes again.
"$cost_model" --device=rtx4080 --out="$TEST_TMPDIR/report.pb" || fail "--out: exit status"
cmp "$TEST_TMPDIR/report.pb" "$report" || fail "--out: not the bytes of //tools:cost_model_rtx4080"

exit $((failures > 0))
