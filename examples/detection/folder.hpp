// SPDX-License-Identifier: MIT
/// Scenes from a folder of raw images and two label files.
///
/// train.txt and test.txt hold a line for every box:
///
///     FILE CLASS X1 Y1 X2 Y2 [crowd]
///
/// separated by blanks. FILE is a PGM or PPM image (P2, P3, P5 or P6, 8 bits), seen from the folder. CLASS is any word;
/// classes are numbered as they appear in train.txt, and test.txt knows no others. Corners are in pixels from the top
/// left, X2 and Y2 outside the box. `crowd` marks a region of many: nothing is learnt there and nothing counts there. A
/// FILE alone is an image without boxes. Empty lines and lines that begin with # count for nothing.
/// Colours become grey (Rec. 601), and every image is stretched to canvas_side x canvas_side, with its boxes.
#pragma once

#include "data.hpp"
#include "scene.hpp"

#include <filesystem>

namespace detection {

/// Whether the folder holds a train.txt.
bool is_scene_folder(const std::filesystem::path& folder);

/// Throws demo::data_error, which names the file, the line and what is wrong with it.
scene_set read_scenes(const std::filesystem::path& folder);

}  // namespace detection
