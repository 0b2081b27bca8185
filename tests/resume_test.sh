#!/bin/bash
# //programs:train is stopped by SIGTERM and killed by SIGKILL at random points, again and again, and
# goes on from its checkpoint: the result, the probabilities, the weights and the diagnosis are those
# of the uninterrupted run, byte for byte. Checkpoint and result are written through symbolic links.
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
stamp() { stat -L -c '%i %y' "$work/checkpoint" 2>/dev/null || echo none; }

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
  rm -rf "$work"/checkpoint* "$work"/part* "$work"/whole* "$work/far"
  mkdir "$work/far"
  ln -s far/checkpoint "$work/checkpoint"
  ln -s "$work/far/result" "$work/part.pb"
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
  : >"$work/far/checkpoint.tmp-4194304-0" # as a kill within a write leaves it
  (run part --checkpoint="$work/checkpoint" --resume) || fail "$1: the last part: exit status $?"
  [[ $(ls "$work/far") == $'checkpoint\nresult' ]] || fail "$1: left $(ls "$work/far")"
  [[ -L $work/checkpoint && -L $work/part.pb ]] || fail "$1: a file took the place of a link"
  for output in pb safetensors weights diagnosis; do
    cmp "$work/whole.$output" "$work/part.$output" || fail "$1: $output differs after $stopped stops"
  done
  echo "$1: the same after $stopped stops"
}

survives FP32 'sgd { learning_rate: 0.01 momentum: 0.9 }'
survives FP16 'adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 0.001 }'
survives MP 'adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 1e-7 }'

# A segment that is there already is not trained again: nothing is lost by the same command.
segment() {
  "$train" --spec="$work/spec.textproto" --threads=1 --progress=none "$@" 2>"$work/stderr" ||
    fail "segment $*: exit status $?: $(cat "$work/stderr")"
}
segment --checkpoint="$work/third" --stop_after_epoch=3
[[ ! -s $work/stderr ]] || fail "a segment says $(cat "$work/stderr")"
cp "$work/third" "$work/copy"
for epoch in 3 2; do
  segment --checkpoint="$work/third" --resume --stop_after_epoch=$epoch
  [[ $(<"$work/stderr") == "train: $work/third is past epoch $epoch already: nothing to train" ]] ||
    fail "a segment that is there: $(cat "$work/stderr")"
  segment --checkpoint="$work/again_$epoch" --resume_from="$work/third" --stop_after_epoch=$epoch
  [[ $(<"$work/stderr") == "train: $work/third is past epoch $epoch already: nothing to train" ]] ||
    fail "a segment that goes on from beyond it: $(cat "$work/stderr")"
  cmp "$work/copy" "$work/third" || fail "a segment that is there has changed"
  cmp "$work/copy" "$work/again_$epoch" || fail "a segment from beyond it is another one"
done

# A second run with the checkpoint of one that lives is refused, and says whose it is; a killed run
# holds it no more.
sed -i 's/epochs: 10$/epochs: 100000/' "$work/spec.textproto"
(run first --checkpoint="$work/held" 2>"$work/ignored") &
pid=$!
trap 'kill -KILL "$pid" 2>"$work/ignored"' EXIT # also where a check fails
for ((i = 0; i < 1000; ++i)); do
  [[ -s $work/held.lock ]] && break
  sleep 0.01
done
ln -s held "$work/held_too"
for checkpoint in held held_too; do
  (run second --checkpoint="$work/$checkpoint" --resume 2>"$work/stderr")
  status=$?
  [[ $status == 2 && $(wc -l <"$work/stderr") == 1 ]] || fail "two runs of one checkpoint: exit status $status"
  grep -q "^train: $work/$checkpoint: in use by process $pid on " "$work/stderr" ||
    fail "does not say who holds the checkpoint: $(cat "$work/stderr")"
done
kill -KILL "$pid"
wait "$pid" 2>"$work/ignored"
segment --checkpoint="$work/held" --stop_after_epoch=1
[[ ! -e $work/held.lock ]] || fail "left a lock"

# Without a checkpoint the run says that nothing was saved.
(run endless 2>"$work/stderr") &
pid=$!
sleep 0.5
kill -INT "$pid"
wait "$pid"
status=$?
[[ $status == 3 ]] || fail "exit status $status on SIGINT without a checkpoint"
grep -q 'nothing was saved' "$work/stderr" || fail "does not say that nothing was saved"
