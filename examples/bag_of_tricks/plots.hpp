// SPDX-License-Identifier: MIT
/// Figures as inline SVG; colours come from the page's style sheet.
#pragma once

#include "record.hpp"

namespace ladder {

/// A row of a plot of dots: every seed's number, their mean and standard deviation.
struct dots {
  std::string name;
  int colour;
  std::vector<double> numbers;  // percent
};

/// Rows below one another on one axis; a dashed line at the mean of the first.
std::string dot_plot(const std::string& title, const std::vector<dots>& rows);

/// Accuracy over confidence in 15 bins, of all records together; the area of a dot says how many images are in a bin.
std::string reliability_plot(const std::string& title, const std::vector<const record*>& records);

/// Mean number of images of a class (row) called another (column), after less before.
std::string confusion_changes(const std::vector<const record*>& before, const std::vector<const record*>& after);

}  // namespace ladder
