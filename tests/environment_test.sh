#!/bin/bash
# The programs of the actions write the same bytes in whatever surroundings: locale, time zone, umask, home folder and
# modules that someone put there, terminal. Files get the mode that the umask gives to any file.
#
# usage: environment_test.sh PYTHON TRAIN ANALYSIS RENDER FIGURE_DATA COST_MODEL PROBE GOLDEN REPORT
set -euo pipefail
python=$1 train=$2 analysis=$3 render=$4 figure_data=$5 cost_model=$6 probe=$7 golden=$8 report=$9

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

cat >"$TEST_TMPDIR/spec.textproto" <<'SPEC'
model: "mlp" policy: "MP" backend: "cpu" seed: 1 epochs: 2 batch_size: 32
optimizer { adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 0.0000001 } }
data { dataset: "synthetic_mnist" train_examples: 128 test_examples: 64 normalization: "standardized" }
SPEC

# An assembler for the probe, which refuses FP8.
cat >"$TEST_TMPDIR/ptxas" <<'PTXAS'
#!/bin/bash
[[ $1 != --version ]] || { echo "Cuda compilation tools, release 13.0, V13.0.88"; exit; }
! grep -q 'e4m3\|f13' "$2" || { echo "ptxas $2, line 9; error   : Unknown modifier" >&2; exit 255; }
PTXAS
chmod +x "$TEST_TMPDIR/ptxas"

# run_all FOLDER: every program's files, there.
run_all() {
  local out=$1
  "$train" --spec="$TEST_TMPDIR/spec.textproto" --threads=1 --progress=none --out="$out/result.pb" \
    --probabilities_out="$out/probabilities.safetensors" --diagnose_out="$out/diagnosis.textproto"
  $python "$probe" "$TEST_TMPDIR/ptxas" --out="$out/support.textproto"
  "$analysis" --scale=smoke --golden="$golden" --inputs="$out/support.textproto" --results= --probabilities= \
    --out="$out/report.pb"
  for format in html markdown terminal; do
    "$render" --format=$format --report="$out/report.pb" --golden="$golden" --out="$out/report.$format"
  done
  "$figure_data" --report="$report" --figure=histogram --out="$out/figure.json"
  "$cost_model" --device=rtx4080 --out="$out/cost_model.pb" >/dev/null
}

plain=$TEST_TMPDIR/plain other=$TEST_TMPDIR/other home=$TEST_TMPDIR/home
mkdir "$plain" "$other" "$home"
(
  umask 022
  unset "${!LC_@}" LANG LANGUAGE TZ HOME COLUMNS
  run_all "$plain"
)

# Every number in German, where this machine has what the locale is made of.
localedef -i de_DE -f UTF-8 "$TEST_TMPDIR/de_DE.UTF-8" 2>/dev/null || true
# Modules that a user has, and one beside the script.
modules=$(HOME=$home python3 -m site --user-site)
mkdir -p "$modules" "$home/beside"
echo 'raise SystemExit("a module of the user was loaded")' |
  tee "$modules/usercustomize.py" >"$home/beside/argparse.py"
cp "$probe" "$home/beside"
(
  umask 077
  export LOCPATH=$TEST_TMPDIR LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 LANGUAGE=de TZ=Asia/Kathmandu HOME=$home COLUMNS=40 \
    TERM=xterm-256color PYTHONHASHSEED=7 PYTHONPATH=$home/beside
  probe=$home/beside/probe.py
  run_all "$other"
)

files=$(ls "$plain")
[[ $(wc -w <<<"$files") == 10 && $(ls "$other") == "$files" ]] || fail "other files: $files; $(ls "$other")"
for file in $files; do
  cmp "$plain/$file" "$other/$file" || fail "$file depends on its surroundings"
  [[ $(stat -c %a "$plain/$file" "$other/$file") == $'644\n600' ]] ||
    fail "$file has modes $(stat -c %a "$plain/$file" "$other/$file"), not 644 and 600"
done
