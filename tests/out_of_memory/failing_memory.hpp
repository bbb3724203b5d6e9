// SPDX-License-Identifier: MIT
/// Memory that fails when it is told to: the allocation functions of this program are those of failing_memory_test.cpp.
#pragma once

/// The n-th allocation of the calling thread from now on fails, and it alone; none where n is 0.
void fail_allocation(int n) noexcept;
/// Every allocation of every thread fails, or none.
void fail_all_allocations(bool fail) noexcept;
