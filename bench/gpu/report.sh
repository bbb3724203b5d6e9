#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds hone for the GPU of this machine, tests it, measures it, and writes gpu-NAME.md and gpu-NAME.json, and where a
# step failed or ran out of time gpu-NAME-logs.tar.gz.
#
#   ./run gpu [--out FOLDER] [--minutes 9] [--arch 90] [--build-only] [--simulate CUDASIM]
#
#   --out         where the reports go: $OUT, or docs/benchmarks
#   --minutes     after which everything has ended, whatever was left to do
#   --arch        the compute capability to build for, where nvidia-smi need not be asked
#   --build-only  no more than that; needs no GPU
#   --simulate    the same steps on cudasim, which is in that folder; no time then means anything
#
# It needs nvcc, CMake, a C++ compiler and .deps (./run deps); PyTorch and compute-sanitizer are used where they are.
# The status is 1 where the build, a test, a result or a sanitizer failed, and 2 where there is nothing to run on.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

say() { printf '%s\n' "$*" >&2; }
stop() { say "./run gpu: $*"; exit 2; }

out=${OUT:-docs/benchmarks} minutes=9 arch='' build_only='' cudasim=''
while [ $# -gt 0 ]; do
  case $1 in
    --build-only) build_only=yes ;;
    --out | --minutes | --arch | --simulate)
      [ $# -gt 1 ] || stop "$1 lacks a value"
      case $1 in --out) out=$2 ;; --minutes) minutes=$2 ;; --arch) arch=$2 ;; --simulate) cudasim=$2 ;; esac
      shift ;;
    *) sed -n '6,13s/^# *//p' "$0"; [ "$1" = --help ] && exit; exit 2 ;;
  esac
  shift
done

[[ $minutes =~ ^[1-9][0-9]*$ ]] || stop "--minutes is $minutes, must be a whole number"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
: > "$work/steps"  # name, outcome, seconds, note

# ---- steps, each under a time limit --------------------------------------------------------------------------

left() { echo $((minutes * 60 - SECONDS - 10)); }  # the last seconds are for the report
slug() { tr '[:upper:]' '[:lower:]' <<< "$1" | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g'; }
log_of() { echo "$work/$(slug "$1").log"; }

outcome() {  # NAME OUTCOME SECONDS NOTE
  printf '%s\t%s\t%s\t%s\n' "$@" >> "$work/steps"
  say "$1: $2 ($3 s) $4"
}

# limited NAME SECONDS COMMAND…: runs it with so much time at most, its output in a log. 124: out of time; 125: not begun.
limited() {
  local name=$1 limit=$2
  shift 2
  [ "$limit" -le "$(left)" ] || limit=$(left)
  [ "$limit" -ge 3 ] || return 125
  timeout -k 5 "$limit" "$@" > "$(log_of "$name")" 2>&1 < /dev/null
}

# step NAME SECONDS COMMAND…: the same, remembered for the report; false where it did not succeed.
step() {
  local name=$1 begin=$SECONDS status=0
  say "$name ..."
  limited "$@" || status=$?
  case $status in
    0) outcome "$name" ok $((SECONDS - begin)) '' ;;
    124 | 137) outcome "$name" 'out of time' $((SECONDS - begin)) '' ;;
    125) outcome "$name" skipped 0 'no time was left' ;;
    *) outcome "$name" FAILED $((SECONDS - begin)) "status $status" ;;
  esac
  return "$status"
}
must() { step "$@" || failed=1; }

# ---- what there is -------------------------------------------------------------------------------------------

nvcc=$(command -v nvcc || ls "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" 2> /dev/null) ||
  stop "no nvcc was found: put it on the PATH, or say CUDA_HOME"
query=name,compute_cap,driver_version,memory.total
gpu=$(nvidia-smi --query-gpu="$query" --format=csv,noheader 2> /dev/null | head -n 1)
IFS=, read -r name capability driver memory <<< "$gpu"
[[ $capability =~ ([0-9]+)\.([0-9]+) ]] && arch=${arch:-${BASH_REMATCH[1]}${BASH_REMATCH[2]}}
if [ -n "$cudasim" ]; then
  preset=cudasim name='a simulator' arch=${arch:-90}
  options=(-D "HONE_CUDASIM=$(realpath "$cudasim")")
else
  [ -n "$gpu" ] || [ -n "$build_only" ] || stop "there is no GPU here: nvidia-smi names none. --build-only needs none"
  [ -n "$arch" ] || stop "which GPU to build for is not known: --arch 90 for one of compute capability 9.0"
  preset=gpu
  options=(-D "HONE_GPU_ARCHITECTURE=$arch")
fi
command -v ninja > /dev/null || options+=(-G 'Unix Makefiles')

facts() {
  printf 'gpu\t%s\ncompute capability\t%s\n' "$name" "${capability# }"
  printf 'driver\t%s\nmemory\t%s\n' "${driver# }" "${memory# }"
  printf 'nvcc\t%s\n' "$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')"
  printf 'host compiler\t%s\n' "$("${CXX:-c++}" --version | head -n 1)"
  printf 'commit\t%s\n' "$(git describe --always --dirty 2> /dev/null || echo unknown)"
  printf 'date\t%s\n' "$(date -u +%F)"
}
facts > "$work/facts"

# ---- build --------------------------------------------------------------------------------------------------

go_on=-k && command -v ninja > /dev/null && go_on=-k0  # what can be built, is
built=()  # programs of tests; not those of an earlier run
if step configure 60 cmake --preset "$preset" "${options[@]}"; then
  must build 300 cmake --build "build/$preset" -j "$(nproc)" --target hone_cuda_programs -- "$go_on"
  for program in "build/$preset"/tests/cuda/cuda_*_test; do [ ! -x "$program" ] || built+=("$program"); done
fi
[ ${#built[@]} -gt 0 ] || failed=1
if [ -n "$build_only" ]; then
  [ "$failed" -eq 0 ] || tail -n 50 "$(log_of configure)" "$(log_of build)" >&2
  exit "$failed"
fi

# ---- tests, figures, peers -------------------------------------------------------------------------------------

tests=(-L gpu -j "$(nproc)") quick=() peer=()
[ -z "$cudasim" ] || tests=(-R '^cuda.*forward$' -j "$(nproc)") quick=(--quick) peer=(--quick --device cpu)
if [ ${#built[@]} -eq 0 ]; then
  for skipped in tests figures; do outcome "$skipped" skipped 0 'no program was built'; done
else
  must tests 90 ctest --test-dir "build/$preset" "${tests[@]}" --output-on-failure --no-tests=error --timeout 60
  must figures 120 "build/$preset/bench/gpu/hone_gpu_bench" --table "$work/hone" "${quick[@]}"
fi

if [ ${#built[@]} -eq 0 ]; then
  outcome PyTorch skipped 0 'there is nothing to compare with'
elif timeout 60 python3 -c 'import torch' 2> /dev/null; then
  seconds=$(($(left) / 2 < 170 ? $(left) / 2 : 170))  # and the rest for the sanitizers
  step PyTorch "$seconds" python3 bench/gpu/torch_peer.py --table "$work/torch" --seconds $((seconds - 20)) "${peer[@]}"
else
  outcome PyTorch skipped 0 'python3 with PyTorch was not found'
fi

# ---- sanitizers, a share of what is left for each; their programs run side by side ----------------------------------

sanitizer=$(command -v compute-sanitizer || ls "$(dirname "$(realpath "$nvcc")")/compute-sanitizer" 2> /dev/null)

# sanitize TOOL SECONDS
sanitize() {
  local tool=$1 limit=$2 begin=$SECONDS program test port=49200 options=() good=0 bad=() late=() refused=() log status
  for program in "${built[@]}"; do
    options=(--tool "$tool" --error-exitcode 9)
    [ "$tool" != memcheck ] || options+=(--report-api-errors no)  # tests provoke some, and check them
    # each its own ports, or they meet each other's programs
    grep -q base-port <<< "$sanitizer_help" && options+=(--base-port $((port += 20)))
    test=${program##*/cuda_}
    {
      status=0
      limited "$tool $test" "$limit" "$sanitizer" "${options[@]}" "$program" || status=$?
      echo "$status" > "$work/$tool.$test"
    } &
  done
  wait
  for program in "${built[@]}"; do
    test=${program##*/cuda_} log=$(log_of "$tool ${program##*/cuda_}")
    case $(cat "$work/$tool.$test") in
      0) good=$((good + 1)) ;;
      124 | 125 | 137)
        if grep -qE '^=+ +(Invalid|Error|Race|Uninit|Barrier|Hazard)' "$log" 2> /dev/null; then bad+=("$test")
        else late+=("$test"); fi ;;
      *) if grep -qi 'not supported' "$log"; then refused+=("$test"); else bad+=("$test"); fi ;;
    esac
    [ "$(cat "$work/$tool.$test")" = 0 ] || tail -n 25 "$log" 2> /dev/null
  done > "$(log_of "$tool")"
  local note="$good programs without an error"
  [ ${#late[@]} -eq 0 ] || note+="; no error in the time there was: ${late[*]}"
  [ ${#refused[@]} -eq 0 ] || note+="; the device is not supported: ${refused[*]}"
  [ ${#bad[@]} -eq 0 ] || note+="; not clean: ${bad[*]}" failed=1
  if [ ${#bad[@]} -gt 0 ]; then outcome "$tool" FAILED $((SECONDS - begin)) "$note"
  elif [ ${#late[@]} -gt 0 ]; then outcome "$tool" 'out of time' $((SECONDS - begin)) "$note"
  elif [ "$good" -eq 0 ]; then outcome "$tool" skipped $((SECONDS - begin)) "$note"
  else outcome "$tool" ok $((SECONDS - begin)) "$note"; fi
}

tools=(memcheck racecheck initcheck synccheck)
if [ ${#built[@]} -eq 0 ] || [ -n "$cudasim" ] || [ -z "$sanitizer" ]; then
  why='compute-sanitizer was not found'
  [ -z "$cudasim" ] || why='the simulator checks these in its tests'
  [ ${#built[@]} -gt 0 ] || why='no program was built'
  for tool in "${tools[@]}"; do outcome "$tool" skipped 0 "$why"; done
else
  sanitizer_help=$("$sanitizer" --help 2>&1)
  for ((i = 0; i < 4; ++i)); do
    share=$(($(left) / (4 - i)))
    if [ "$share" -lt 3 ]; then outcome "${tools[i]}" skipped 0 'no time was left'; continue; fi
    say "${tools[i]} ..."
    sanitize "${tools[i]}" "$share"
  done
fi

# ---- the reports ---------------------------------------------------------------------------------------------

: >> "$work/hone"
: >> "$work/torch"
sed -n 's/^# //p' "$work/hone" "$work/torch" >> "$work/facts"
for table in hone torch; do grep -v '^#' "$work/$table" > "$work/$table.rows"; done
(printf 'step\toutcome\tseconds\tnote\n'; cat "$work/steps") > "$work/steps.rows"

# shellcheck disable=SC2016  # awk's own dollars
json='
  function value(x) {  # what looks like a number is one, and nothing is null
    if (x == "") return "null"
    if (x ~ /^-?[0-9]+(\.[0-9]+)?$/) return x
    gsub(/\\/, "\\\\", x); gsub(/"/, "\\\"", x)
    return "\"" x "\""
  }
  function pair(name, x) { printf "%s\"%s\": %s", (separate++ ? ", " : ""), name, value(x) }'

# A table with a line of names, as an array of objects.
objects() {
  awk -F '\t' "$json"'
    NR == 1 { for (i = 1; i <= NF; ++i) name[i] = $i; columns = NF; next }
    {
      printf "%s\n    {", (NR > 2 ? "," : "")
      separate = 0
      for (i = 1; i <= columns; ++i) pair(name[i], $i)
      printf "}"
    }' "$1"
}
as_json() {
  printf '{\n  "about": {%s},\n' "$(awk -F '\t' "$json"'{ pair($1, $2) }' "$work/facts")"
  printf '  "steps": [%s\n  ],\n' "$(objects "$work/steps.rows")"
  printf '  "hone": [%s\n  ],\n' "$(objects "$work/hone.rows")"
  printf '  "PyTorch": [%s\n  ]\n}\n' "$(objects "$work/torch.rows")"
}

as_markdown() {
  local step how file
  printf '# hone on %s\n\n' "$name"
  [ -z "$cudasim" ] || printf '**SIMULATED: no time means anything.**\n\n'
  printf 'Written by ./run gpu; %s.json beside this file has all of it.\n\n| | |\n|---|---|\n' "$report"
  awk -F '\t' '$2 != "" { printf "| %s | %s |\n", $1, $2 }' "$work/facts"
  printf '\n## What was run\n\n| step | outcome | seconds | |\n|---|---|---|---|\n'
  awk -F '\t' '{ printf "| %s | %s | %s | %s |\n", $1, $2, $3, $4 }' "$work/steps"
  while IFS=$'\t' read -r step how _; do
    file=$(log_of "$step")
    case $how in FAILED | 'out of time') ;; *) continue ;; esac
    [ -s "$file" ] || continue
    printf '\nThe end of the log of %s:\n\n```\n' "$step"
    tail -n 25 "$file" | cut -c 1-200
    printf '```\n'
  done < "$work/steps"
  if [ -s "$work/hone.rows" ]; then
    printf '\n## Losses, value and gradient\n\n'
    awk -F '\t' 'NR > 1 { for (i = 11; i <= 12; ++i) if ($i > 0 && $5 / $i > best) best = $5 / $i }
      END { printf "The fastest copy in this run moved %.0f GB/s, read and written bytes counted.\n", best * 1e-3 }
      ' "$work/hone.rows"
    cat << 'END'
"Of copy" is the time of a copy that moves as many bytes, the faster one of cudaMemcpyAsync and a kernel, in turns with
the work, divided by the work's time. All times are medians, on buffers that rotate past L2, in a CUDA graph of many
calls; "alone" is a call's time where the host enqueues each. PyTorch's are of the loss and its gradient by the logits,
likewise in graphs.

| work | shape | type | µs | alone | GB/s | of copy | x eager | x torch.compile |
|---|---|---|---|---|---|---|---|---|
END
    awk -F '\t' '
      FNR == 1 { ++file; next }
      file == 1 { if ($6 > 0) us[$1, $2, $3, $4, $5] = $6; next }
      function times(form) { return us[$1, $2, $3, $4, form] ? sprintf("%.1f", us[$1, $2, $3, $4, form] / $9) : "" }
      { printf "| %s | %d x %d | %s | %.1f | %.1f | %.0f | %.2f | %s | %s |\n", $1, $2, $3, $4, $9, $10, $13, $14,
               times("eager"), times("compile") }' "$work/torch.head" "$work/hone.rows"
  fi
  [ -s "$work/torch.rows" ] || return 0
  printf '\n## PyTorch\n\n| work | shape | type | form | µs | alone | |\n|---|---|---|---|---|---|---|\n'
  awk -F '\t' 'NR > 1 { printf "| %s | %d x %d | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6, $7, $8 }' \
    "$work/torch.rows"
}

report=gpu-$(slug "${name#NVIDIA }")
cp "$work/torch.rows" "$work/torch.head"
[ -s "$work/torch.head" ] || echo names > "$work/torch.head"  # awk tells files apart by their first lines
mkdir -p "$out" && as_json > "$out/$report.json" && as_markdown | tee "$out/$report.md" || failed=1
logs=''
rm -f "$out/$report-logs.tar.gz"
if grep -qE $'\t(FAILED|out of time)\t' "$work/steps"; then
  (cd "$work" && tar czf - ./*.log) > "$out/$report-logs.tar.gz" && logs=', -logs.tar.gz'
fi
say "$out/$report.md, .json$logs, after $SECONDS s"
exit "$failed"
