// SPDX-License-Identifier: MIT
/// Pieces of network structure, each of which is on or off.
#pragma once

#include <string>

namespace ladder {

/// Of a residual network. The default is the network of the ladder.
struct structure {
  bool d = true;           // ResNet-D: the way around a block that halves the image is pooled, not sampled
  bool se = false;         // squeeze-and-excitation at the end of every branch
  bool drop_path = false;  // branches of some samples are dropped in training

  friend bool operator==(const structure&, const structure&) = default;
};

/// Of the last block, in training; rising linearly from 0 at the first one.
inline constexpr double drop_rate = 0.1;

/// Its name, and where it is.
struct structure_piece {
  const char *name, *meaning;
  bool structure::* on;
};

inline constexpr structure_piece all_pieces[] = {
    {"d", "ResNet-D: an average pool before the 1x1 of the way around", &structure::d},
    {"se", "squeeze-and-excitation at the end of every branch", &structure::se},
    {"drop_path", "the last branch is dropped for a tenth of the samples", &structure::drop_path},
};

/// What comes behind the name of a network: nothing for the default, "+none", "+se", "+d+se".
inline std::string suffix_of(const structure& s) {
  if (s == structure{}) return "";
  std::string text;
  for (const structure_piece& piece : all_pieces)
    if (s.*piece.on) text += std::string("+") + piece.name;
  return text.empty() ? "+none" : text;
}

}  // namespace ladder
