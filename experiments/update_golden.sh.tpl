#!/bin/bash
# Writes what the runs gave into the golden file of the source tree.
#
# usage: ./bazelw run TARGET -- --reason="why the values change"
set -euo pipefail

source_tree=${BUILD_WORKSPACE_DIRECTORY:?run this by "./bazelw run"}

# The commit, and "-dirty" where the sources, or the rules in the golden file, are not those of it. Golden values that
# were just written are none of these.
rules() { sed '/^scales {/,$d'; }
commit=$(git -C "$source_tree" rev-parse --short=12 HEAD)
git -C "$source_tree" diff --quiet HEAD -- . ':(exclude,glob)experiments/**/golden.textproto' \
  ':(exclude,glob)experiments/runs/*.textproto' &&
  cmp -s <(git -C "$source_tree" show "HEAD:./%{golden}" | rules) <(rules <"$source_tree/%{golden}") ||
  commit+=-dirty

cd "${RUNFILES_DIR:-$0.runfiles}/%{workspace}"
%{tool} --golden="$source_tree/%{golden}" --report=%{report} --runs=%{results} \
  --telemetry=%{telemetry} --date="$(date -u +%F)" \
  --commit="$commit" "$@"
echo "Written: $source_tree/%{golden}; look at the difference before you commit it."
