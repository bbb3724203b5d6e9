// SPDX-License-Identifier: MIT
/// LibTorch's process groups as communicators: docs/distributed.md.
#pragma once

#include <hone/distributed/communicator.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/distributed/c10d/Types.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct process_group_options {
  std::chrono::milliseconds time_limit = c10d::kUnsetTimeout;  ///< unset: that of the group
  at::Device device = at::kCPU;                                ///< where the group's tensors are: at::kCUDA for NCCL
};

/// The ranks of a process group of LibTorch: a c10d::ProcessGroup, a c10d::Backend of 2.x, or one of their kinds, such
/// as c10d::ProcessGroupGloo. The trainer makes the group.
///
///     hone::process_group ranks(group);  // a c10::intrusive_ptr
///     hone::transform(cpu, clip, gradients, ranks);
///
/// A verb throws hone::communicator_error with the group's own message if the group fails or the time limit passes.
/// After that the group is to be destroyed, as LibTorch demands. The numbers of a group on a device are copied there
/// and back, and a verb waits for them.
template <class Group>
class process_group {
 public:
  /// Throws hone::invalid_argument if the group is null.
  explicit process_group(c10::intrusive_ptr<Group> group, process_group_options options = {})
      : group_(std::move(group)), options_(options) {
    if (!group_) detail::fail("process_group: group is null");
  }

  int rank() const { return static_cast<int>(group_->getRank()); }
  int size() const { return static_cast<int>(group_->getSize()); }
  void sum(std::span<std::int64_t> integers) const { reduce("sum", integers, at::kLong, c10d::ReduceOp::SUM); }
  void sum(std::span<double> numbers) const { reduce("sum", numbers, at::kDouble, c10d::ReduceOp::SUM); }
  void max(std::span<double> numbers) const { reduce("max", numbers, at::kDouble, c10d::ReduceOp::MAX); }
  void broadcast(std::span<std::byte> bytes, int root) const {
    detail::require(root >= 0 && root < size(), "process_group", "root", root, "a rank of the group");
    c10d::BroadcastOptions options;
    options.rootRank = root, options.timeout = options_.time_limit;
    exchange("broadcast", bytes, at::kByte,
             [&](std::vector<at::Tensor>& tensors) { return group_->broadcast(tensors, options); });
  }
  void barrier() const {
    // Of one number: barriers of NCCL's groups guess their device, and those of Gloo's know no time limit.
    std::int64_t one = 1;
    reduce("barrier", std::span(&one, 1), at::kLong, c10d::ReduceOp::SUM);
  }

 private:
  template <class T>
  void reduce(const char* verb, std::span<T> numbers, at::ScalarType type, c10d::ReduceOp how) const {
    c10d::AllreduceOptions options;
    options.reduceOp = how, options.timeout = options_.time_limit;
    exchange(verb, numbers, type,
             [&](std::vector<at::Tensor>& tensors) { return group_->allreduce(tensors, options); });
  }

  /// Calls start(tensors), which returns the group's work, waits for it, and copies the tensor back. The group gets a
  /// tensor of its own: work that has failed may still write to it.
  template <class T, class Start>
  void exchange(const char* verb, std::span<T> numbers, at::ScalarType type, Start const& start) const {
    if (numbers.empty()) return;
#if HONE_HAS_EXCEPTIONS
    std::string wrong;
    try {
#endif
      const at::Tensor mine = at::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, type);
      std::vector<at::Tensor> tensors{at::empty({mine.numel()}, mine.options().device(options_.device)).copy_(mine)};
      const auto work = start(tensors);
      if (work && !work->wait(options_.time_limit == c10d::kUnsetTimeout ? no_limit : options_.time_limit))
        detail::raise(communicator_error(std::string("process_group: ") + verb + " failed"));
      mine.copy_(tensors[0]);
#if HONE_HAS_EXCEPTIONS
      return;
    } catch (communicator_error const&) {
      throw;
    } catch (std::exception const& error) {
      wrong = error.what();
    }
    throw communicator_error(std::string("process_group: ") + verb + ": " + wrong.substr(0, wrong.find('\n')));
#endif
  }

  static constexpr std::chrono::milliseconds no_limit{0};  // of Work::wait

  c10::intrusive_ptr<Group> group_;
  process_group_options options_;
};

template <class Group>
process_group(c10::intrusive_ptr<Group>) -> process_group<Group>;
template <class Group>
process_group(c10::intrusive_ptr<Group>, process_group_options) -> process_group<Group>;

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
