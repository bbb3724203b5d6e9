// SPDX-License-Identifier: MIT
// Writes the pictures of the documentation, or compares them with the files.
//
//     pictures CHECKOUT            writes docs/pictures/*.svg
//     pictures --check CHECKOUT    status 1 where a file is not as it would be written; numbers may differ by 0.1, a
//                                  tenth of a pixel, because mathematical functions of other compilers round otherwise
//
// Without Fashion-MNIST (Debian: dataset-fashion-mnist) the picture of mixed samples is left out, and it says so.
#include "pictures.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>
#include <vector>

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool number_begins(const char* at) {
  return (*at >= '0' && *at <= '9') || (*at == '-' && at[1] >= '0' && at[1] <= '9');
}

/// Whether two texts are equal but for numbers that differ by at most 0.1.
bool alike(const std::string& a, const std::string& b) {
  const char *x = a.c_str(), *y = b.c_str();
  while (*x && *y) {
    if (number_begins(x) && number_begins(y)) {
      char *x_end = nullptr, *y_end = nullptr;
      if (std::abs(std::strtod(x, &x_end) - std::strtod(y, &y_end)) > 0.11) return false;
      x = x_end, y = y_end;
    } else if (*x++ != *y++) {
      return false;
    }
  }
  return *x == *y;
}

}  // namespace

int main(int count, char** arguments) {
  const bool check = count == 3 && std::string(arguments[1]) == "--check";
  if (count != 2 && !check) {
    std::fputs("pictures [--check] CHECKOUT\n", stderr);
    return 2;
  }
  const std::filesystem::path root = arguments[count - 1], folder = root / "docs" / "pictures";
  std::vector<std::pair<const char*, std::string>> all{
      {"label_smoothing", pictures::label_smoothing()},
      {"focal_loss", pictures::focal_loss()},
      {"soft_target_focal_loss", pictures::soft_target_focal_loss()},
      {"poly1", pictures::poly1()},
      {"asymmetric_loss", pictures::asymmetric_loss()},
      {"distribution_focal_loss", pictures::distribution_focal_loss()},
      {"distillation", pictures::distillation()},
      {"schedules", pictures::schedules()},
      {"warm_ups", pictures::warm_ups()},
      {"ema_ramps", pictures::ema_ramps()},
      {"clipping", pictures::clipping()},
      {"reliability", pictures::reliability()},
      {"box_fields", pictures::box_fields()},
      {"box_distance", pictures::box_distance()},
      {"quality_losses", pictures::quality_losses()},
      {"ldam_loss", pictures::ldam_loss()},
      {"z_loss", pictures::z_loss()},
      {"large_batch_rates", pictures::large_batch_rates()},
      {"precise_statistics", pictures::precise_statistics()},
      {"region_losses", pictures::region_losses()},
      {"lovasz", pictures::lovasz()},
      {"box_sides", pictures::box_sides()},
      {"suppression", pictures::suppression()},
      {"confidence", pictures::confidence()},
      {"drop_path", pictures::drop_path()},
      {"drop_block", pictures::drop_block()},
      {"gates", pictures::gates()},
      {"blur_pool", pictures::blur_pool()},
      {"deformable_taps", pictures::deformable_taps()},
      {"rounding", pictures::rounding()},
      {"loss_scaling", pictures::loss_scaling()},
      {"accumulation", pictures::accumulation()},
      {"averages_of_updates", pictures::averages_of_updates()},
      {"ladder", pictures::ladder(read(root / "examples" / "bag_of_tricks" / "README.md"))},
  };
  if (std::filesystem::exists(demo::debian_folder))
    all.emplace_back("mixed_samples", pictures::mixed_samples(demo::read_dataset({}).train));
  else
    std::printf("SKIPPED: mixed_samples needs %s\n", demo::debian_folder);

  int wrong = 0;
  if (!check) std::filesystem::create_directories(folder);
  for (const auto& [name, svg] : all) {
    const auto path = folder / (std::string(name) + ".svg");
    if (!check) {
      std::ofstream(path) << svg;
    } else if (!alike(read(path), svg)) {
      std::printf("%s is not what examples/pictures writes\n", path.c_str());
      ++wrong;
    }
  }
  std::printf("%d of %d pictures differ\n", wrong, static_cast<int>(all.size()));
  return wrong ? 1 : 0;
}
