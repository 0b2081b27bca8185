#!/bin/bash
# The PTX of every kernel rounds as the contract says.
# usage: kernel_ptx_test.sh CHECK_PTX.PY [FILE.ptx...]
set -euo pipefail

if (($# == 1)); then
  echo "left out: no CUDA toolkit, so no kernel was compiled"
  exit 0
fi
python3 "$@"
echo "$(($# - 1)) files"
