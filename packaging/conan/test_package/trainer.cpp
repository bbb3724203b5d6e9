// SPDX-License-Identifier: MIT
#include <hone/hone.hpp>

int main() { return hone::cosine{.peak = 1, .total = 2}.rate(0) == 1 ? 0 : 1; }
