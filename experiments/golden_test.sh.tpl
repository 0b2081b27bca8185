#!/bin/bash
# Holds a report, or runs, to their golden values.
cd "${RUNFILES_DIR:-$0.runfiles}/%{workspace}" || exit 2
exec %{tool} --golden=%{golden} --report=%{report} --runs=%{results}
