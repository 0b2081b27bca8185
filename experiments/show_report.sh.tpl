#!/bin/bash
# Prints the report, and writes its page with what depends on the machine and the moment: commit, date, device.
#
# usage: ./bazelw run TARGET [-- --out_dir=FOLDER --times=yes|no]
set -euo pipefail

source_tree=${BUILD_WORKSPACE_DIRECTORY:-}
out_dir=${source_tree:-$PWD}/out/%{name}
times=yes
for argument; do
  case $argument in
    --out_dir=?*)
      out_dir=${argument#--out_dir=}
      [[ $out_dir == /* ]] || out_dir=${BUILD_WORKING_DIRECTORY:-$PWD}/$out_dir
      ;;
    --times=yes | --times=no)
      times=${argument#--times=}
      ;;
    *)
      echo "error: $argument: unknown; the arguments are --out_dir=FOLDER and --times=yes|no" >&2
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

render --format=html --chart="$inside" --out="$unfinished/report.html"
render --format=markdown --chart="$beside" --out="$unfinished/report.md"
mv -f "$unfinished"/* "$out_dir"
render --format=terminal
echo
echo "The page: $out_dir/report.html"
