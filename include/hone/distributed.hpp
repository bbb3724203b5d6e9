// SPDX-License-Identifier: MIT
/// Several ranks: communicators, exact sums, shards. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/distributed/agreement.hpp>
#include <hone/distributed/broadcast.hpp>
#include <hone/distributed/class_shard.hpp>
#include <hone/distributed/communicator.hpp>
#include <hone/distributed/exact_sum.hpp>
#include <hone/distributed/fingerprint.hpp>
#include <hone/distributed/gathered_file.hpp>
#include <hone/distributed/gathering.hpp>
#include <hone/distributed/gradient_lists.hpp>
#include <hone/distributed/merge_channels.hpp>
#include <hone/distributed/merge_reliability.hpp>
#include <hone/distributed/rank_accumulation.hpp>
#include <hone/distributed/rank_reduction.hpp>
#include <hone/distributed/replica_error.hpp>
#include <hone/distributed/row_message.hpp>
#include <hone/distributed/same_on_ranks.hpp>
#include <hone/distributed/shard.hpp>
#include <hone/distributed/shard_target.hpp>
#include <hone/distributed/sharded_list.hpp>
#include <hone/distributed/step_message.hpp>
#include <hone/distributed/step_sums.hpp>
#include <hone/distributed/windowed_sum.hpp>
