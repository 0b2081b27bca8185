#!/bin/bash
# //engine:train is stopped by SIGTERM and killed by SIGKILL at random points, again and again, and
# goes on from its checkpoint: the result, the probabilities, the weights and the diagnosis are those
# of the uninterrupted run, byte for byte.
set -uo pipefail
train=$1
work=$TEST_TMPDIR
stops=5

fail() {
  echo "FAILED: $1"
  exit 1
}

# write_spec POLICY OPTIMIZER
write_spec() {
  cat >"$work/spec.textproto" <<EOF
model: "mlp" model_options { width: 0.25 } policy: "$1" backend: "cpu" seed: 5 epochs: 10
batch_size: 16 optimizer { $2 }
data { dataset: "synthetic_mnist" train_examples: 1000 test_examples: 100 normalization: "unit" }
EOF
}

# run NAME FLAGS...: the run of the specification, its outputs named NAME.
run() {
  local name=$1
  shift
  exec "$train" --spec="$work/spec.textproto" --out="$work/$name.pb" --threads=1 --progress=none \
    --probabilities_out="$work/$name.safetensors" --weights_out="$work/$name.weights" \
    --diagnose_out="$work/$name.diagnosis" "$@"
}

# The checkpoint as it is now: a new one is a new file.
stamp() { stat -c '%i %y' "$work/checkpoint" 2>/dev/null || echo none; }

# interrupted SIGNAL: goes on, and sends the signal at a random moment after the next checkpoint.
# Gives the exit status of the run.
interrupted() {
  local before
  before=$(stamp)
  (run part --checkpoint="$work/checkpoint" --checkpoint_steps=20 --resume 2>"$work/stderr") &
  local pid=$!
  while [[ $(stamp) == "$before" ]] && kill -0 "$pid" 2>"$work/ignored"; do sleep 0.01; done
  sleep "0.0$((RANDOM % 6))"
  kill "-$1" "$pid" 2>"$work/ignored"
  wait "$pid" 2>"$work/ignored"
}

# survives POLICY OPTIMIZER
survives() {
  write_spec "$1" "$2"
  rm -f "$work"/checkpoint* "$work"/part* "$work"/whole*
  (run whole) || fail "$1: the uninterrupted run: exit status $?"
  local stopped=0
  for ((i = 0; i < stops; ++i)); do
    local signal=TERM status
    ((i % 2 == 0)) || signal=KILL
    interrupted $signal
    status=$?
    [[ $status == 0 ]] && break # it came to its end
    if [[ $signal == TERM ]]; then
      [[ $status == 3 ]] || fail "$1: exit status $status on SIGTERM: $(cat "$work/stderr")"
      grep -q 'is saved; go on by the same command with --resume' "$work/stderr" ||
        fail "$1: does not say how to go on: $(cat "$work/stderr")"
    else
      [[ $status == 137 ]] || fail "$1: exit status $status on SIGKILL: $(cat "$work/stderr")"
    fi
    [[ ! -e $work/part.pb ]] || fail "$1: a stopped run left a result"
    stopped=$((stopped + 1))
  done
  ((stopped > 0)) || fail "$1: never stopped on its way"
  (run part --checkpoint="$work/checkpoint" --resume) || fail "$1: the last part: exit status $?"
  for output in pb safetensors weights diagnosis; do
    cmp "$work/whole.$output" "$work/part.$output" || fail "$1: $output differs after $stopped stops"
  done
  echo "$1: the same after $stopped stops"
}

survives FP32 'sgd { learning_rate: 0.01 momentum: 0.9 }'
survives FP16 'adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 0.001 }'
survives MP 'adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 1e-7 }'

# Without a checkpoint the run says that nothing was saved.
sed -i 's/epochs: 10$/epochs: 100000/' "$work/spec.textproto"
(run endless 2>"$work/stderr") &
pid=$!
sleep 0.5
kill -INT "$pid"
wait "$pid"
status=$?
[[ $status == 3 ]] || fail "exit status $status on SIGINT without a checkpoint"
grep -q 'nothing was saved' "$work/stderr" || fail "does not say that nothing was saved"
