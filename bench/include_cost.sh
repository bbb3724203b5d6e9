#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What including hone costs: seconds (median of 5) to compile <hone/hone.hpp> with one evaluate, and each door alone,
# beside <Eigen/Core> with one expression, at -O2.   CXX another compiler, EIGEN its include folder, RUNS instead of 5
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runs=${RUNS:-5}

cat > "$work/hone.cpp" << 'END'
#include <hone/hone.hpp>
double loss(hone::cpu& cpu, const float* logits, float* gradient, const std::vector<int>& labels) {
  return hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::matrix_view{logits, 32, 10},
                        {.gradient = hone::matrix_view{gradient, 32, 10}});
}
END
cat > "$work/eigen.cpp" << 'END'
#include <Eigen/Core>
float sum(const float* x, int n) { return Eigen::Map<const Eigen::ArrayXf>(x, n).exp().sum(); }
END

doors=()
for door in "$root"/include/hone/*.hpp; do
  name=$(basename "$door" .hpp)
  doors+=("$name")
  echo "#include <hone/$name.hpp>" > "$work/door_$name.cpp"
done

compile() {
  local begin=$EPOCHREALTIME
  "${CXX:-g++}" -std=c++20 -O2 -I "$root/include" -isystem "${EIGEN:-/usr/include/eigen3}" -c "$work/$1.cpp" -o "$work/$1.o"
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

compile hone > /dev/null  # the first reads the headers from the disk
compile eigen > /dev/null
for ((i = 0; i < runs; ++i)); do  # in turns, so that both see the same machine
  compile hone >> "$work/hone.times"
  compile eigen >> "$work/eigen.times"
  for name in "${doors[@]}"; do compile "door_$name" >> "$work/door_$name.times"; done
done
median() { sort -g "$1" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }
awk -v hone="$(median "$work/hone.times")" -v eigen="$(median "$work/eigen.times")" \
  'BEGIN { printf "hone.hpp and one evaluate     %.2f s\nEigen/Core and one expression %.2f s\nratio %.2f (goal: at most 1.60)\n", hone, eigen, hone / eigen }'

printf '\n%-28s %8s %s\n' 'a door alone' seconds 'of Eigen/Core and one expression'
for name in "${doors[@]}"; do
  awk -v name="hone/$name.hpp" -v t="$(median "$work/door_$name.times")" -v eigen="$(median "$work/eigen.times")" \
    'BEGIN { printf "%-28s %8.2f %.2f\n", name, t, t / eigen }'
done
