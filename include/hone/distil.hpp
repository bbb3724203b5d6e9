// SPDX-License-Identifier: MIT
/// Distillation: terms, teachers' files, averages and labels of teachers. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/distil/average_teachers.hpp>
#include <hone/distil/decoupled_distillation.hpp>
#include <hone/distil/distillation.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/distil/hard_labels.hpp>
#include <hone/distil/jensen_shannon.hpp>
#include <hone/distil/knowledge_distillation.hpp>
#include <hone/distil/reverse_distillation.hpp>
#include <hone/distil/teacher_file.hpp>
#include <hone/distil/teacher_reader.hpp>
#include <hone/distil/teacher_view.hpp>
#include <hone/distil/teacher_writer.hpp>
#include <hone/distil/top_k.hpp>
#include <hone/distil/top_k_distillation.hpp>
