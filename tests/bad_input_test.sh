#!/bin/bash
# What //programs:train says of bad input: exit status 2, one line that names the file or field, and
# nothing written.
set -uo pipefail
train=$1
work=$TEST_TMPDIR
failures=0

good='model: "mlp" policy: "FP16" backend: "cpu" seed: 1 epochs: 1 batch_size: 32
optimizer { sgd { learning_rate: 0.01 momentum: 0.9 } }
data { dataset: "synthetic_mnist" train_examples: 64 test_examples: 32 normalization: "unit" }'

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# refuses NAME EXPECTED-TEXT FLAGS...: runs on spec.textproto.
refuses() {
  local name=$1 expected=$2
  shift 2
  mkdir -p "$work/out"
  "$train" --spec="$work/spec.textproto" --out="$work/out/result.pb" --progress=none "$@" \
    >"$work/stdout" 2>"$work/stderr"
  local status=$?
  [[ $status == 2 ]] || fail "$name: exit status $status, not 2"
  [[ $(wc -l <"$work/stderr") == 1 ]] || fail "$name: not one line: $(cat "$work/stderr")"
  grep -qF -- "$expected" "$work/stderr" || fail "$name: no '$expected' in: $(cat "$work/stderr")"
  [[ -z $(ls -A "$work/out") ]] || fail "$name: left $(ls "$work/out")"
}

# with_spec SED-EXPRESSION NAME EXPECTED-TEXT FLAGS...
with_spec() {
  sed -e "$1" <<<"$good" >"$work/spec.textproto"
  shift
  refuses "$@"
}

with_spec 's/"mlp"/"mpl"/' 'unknown model' "unknown name 'mpl'"
with_spec 's/"mlp"/"densenet121"/' 'an image too small' 'model densenet121: average_pool with a window of 2 x 2 does not fit: conv2d_88 gives [1, 1, 512]'
with_spec 's/"mlp"/"mlp" model_options { width: 17 }/' 'a network too wide' 'model_options.width: 17 is not in'
with_spec 's/"mlp"/"mlp" model_options { batch_norm_momentum: 1 }/' 'momentum 1' 'batch_norm_momentum: 1 is not in'
with_spec 's/FP16/FP8/' 'unknown policy' 'FP8'
with_spec 's/seed/sede/' 'unknown field' 'spec.textproto:1:48: Message type "repro16.RunSpec" has no field named "sede"'
with_spec 's/batch_size: 32/batch_size: 0/' 'batch 0' 'batch_size: 0 is not in'
with_spec 's/batch_size: 32/batch_size: 65/' 'batch over the data' 'batch_size: 65 exceeds the 64'
with_spec 's/epochs: 1/epochs: 0/' 'epochs 0' 'epochs: 0 is not in'
with_spec 's/rate: 0.01/rate: -1/' 'negative rate' 'learning_rate: -1'
with_spec 's/rate: 0.01/rate: 1e300/' 'rate beyond f32' 'learning_rate: 1e+300'
with_spec 's/rate: 0.01/rate: 1e5/' 'rate beyond f16' 'learning_rate: 1e+05 is infinite in f16'
with_spec 's/sgd {.*/adam { learning_rate: 0.001 } }/' 'Adam without betas' 'spec.textproto: optimizer.adam.beta_1: missing; give e.g. 0.9'
with_spec 's/sgd {.*/adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 } }/' 'Adam without epsilon' 'optimizer.adam.epsilon: missing; give e.g. 1e-7'
with_spec 's/sgd {.*/rmsprop { learning_rate: 0.001 } }/' 'RMSProp without rho' 'optimizer.rmsprop.rho: missing; give e.g. 0.9'
with_spec 's/sgd {.*/adam { learning_rate: 0.001 beta_1: 0.9999 beta_2: 0.999 epsilon: 1e-7 } }/' 'a division by 0' 'optimizer.adam.beta_1: 0.9999 is 1 in f16'
with_spec 's/sgd {.*/rmsprop { learning_rate: 0.001 rho: 0.9 epsilon: 1e9 } }/' 'infinite epsilon' 'optimizer.rmsprop.epsilon: 1e+09 is infinite in f16'
with_spec 's/seed/scale: "my run" seed/' 'a scale of two words' "scale: 'my run' is not a word"
with_spec 's/"mlp"/"a\\nb"/' 'a name of two lines' "unknown name 'a\\nb'"
with_spec '' 'one path for two outputs' 'result.pb: named for both --out and --weights_out' --weights_out="$work/out/result.pb"
with_spec '' 'one output in two spellings' 'named for both --out and --telemetry_out' \
  --telemetry_out="$work/out/../out//result.pb"
ln -s out/result.pb "$work/link"
with_spec '' 'one output by a link' 'named for both --out and --diagnose_out' --diagnose_out="$work/link"
ln -s out "$work/link_to_out"
with_spec '' 'one output in a linked folder' 'named for both --out and --probabilities_out' \
  --probabilities_out="$work/link_to_out/result.pb"
with_spec '' 'the specification as output' 'named for both --spec and --out' --out="$work/spec.textproto"
grep -q mlp "$work/spec.textproto" || fail 'a refused output overwrote the specification'
with_spec '' 'no output' '--out: missing' --out=
with_spec '' 'an output that is a folder' 'out: cannot be written: it is not a regular file' --out="$work/out"
ln -s loop "$work/loop"
with_spec '' 'an output that is a loop' 'loop: cannot be written: Too many levels of symbolic links' --out="$work/loop"
ln -s missing/result.pb "$work/lost"
with_spec '' 'a link into no folder' 'lost: cannot be written: No such file' --out="$work/lost"
with_spec '' 'a folder that takes no files' '/proc/result.pb: cannot be written' --out=/proc/result.pb
with_spec '' 'weights in no folder' 'missing/weights' --weights_out="$work/missing/weights"
with_spec '' 'probabilities in no folder' 'missing/probabilities' --probabilities_out="$work/missing/probabilities"
with_spec '' 'telemetry in no folder' 'missing/telemetry' --telemetry_out="$work/missing/telemetry"
with_spec '' 'unknown flag' 'threds' --threds=2
with_spec '' 'a flag of the wrong type' 'abc' --threads=abc
with_spec '' 'an argument that is no flag' 'result.pb2' result.pb2
with_spec 's/rate: 0.01/rate: nan/' 'NaN rate' 'learning_rate: nan'
with_spec 's/"unit"/"units"/' 'unknown normalization' 'units'
with_spec 's/"synthetic_mnist"/"imagenet"/' 'unknown data set' 'imagenet'
with_spec 's/"synthetic_mnist"/"mnist"/' 'no data' 'train-images-idx3-ubyte' --data_dir="$work/none"
with_spec 's/"cpu"/"gpu"/' 'unknown backend' 'gpu'
with_spec '' 'unwritable output' 'missing/result.pb' --out="$work/missing/result.pb"
with_spec '' 'unknown SIMD target' 'AVX9' --simd=AVX9
with_spec '' 'negative threads' 'threads is -1' --threads=-1
with_spec '' 'too many threads' 'threads is 1000000' --threads=1000000
with_spec '' 'unknown progress' 'loud' --progress=loud
with_spec '' 'no memory' 'memory: model mlp with batch_size 32 in FP16 needs' --memory_limit_mib=1
with_spec '' 'negative memory' '--memory_limit_mib: -1 is not in' --memory_limit_mib=-1
with_spec '' 'diagnosis in no folder' 'missing/diagnosis' --diagnose_out="$work/missing/diagnosis"

# Checkpoints.
with_spec '' 'a folder that does not exist' 'missing/checkpoint' --checkpoint="$work/missing/checkpoint"
with_spec '' 'a folder that is a file' 'spec.textproto/checkpoint' --checkpoint="$work/spec.textproto/checkpoint"
with_spec '' 'a checkpoint that is the result' 'named for both --out and --checkpoint' --checkpoint="$work/out/result.pb"
with_spec '' 'a checkpoint that is the result by a link' 'named for both --out and --checkpoint' --checkpoint="$work/link"
sed -e '' <<<"$good" >"$work/run.lock"
refuses 'a specification in place of the lock' 'run.lock: named for both --spec and the lock of --checkpoint' \
  --spec="$work/run.lock" --checkpoint="$work/run"
[[ $(<"$work/run.lock") == "$good" ]] || fail 'a lock took the place of the specification'
ln -s out/run "$work/link_to_run"
with_spec '' 'the result in place of the lock' 'named for both --out and the lock of --checkpoint' \
  --out="$work/out/run.lock" --checkpoint="$work/link_to_run"
with_spec '' 'a checkpoint that loops' 'loop: cannot be written: Too many levels' --checkpoint="$work/loop"
with_spec '' 'resume without a checkpoint' '--resume: needs --checkpoint' --resume
with_spec '' 'a segment without a checkpoint' '--stop_after_epoch: needs --checkpoint' --stop_after_epoch=1
for epoch in 1 7; do
  with_spec '' "no result of a run to its end in epoch $epoch" '--out: missing' --out= --checkpoint="$work/c" \
    --stop_after_epoch=$epoch
done
with_spec '' 'steps without a checkpoint' '--checkpoint_steps: needs --checkpoint' --checkpoint_steps=1
with_spec '' 'negative steps' '--checkpoint_steps: -1 is not in' --checkpoint_steps=-1
with_spec '' 'negative minutes' '--checkpoint_minutes: -1 is negative' --checkpoint_minutes=-1
with_spec '' 'two ways to resume' '--resume_from: given beside --resume' --checkpoint="$work/c" --resume --resume_from="$work/c"
with_spec '' 'no checkpoint to go on from' 'none.checkpoint: cannot be read' --resume_from="$work/none.checkpoint"
echo 'not a checkpoint' >"$work/damaged"
with_spec '' 'a damaged checkpoint' 'damaged: damaged, or not a checkpoint' --checkpoint="$work/damaged" --resume
with_spec '' 'a checkpoint in the way' 'damaged: a checkpoint is there' --checkpoint="$work/damaged"
[[ $(<"$work/damaged") == 'not a checkpoint' ]] || fail 'a refused checkpoint was overwritten'
sed -e 's/epochs: 1/epochs: 2/' <<<"$good" >"$work/spec.textproto"
"$train" --spec="$work/spec.textproto" --progress=none --checkpoint="$work/foreign" --stop_after_epoch=1 ||
  fail 'a segment'
with_spec '' 'a foreign checkpoint' 'foreign: a checkpoint of another specification (modified: epochs: 2 -> 1)' \
  --checkpoint="$work/foreign" --resume
ln -s foreign "$work/link_to_foreign"
with_spec '' 'a result in place of the checkpoint to go on from' 'named for both --resume_from and --out' \
  --resume_from="$work/foreign" --out="$work/link_to_foreign"
with_spec '' 'a checkpoint in place of that to go on from' 'named for both --resume_from and --checkpoint' \
  --resume_from="$work/link_to_foreign" --checkpoint="$work/./foreign"

# A truncated and a wrong file of a data set.
mkdir -p "$work/data"
for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
  printf '\0\0\x08\x03\0\0' >"$work/data/$file"
done
with_spec 's/"synthetic_mnist"/"mnist"/' 'truncated data' 'train-images-idx3-ubyte' --data_dir="$work/data"

rm "$work/spec.textproto"
refuses 'missing specification' 'spec.textproto'

"$train" --help >"$work/stdout" 2>&1 || fail "--help: exit status $?, not 0"
grep -q -- '--spec' "$work/stdout" || fail "--help: says nothing of --spec"

# And good input is accepted.
sed -e 's/"mlp"/"mlp" model_options { width: 0.25 }/' <<<"$good" >"$work/spec.textproto"
"$train" --spec="$work/spec.textproto" --out="$work/out/result.pb" --progress=none || fail 'good input'
[[ -s $work/out/result.pb ]] || fail 'no result of good input'

# An output that cannot be written when the run has ended costs no other one. The limit (KiB) is one
# of the size of a file, as a full disk would be.
(
  trap '' XFSZ
  ulimit -f 100
  exec "$train" --spec="$work/spec.textproto" --out="$work/out/kept.pb" --progress=none \
    --weights_out="$work/out/weights" --telemetry_out="$work/out/telemetry" 2>"$work/stderr"
)
status=$?
[[ $status == 2 && $(wc -l <"$work/stderr") == 1 ]] || fail "weights too large: exit status $status: $(cat "$work/stderr")"
grep -qF "out/weights: cannot be written: File too large" "$work/stderr" ||
  fail "weights too large: $(cat "$work/stderr")"
cmp "$work/out/result.pb" "$work/out/kept.pb" || fail 'no result beside weights too large'
[[ -s $work/out/telemetry && ! -e $work/out/weights ]] || fail "weights too large: left $(ls "$work/out")"

# A backend that is left out is the CPU, to the byte.
sed -i -e 's/backend: "cpu"//' "$work/spec.textproto"
"$train" --spec="$work/spec.textproto" --out="$work/out/without.pb" --progress=none || fail 'no backend'
cmp "$work/out/result.pb" "$work/out/without.pb" || fail 'a result that depends on a default written out'

# warns NAME SED-EXPRESSION LINE...: trains, with these lines alone on stderr; their text is in the result, but not
# that of lines "step ...".
warns() {
  local name=$1
  sed -e "$2" <<<"$good" >"$work/spec.textproto"
  shift 2
  "$train" --spec="$work/spec.textproto" --out="$work/out/result.pb" --progress=none 2>"$work/stderr" ||
    fail "$name: exit status $?, not 0"
  for line in "$@"; do echo "train: warning: $line"; done >"$work/expected"
  diff "$work/expected" "$work/stderr" || fail "$name: other warnings"
  for line in "$@"; do
    local kept=yes
    [[ $line != step* ]] || kept=no
    local found=no
    ! grep -qaF -- "$line" "$work/out/result.pb" || found=yes
    [[ $found == "$kept" ]] || fail "$name: is '$line' in the result: $found, not $kept"
  done
}

warns 'nothing to say' 's/seed/scale: "my-run_2" seed/'
warns 'a rate of 0' 's/rate: 0.01 momentum: 0.9/rate: 1e-9 momentum: 0.9999/' \
  'optimizer.sgd.learning_rate: 1e-09 is 0 in f16: no update changes anything' \
  'optimizer.sgd.momentum: 0.9999 is 1 in f16: velocities only add up, and never decay'
warns "Adam's usual beta_2 in bfloat16" \
  's/FP16/BF16/; s/sgd {.*/adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 0 } }/' \
  "optimizer.adam.beta_2: 0.999 is 1 in bf16: Adam's step size, which has the factor sqrt(1 - beta_2^t), is 0: no update changes anything" \
  'optimizer.adam.epsilon: 0 is 0 in bf16: a gradient whose square is 0, too, makes its weight infinite or NaN' \
  'step 0: an infinity or NaN was stored to dense_1/kernel first'

((failures == 0))
