// SPDX-License-Identifier: MIT
/// Losses, schedules and layers as other libraries compute them. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/parity/boxes/darknet_compat.hpp>
#include <hone/parity/boxes/epsilon.hpp>
#include <hone/parity/boxes/mmdet.hpp>
#include <hone/parity/boxes/paddle.hpp>
#include <hone/parity/boxes/torchvision.hpp>
#include <hone/parity/boxes/ultralytics.hpp>
#include <hone/parity/regions/mmseg.hpp>
#include <hone/parity/regions/monai.hpp>
#include <hone/parity/regions/optax.hpp>
#include <hone/parity/regions/smp.hpp>
#include <hone/parity/schedules/keras.hpp>
#include <hone/parity/schedules/llmc.hpp>
#include <hone/parity/schedules/optax.hpp>
#include <hone/parity/schedules/timm.hpp>
#include <hone/parity/schedules/torch.hpp>
#include <hone/parity/structure/deform_conv.hpp>
