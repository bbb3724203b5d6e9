// SPDX-License-Identifier: MIT
/// hone for darknet and its forks: objectives that write l.delta, which holds minus the gradient. No header of darknet
/// is needed: every function takes a layer of any type that has darknet's members. docs/darknet.md
#pragma once

#include <hone/adapt/darknet/layer.hpp>
#include <hone/adapt/darknet/yolo.hpp>
