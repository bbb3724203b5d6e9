// SPDX-License-Identifier: MIT
/// hone for nets of dlib 19: loss layers, lists of parameters and gradients, clipping inside dnn_trainer. docs/dlib.md
#pragma once

#include <hone/adapt/dlib/box_loss.hpp>
#include <hone/adapt/dlib/labels.hpp>
#include <hone/adapt/dlib/losses.hpp>
#include <hone/adapt/dlib/objectives.hpp>
#include <hone/adapt/dlib/tensors.hpp>
#include <hone/adapt/dlib/training.hpp>
