#!/bin/bash
# Prints the report's first screen, and writes its page with what depends on the machine and the moment: commit, date,
# device. Beside the page stand its tables as CSV and as JSON.
#
# usage: ./bazelw run TARGET [-- --full --out_dir=FOLDER --times=yes|no]
set -euo pipefail

source_tree=${BUILD_WORKSPACE_DIRECTORY:-}
out_dir=${source_tree:-$PWD}/out/%{name}
times=yes
shown=screen
for argument; do
  case $argument in
    --out_dir=?*)
      out_dir=${argument#--out_dir=}
      [[ $out_dir == /* ]] || out_dir=${BUILD_WORKING_DIRECTORY:-$PWD}/$out_dir
      ;;
    --times=yes | --times=no)
      times=${argument#--times=}
      ;;
    --full)
      shown=terminal
      ;;
    *)
      echo "error: $argument: unknown; the arguments are --full, --out_dir=FOLDER and --times=yes|no" >&2
      exit 2
      ;;
  esac
done

cd "${RUNFILES_DIR:-$0.runfiles}/%{workspace}"

commit=unknown
if [[ $source_tree ]] && command -v git >/dev/null; then
  commit=$(git -C "$source_tree" describe --always --dirty --abbrev=12 2>/dev/null) || commit=unknown
fi

render() {
  %{render} --report=%{report} --golden=%{golden} --runs=%{results} --telemetry=%{telemetry} --timing="$timing" \
    --commit="$commit" --date="$(date -u +%F)" "$@"
}

# The page and its pictures are made here and then moved, so that none is ever half-written.
unfinished=
mkdir -p "$out_dir" 2>/dev/null && unfinished=$(mktemp -d "$out_dir/.unfinished.XXXXXX" 2>/dev/null) || {
  echo "error: $out_dir: cannot be written; give a folder to write to by --out_dir=FOLDER" >&2
  exit 2
}
trap 'rm -rf "$unfinished"' EXIT

# Times belong to this machine and moment: they are measured now, when no run is in the way.
timing=
if [[ "%{step_times}" && $times == yes ]]; then
  timing=$unfinished/.timing.textproto
  %{step_times} --models=%{models} --policies=%{policies} --golden=%{golden} --out="$timing"
fi

inside= beside=
for picture in %{pictures}; do
  file=$(basename "$picture")
  cp -f --no-preserve=mode "$picture" "$unfinished/$file"
  inside+=${inside:+,}${file%.svg}=$picture
  beside+=${beside:+,}${file%.svg}=$file
done

render --format=html --chart="$inside" --data_files --out="$unfinished/report.html"
render --format=markdown --chart="$beside" --data_files --out="$unfinished/report.md"
render --format=data --out="$unfinished"
mv -f "$unfinished"/* "$out_dir"
render --format=$shown
echo
# A difference is told, and fails the tests, not this.
%{compare_golden} --report=%{report} --golden=%{golden} --brief || true
echo "The page: $out_dir/report.html"
[[ $shown == terminal ]] || echo "The whole of it here: the same command with -- --full"
