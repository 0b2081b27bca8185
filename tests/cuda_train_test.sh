#!/bin/bash
# A run on the CUDA backend, as the trainer makes it, on the emulator: the CPU's weights; begun here and ended there;
# and whatever can go wrong on a GPU ends in one line and exit code 2, and costs no checkpoint.
# usage: cuda_train_test.sh TRAIN_EMULATED
set -uo pipefail

train=$1
work=$TEST_TMPDIR
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# spec BACKEND > FILE
spec() {
  cat <<END
model: "mlp" policy: "MP" backend: "$1" seed: 5 epochs: 2 batch_size: 30 model_options { width: 0.05 }
optimizer { adam { learning_rate: 0.01 beta_1: 0.9 beta_2: 0.99 epsilon: 1e-3 } }
data { dataset: "synthetic_mnist" normalization: "unit" train_examples: 100 test_examples: 40 }
END
}
spec cpu >"$work/cpu.textproto"
spec cuda_emulated >"$work/cuda.textproto"

# run NAME BACKEND FLAG...: trains to $work/NAME.*; stderr in $work/NAME.stderr.
run() {
  local name=$1 backend=$2
  shift 2
  "$train" --spec="$work/$backend.textproto" --out="$work/$name.pb" --weights_out="$work/$name.weights" \
    --probabilities_out="$work/$name.probabilities" --progress=none "$@" 2>"$work/$name.stderr"
}

# same NAME: that run's weights and probabilities are the CPU's.
same() {
  cmp "$work/$1.weights" "$work/reference.weights" || fail "$1: other weights than the CPU's"
  cmp "$work/$1.probabilities" "$work/reference.probabilities" || fail "$1: other probabilities than the CPU's"
}

run reference cpu || fail "the CPU: $(cat "$work/reference.stderr")"
run whole cuda || fail "the emulator: $(cat "$work/whole.stderr")"
same whole

# Begun on one, ended on the other.
run begun cpu --checkpoint="$work/a.checkpoint" --stop_after_epoch=1 || fail "begun on the CPU"
run moved cuda --resume_from="$work/a.checkpoint" || fail "ended on the emulator: $(cat "$work/moved.stderr")"
same moved
run begun cuda --checkpoint="$work/b.checkpoint" --stop_after_epoch=1 || fail "begun on the emulator"
cmp "$work/a.checkpoint" "$work/b.checkpoint" >/dev/null && fail "a checkpoint does not name its backend"
run back cpu --resume_from="$work/b.checkpoint" || fail "ended on the CPU: $(cat "$work/back.stderr")"
same back

# refused WHAT STAND_IN TEXT FLAG...: one line with TEXT, exit code 2, no result.
refused() {
  local what=$1 stand_in=$2 text=$3 status=0
  shift 3
  rm -f "$work/bad.pb"
  REPRO16_STAND_IN=$stand_in run bad cuda "$@" || status=$?
  ((status == 2)) || fail "$what: exit code $status"
  [[ $(wc -l <"$work/bad.stderr") == 1 ]] || fail "$what: not one line: $(cat "$work/bad.stderr")"
  grep -qF -- "$text" "$work/bad.stderr" || fail "$what: '$text' is not in: $(cat "$work/bad.stderr")"
  [[ ! -e $work/bad.pb ]] || fail "$what: a result"
}
refused 'no driver' driver_version=0 'driver'
refused 'an old driver' driver_version=11040 '11.4'
refused 'no GPU' device_count=0 'no GPU'
refused 'a GPU before Turing' 'major=7 minor=0' '7.0'
refused 'no code for the GPU' has_code=0 'code'
refused 'too little memory' memory_bytes=500000 'memory'
refused 'memory that is refused' refused_allocation=9 'memory'
refused 'a launch that fails' failed_launch=40 'GPU'

# Lost in the middle: the checkpoint is that of a step before, and the run goes on from it.
for launch in 60 200; do
  rm -f "$work/lost.checkpoint"
  refused "a GPU lost in launch $launch" "lost_in_launch=$launch" 'GPU' --checkpoint="$work/lost.checkpoint" \
    --checkpoint_steps=1
  [[ -e $work/lost.checkpoint ]] || fail "no checkpoint before launch $launch"
  run resumed cuda --checkpoint="$work/lost.checkpoint" --resume || fail "resumed: $(cat "$work/resumed.stderr")"
  same resumed
done
refused 'a GPU lost at a wait' lost_at_wait=12 'GPU'

((failures == 0)) || exit 1
echo "passed"
