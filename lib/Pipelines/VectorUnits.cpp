//===- VectorUnits.cpp - What a processor computes with ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Pipelines/VectorUnits.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;
using namespace mta;

/// Issue slots of vdpbf16ps relative to vfmadd231ps, both on 512 bits.
static int64_t pairCostOf(FeatureTest hasFeature) {
  if (!hasFeature("avx512bf16") || !hasFeature("avx512vl"))
    return 0;
  // Intel's processors with matrix units leave bf16 to them: four operations on
  // both ports, in LLVM's scheduling model of Sapphire Rapids as on the clock.
  if (hasFeature("amx-bf16"))
    return 4;
  // AMD's since Zen 4, by LLVM's scheduling model.
  if (hasFeature("sse4a"))
    return 3;
  // Cooper Lake.
  return 1;
}

VectorUnits mta::vectorUnitsOf(FeatureTest hasFeature) {
  VectorUnits units;
  if (hasFeature("avx2"))
    units.vectorBits = 256;
  if (hasFeature("avx512f"))
    units.vectorBits = 512;
  units.pairCost = pairCostOf(hasFeature);
  return units;
}

bool mta::thisMachineHas(StringRef feature) {
  static const StringMap<bool> features = sys::getHostCPUFeatures();
  return features.lookup(feature);
}
