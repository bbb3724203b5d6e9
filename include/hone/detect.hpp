// SPDX-License-Identifier: MIT
/// Detection: confidence targets, decoding of boxes, non-maximum suppression. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/detect/anchors.hpp>
#include <hone/detect/confidence.hpp>
#include <hone/detect/decode.hpp>
#include <hone/detect/decoding.hpp>
#include <hone/detect/fused_confidence.hpp>
#include <hone/detect/labels.hpp>
#include <hone/detect/nms.hpp>
#include <hone/detect/ppyolo/matching.hpp>
#include <hone/detect/ppyolo/objectness.hpp>
#include <hone/detect/shape_overlap.hpp>
#include <hone/detect/suppression.hpp>
#include <hone/detect/yolov4/matching.hpp>
#include <hone/detect/yolov4/objectness.hpp>
#include <hone/detect/yolov5/balance.hpp>
#include <hone/detect/yolov5/matching.hpp>
#include <hone/detect/yolov5/objectness.hpp>
