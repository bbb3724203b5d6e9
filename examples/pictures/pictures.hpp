// SPDX-License-Identifier: MIT
/// The pictures of the documentation. Each function returns an SVG file.
#pragma once

#include "data.hpp"

#include <string>

namespace pictures {

std::string label_smoothing();
std::string focal_loss();
std::string soft_target_focal_loss();
std::string poly1();
std::string asymmetric_loss();
std::string distribution_focal_loss();
std::string distillation();
std::string quality_losses();
std::string ldam_loss();
std::string z_loss();

std::string region_losses();
std::string lovasz();

std::string schedules();
std::string warm_ups();
std::string large_batch_rates();
std::string ema_ramps();
std::string clipping();
std::string reliability();

std::string box_fields();
std::string box_distance();
std::string box_sides();
std::string suppression();
std::string confidence();

std::string drop_path();
std::string drop_block();
std::string gates();
std::string blur_pool();
std::string deformable_taps();
std::string precise_statistics();

std::string rounding();
std::string loss_scaling();
std::string accumulation();
std::string averages_of_updates();

/// Of real images.
std::string mixed_samples(const demo::image_set& images);

/// From the table of results in a page of the documentation.
std::string ladder(const std::string& page);

}  // namespace pictures
