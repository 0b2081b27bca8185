#!/bin/bash
# The headers that host and GPU share are device code, and round there as the contract says: for the oldest and the
# newest architecture that the installed toolkit knows, from Turing on.
# usage: device_headers_test.sh SOURCE.cu CHECK_PTX.PY
set -euo pipefail

source=$1 check_ptx=$2
nvcc=../cuda/bin/nvcc  # among the runfiles, where there is one
if [[ ! -e $nvcc ]]; then
  echo "left out: no CUDA toolkit, so nothing was compiled as device code"
  exit 0
fi
nvcc=$(readlink -f "$nvcc")  # it looks for its parts beside itself
export TMPDIR=$TEST_TMPDIR
compile() {  # compile ARCHITECTURE OUT FLAG...
  "$nvcc" -std=c++17 -O3 -Werror all-warnings -I . -arch="compute_$1" -ptx "$source" -o "$2" "${@:3}"
}

mapfile -t known < <("$nvcc" --list-gpu-arch | sed 's/compute_//' | awk '$1 >= 75' | sort -n)
((${#known[@]} > 0)) || { echo "the toolkit knows no architecture from 75 on" >&2; exit 1; }
for architecture in "${known[0]}" "${known[-1]}"; do
  compile "$architecture" "$TMPDIR/$architecture.ptx" -fmad=false -ftz=false -prec-div=true -prec-sqrt=true
done
python3 "$check_ptx" "$TMPDIR"/*.ptx

# What flushes subnormals is found.
compile "${known[0]}" "$TMPDIR/fast" -use_fast_math
if python3 "$check_ptx" "$TMPDIR/fast" > "$TMPDIR/found" || ! grep -q '\.ftz' "$TMPDIR/found"; then
  echo "fast math passes unseen" >&2
  exit 1
fi
