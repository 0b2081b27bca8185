#!/bin/bash
# A run in three segments gives what it gives in one action, byte for byte. Arguments: the files of
# the one run, then those of the other.
set -uo pipefail
half=$(($# / 2))
one=("${@:1:half}")
three=("${@:half+1}")
failures=0
compared=0

for ((i = 0; i < half; ++i)); do
  name=$(basename "${one[i]}")
  [[ $name == $(basename "${three[i]}") ]] || { echo "FAILED: $name against ${three[i]}"; exit 1; }
  [[ $name == telemetry.pb ]] && continue # time and memory
  cmp "${one[i]}" "${three[i]}" || failures=$((failures + 1))
  compared=$((compared + 1))
done

[[ $compared == 3 ]] ||
  { echo "FAILED: $compared files compared, not the result, the probabilities and the diagnosis"; exit 1; }
((failures == 0))
