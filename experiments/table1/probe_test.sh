#!/bin/bash
# probe.py: nonsense is refused, an assembler's answers and refusals are told, and no assembler is said to be none.
set -euo pipefail

probe=experiments/table1/probe.py
out=$TEST_TMPDIR
ptxas=../cuda/bin/ptxas  # among the runfiles, where there is one

fail() {
  echo "$1" >&2
  exit 1
}

# No assembler: nothing is asked.
python3 $probe --out="$out/none.textproto"
! grep -q '^[^#]' "$out/none.textproto" || fail "without ptxas there are answers"

# An assembler that knows PTX up to 7.0 and the targets sm_75, sm_80; it refuses bfloat16 for sm_75, and FP8.
cat > "$out/ptxas" <<'PTXAS'
#!/bin/bash
[[ $1 != --version ]] || { echo "Cuda compilation tools, release 11.0, V11.0.1"; exit; }
refuse() {
  echo "ptxas $2, line 9; error   : $1" >&2
  exit 255
}
target=${1#--gpu-name=}
read -r _ version < "$2"
[[ $target == sm_75 || $target == sm_80 ]] || refuse "Value '$target' is not defined for option 'gpu-name'" "$2"
[[ $version < 7.1 ]] || refuse "Unsupported .version $version" "$2"
! grep -q 'e4m3\|f13\|tcgen05\|wgmma\|kind::' "$2" || refuse "Unknown modifier" "$2"
! grep -q 'bf16' "$2" || [[ $target == sm_80 ]] || refuse "Feature '.bf16' requires .target sm_80 or higher" "$2"
PTXAS
chmod +x "$out/ptxas"
python3 $probe "$out/ptxas" --out="$out/old.textproto"
expect() {  # expect COUNT TEXT: lines with the text
  [[ $(grep -cF "$2" "$out/old.textproto") == "$1" ]] || fail "not $1 lines with: $2"
}
expect 1 'toolkit: "ptxas 11.0.1"'
expect 2 'ptx_version: "7.0" accepts_nonsense: false'
expect 8 'ptx_version: "" accepts_nonsense: false'
expect 2 'answers { target: "sm_75" message: "Feature '"'.bf16'"' requires .target sm_80 or higher" }'
expect 8 'answers { target: "sm_80" accepted: true }'
expect 0 'answers { target: "sm_90"'

# One that accepts everything is found out.
printf '#!/bin/bash\necho "release 99.0, V99.0.1"\n' > "$out/yes"
chmod +x "$out/yes"
python3 $probe "$out/yes" --out="$out/yes.textproto"
[[ $(grep -c 'accepts_nonsense: true' "$out/yes.textproto") == 10 ]] || fail "nonsense passes unseen"

# What is no assembler: one line, exit status 2, no file.
for wrong in /bin/true "$out/nowhere"; do
  status=0
  message=$(python3 $probe "$wrong" --out="$out/wrong.textproto" 2>&1) || status=$?
  [[ $status == 2 && $message == "error: $wrong: "* && $message != *$'\n'* && ! -e $out/wrong.textproto ]] ||
    fail "$wrong: status $status, $message"
done

# The installed one, where there is one.
if [[ -e $ptxas ]]; then
  python3 $probe "$ptxas" --out="$out/real.textproto"
  grep -q 'accepts_nonsense: false' "$out/real.textproto" || fail "the toolkit knows no target"
  ! grep -q 'accepts_nonsense: true' "$out/real.textproto" || fail "the toolkit accepts nonsense"
  ! grep -q "$out" "$out/real.textproto" || fail "a path of this machine is in the answers"
fi
