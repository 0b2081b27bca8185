#!/bin/bash
# Writes what the runs gave into the golden file of the source tree.
#
# usage: ./bazelw run TARGET -- --reason="why the values change"
set -euo pipefail

source_tree=${BUILD_WORKSPACE_DIRECTORY:?run this by "./bazelw run"}
cd "${RUNFILES_DIR:-$0.runfiles}/%{workspace}"
%{tool} --golden="$source_tree/%{golden}" --report=%{report} --runs=%{results} \
  --telemetry=%{telemetry} --date="$(date -u +%F)" \
  --commit="$(git -C "$source_tree" describe --always --dirty --abbrev=12)" "$@"
echo "Written: $source_tree/%{golden}; look at the difference before you commit it."
