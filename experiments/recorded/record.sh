#!/bin/bash
# Keeps what a run of the paper's protocol has given, from committed sources only.
#
# usage: ./bazelw run //experiments/recorded:record -- --help
set -uo pipefail
source_tree=${BUILD_WORKSPACE_DIRECTORY:?run this by "./bazelw run"}

# What is recorded is to be what a commit gives. The records themselves are no source.
if [[ " $* " != *" --help"* ]] &&
  ! git -C "$source_tree" diff --quiet HEAD -- . ':(exclude,glob)experiments/recorded/*.textproto' 2>/dev/null; then
  echo "record: $source_tree: has changes that are not committed; commit them, and record what that commit trained" >&2
  exit 2
fi
exec "${0%/*}/write_record" "$@"
