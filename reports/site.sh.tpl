#!/bin/bash
# Writes the pages of all reports and their index into one folder, with what depends on the machine and the moment.
#
# usage: ./bazelw run TARGET [-- --out_dir=FOLDER --times=yes|no --markdown --port=NUMBER]
set -euo pipefail

source_tree=${BUILD_WORKSPACE_DIRECTORY:-}
out_dir=${source_tree:-$PWD}/out/site
times=no
index=index.html
serve=%{serve}
port=8000
for argument; do
  case $argument in
    --out_dir=?*)
      out_dir=${argument#--out_dir=}
      [[ $out_dir == /* ]] || out_dir=${BUILD_WORKING_DIRECTORY:-$PWD}/$out_dir
      ;;
    --times=yes | --times=no)
      times=${argument#--times=}
      ;;
    --markdown)
      [[ ! $serve ]] || {
        echo "error: --markdown: a browser is served pages; give it to //reports:site" >&2
        exit 2
      }
      index=README.md
      ;;
    --port=?*)
      port=${argument#--port=}
      ;;
    *)
      [[ $serve ]] && last=--port=NUMBER || last=--markdown
      echo "error: $argument: unknown; the arguments are --out_dir=FOLDER, --times=yes|no, $last" >&2
      exit 2
      ;;
  esac
done

export RUNFILES_DIR=${RUNFILES_DIR:-$0.runfiles}
[[ $RUNFILES_DIR == /* ]] || RUNFILES_DIR=$PWD/$RUNFILES_DIR
cd "$RUNFILES_DIR/%{workspace}"

commit=unknown
if [[ $source_tree ]] && command -v git >/dev/null; then
  commit=$(git -C "$source_tree" describe --always --dirty --abbrev=12 2>/dev/null) || commit=unknown
fi

# Everything is made here and then moved, so that no file is ever half-written.
unfinished=
mkdir -p "$out_dir" 2>/dev/null && unfinished=$(mktemp -d "$out_dir/.unfinished.XXXXXX" 2>/dev/null) || {
  echo "error: $out_dir: cannot be written; give a folder to write to by --out_dir=FOLDER" >&2
  exit 2
}
trap 'rm -rf "$unfinished"' EXIT

for page in %{writers}; do
  "${page#*=}" --out_dir="$unfinished/${page%%=*}" --times="$times" >/dev/null
done
%{index} --page=%{pages} --telemetry=%{telemetry} --commit="$commit" --date="$(date -u +%F)" \
  --out="$unfinished/$index"
# For a repository, which shows Markdown.
[[ $index == *.html ]] || find "$unfinished" -name '*.html' -delete

(cd "$unfinished" && find . -type f) | sort | while read -r file; do
  mkdir -p "$out_dir/$(dirname "$file")"
  mv -f "$unfinished/$file" "$out_dir/$file"
done
echo
echo "The site: $out_dir/$index"
if [[ $serve ]]; then
  rm -rf "$unfinished"
  exec python3 "$serve" --folder="$out_dir" --port="$port"
fi
