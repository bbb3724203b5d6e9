// SPDX-License-Identifier: MIT
/// on_ranks(n, body) by Gloo: threads of this process, each with a process group of its own, connected over TCP.
#pragma once

#define USE_C10D_GLOO  // as LibTorch was compiled
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <hone/adapt/process_group.hpp>
#include <hone/distributed/thread_group.hpp>

#include <chrono>

/// Returns this rank's group. All ranks pass the same store.
inline c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_group(c10::intrusive_ptr<c10d::Store> const& store, int rank,
                                                             int ranks, std::chrono::milliseconds time_limit) {
  auto options = c10d::ProcessGroupGloo::Options::create(time_limit);
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, ranks, options);
}

template <class Body>
void on_ranks(int ranks, Body const& body) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  hone::run_ranks(ranks, [&](hone::thread_rank thread) {
    body(hone::process_group(gloo_group(store, thread.rank(), ranks, std::chrono::seconds(60))));
  });
}
