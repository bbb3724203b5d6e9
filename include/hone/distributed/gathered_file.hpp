// SPDX-License-Identifier: MIT
/// Files of an average whose tensors are cut over ranks: the file of the whole, whatever the number of ranks.
#pragma once

#include <hone/average/state_file.hpp>
#include <hone/distributed/gathering.hpp>

#include <optional>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Writes a state that is cut over ranks to the file that save_file writes of the whole state, byte by byte. Rank 0
/// writes it; the others need not see its disk. The list of the parameters says how the tensors of this rank lie in the
/// whole model: flat shards, rows, columns, replicas. A tied tensor is empty in the state and in the file.
///
///     hone::sharded_list<float> parameters;  // all ranks list all tensors; a rank without numbers of one, with size 0
///     hone::ema_state<float> shadow(parameters.tensors());
///     hone::save_file(ranks, shadow, parameters, "shadow.ema");
///
/// columns[i] is the number of columns of the whole of a flat hone::shard i; without it, its tensor is saved as one
/// row. Files load into any shape of the same size.
///
/// Numbers pass in pieces of 1 MiB, so that no rank needs memory for the model. Throws on all ranks, never on some
/// alone, and `path` is then as save_file leaves it: hone::io_error on rank 0 if it cannot write (the others throw
/// hone::rank_error); hone::invalid_argument if the shards of a tensor do not cover it, overlap, or belong to different
/// wholes, if the ranks have made different numbers of updates, or if a state is swapped.
template <communicator C, class T, class P>
void save_file(C const& ranks, ema_state<T> const& state, sharded_list<P> const& parameters, std::string const& path,
               std::span<const index> columns = {}) {
  constexpr const char* function = "save_file";
  detail::gathered_state<C, T, P> whole(function, ranks, state, parameters, columns);
  const bool writes = ranks.rank() == 0;
  std::optional<detail::file> folder, partial;
  std::string to;
  const auto sink = [&](void const* data, std::size_t size) { partial->write(data, size); };
  detail::checked_sink<decltype(sink) const> out(sink);
  detail::held_error held;
  if (writes)
    held.run([&] {
      to = detail::path_to_write(function, path);
      folder.emplace(detail::folder_of(function, to));
      partial.emplace(detail::file::beside(function, to));
      out(detail::saved_header(whole.header()));
      for (detail::tensor_record const& r : whole.records()) out(&r, sizeof r, sizeof r.rows);
    });
  held.agree_on(ranks, function);
  int pieces = 0;
  whole.for_pieces([&](detail::whole_piece const& piece) {
    whole.collect(piece);
    if (writes)
      held.run([&] { out(whole.memory().data(), static_cast<std::size_t>(piece.count) * sizeof(T), sizeof(T)); });
    if (++pieces % 64 == 0) held.agree_on(ranks, function);
  });
  if (writes)
    held.run([&] {
      out.finish();
      partial->sync();
      partial->close();
    });
  held.agree_on(ranks, function);
  if (writes)
    held.run([&] {
      partial->move_to(to);
      folder->sync();
    });
  held.agree_on(ranks, function);
}

/// Reads a file of save_file, of a whole state or of one that was cut over any number of ranks, into the shards of this
/// one. Rank 0 reads it. Every rank needs memory for its own shards once more. Throws on all ranks, and no state is
/// changed: hone::io_error on rank 0 if the file cannot be read; hone::invalid_argument on rank 0 if it holds another
/// state, is damaged or has extra bytes (the others throw hone::rank_error); and as save_file does.
template <communicator C, class T, class P>
void load_file(C const& ranks, ema_state<T>& state, sharded_list<P> const& parameters, std::string const& path,
               std::span<const index> columns = {}) {
  constexpr const char* function = "load_file";
  detail::gathered_state<C, T, P> whole(function, ranks, state, parameters, columns);
  const bool reads = ranks.rank() == 0;
  const std::string where = std::string(function) + ": " + path;
  std::optional<detail::file> input;
  const auto source = [&](void* data, std::size_t size) { return input->read(data, size); };
  detail::checked_source<decltype(source) const> in(source, where.c_str());
  detail::held_error held;
  detail::state_header saved;
  std::vector<std::vector<T>> mine;
  held.run([&] {
    for (auto const& t : state.tensors()) mine.emplace_back(static_cast<std::size_t>(t.size));
  });
  if (reads)
    held.run([&] {
      input.emplace(function, path);
      saved = in.header();
      detail::require_header(where.c_str(), saved, whole.header());
      for (std::size_t i = 0; i < whole.records().size(); ++i) {
        detail::tensor_record r{};
        in(&r, sizeof r, sizeof r.rows);
        detail::require_record(where.c_str(), i, r, whole.records()[i]);
      }
    });
  held.agree_on(ranks, function);
  int pieces = 0;
  whole.for_pieces([&](detail::whole_piece const& piece) {
    if (reads)
      held.run([&] { in(whole.memory().data(), static_cast<std::size_t>(piece.count) * sizeof(T), sizeof(T)); });
    whole.distribute(piece, mine[piece.tensor].data());
    if (++pieces % 64 == 0) held.agree_on(ranks, function);
  });
  if (reads)
    held.run([&] {
      in.finish();
      detail::require_progress(where.c_str(), saved);
      in.require_end();
    });
  held.agree_on(ranks, function);
  ranks.broadcast(std::as_writable_bytes(std::span(&saved, 1)), 0);
  for (std::size_t i = 0; i < mine.size(); ++i) std::copy(mine[i].begin(), mine[i].end(), state.tensors()[i].data);
  state.progress().set({saved.steps, saved.start});
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
