//===- ChooseKernelSchedule.cpp - The fastest kernel schedule ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCandidates.h"
#include "mta/Conversion/MTAToGPU/MTAToGPU.h"

#include "llvm/Support/Format.h"

namespace mta {
#define GEN_PASS_DEF_CHOOSEKERNELSCHEDULEPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

/// Rows of the table.
static constexpr size_t kShown = 16;

static void printRow(raw_ostream &os, const KernelCandidate &candidate) {
  KernelScheduleAttr schedule = candidate.schedule;
  const KernelCost &cost = candidate.cost;
  const PipeCycles &pipes = cost.pipes;
  os << llvm::format("\n  %4d %4d %5d %6d  %-9s %-6s", int(schedule.getRows()),
                     int(schedule.getKeyTile()), int(schedule.getWarps()),
                     int(schedule.getStages()),
                     stringifyQueryPlacement(schedule.getQuery()).data(),
                     stringifyScoreStorage(schedule.getScores()).data())
     << llvm::format(" %-8s %6d",
                     stringifyProducts(schedule.getProducts()).data(),
                     int(schedule.getKeySplits()))
     << llvm::format(" %5d", int(schedule.getAhead()))
     << llvm::format(" %5d %6d %6d %4d", int(cost.registers), int(cost.spilled),
                     int(cost.workgroupBytes), int(cost.residents))
     << llvm::format(" %7.0f %7.0f %7.0f %7.0f %7.0f %7.0f", pipes.tensor,
                     pipes.shared, pipes.issue, pipes.special, pipes.floats,
                     pipes.l2)
     << llvm::format(" %5.1f %9.1f  ", 100 * cost.useful, cost.microseconds)
     << pipes.limit().second;
}

/// A table: what the kernel is, what of a multiprocessor it takes, cycles that
/// a tile of keys keeps each pipe busy, and the time.
static std::string makeTable(ArrayRef<KernelCandidate> candidates) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "\n  rows keys warps stages  query     scores products splits ahead  "
        "regs spills  "
        "bytes  wgs"
        "  tensor  shared   issue special float32      l2  use%        us  "
        "limit";
  for (const KernelCandidate &candidate :
       candidates.take_front(std::min(kShown, candidates.size())))
    printRow(os, candidate);
  if (candidates.size() > kShown)
    os << "\n  and " << candidates.size() - kShown << " slower ones";
  return text;
}

namespace {
struct ChooseKernelSchedulePass
    : mta::impl::ChooseKernelSchedulePassBase<ChooseKernelSchedulePass> {
  using ChooseKernelSchedulePassBase::ChooseKernelSchedulePassBase;

  void runOnOperation() override {
    KernelRequest request;
    std::optional<KernelTarget> target = findTarget();
    if (!target || failed(readRequest(request)))
      return signalPassFailure();
    auto result = getOperation()->walk([&](AttentionOp op) {
      return op.getKernelScheduleAttr() ||
                     succeeded(choose(op, *target, request))
                 ? WalkResult::advance()
                 : WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  std::optional<KernelTarget> findTarget();
  LogicalResult readRequest(KernelRequest &request);
  LogicalResult choose(AttentionOp op, const KernelTarget &target,
                       const KernelRequest &request);
};
} // namespace

std::optional<KernelTarget> ChooseKernelSchedulePass::findTarget() {
  unsigned number = hardware::architectureNumber(chip.getValue());
  const hardware::GpuFigures *gpu = hardware::findGpu(number);
  if (!gpu) {
    getOperation()->emitError("expects a chip of sm_80 or newer, such as sm_80 "
                              "or sm_90a, but got '")
        << chip << "'";
    return std::nullopt;
  }
  return KernelTarget{
      *hardware::findArchitecture(number), *gpu,
      hardware::hasWarpgroups(chip.getValue()),
      ExpectedSizes{expectedQueries, expectedKeys, expectedBatch}};
}

LogicalResult ChooseKernelSchedulePass::readRequest(KernelRequest &request) {
  for (int64_t count : {expectedQueries.getValue(), expectedKeys.getValue(),
                        expectedBatch.getValue()})
    if (count < 0)
      return getOperation()->emitError("expects at least 0 expected queries, "
                                       "keys and batches, but got ")
             << count;
  request.rows = rows;
  request.keyTile = keyTile;
  request.warps = warps;
  request.stages = stages;
  request.keySplits = keySplits;
  request.ahead = ahead;
  request.query = symbolizeQueryPlacement(query);
  request.scores = symbolizeScoreStorage(scores);
  request.products = symbolizeProducts(products);
  if (!query.empty() && !request.query)
    return getOperation()->emitError("expects queries in registers, "
                                     "workgroup or global, but got '")
           << query << "'";
  if (!scores.empty() && !request.scores)
    return getOperation()->emitError("expects scores of f16, f16x2, "
                                     "f16x2_before or f32, "
                                     "but got '")
           << scores << "'";
  if (!products.empty() && !request.products)
    return getOperation()->emitError("expects products by mma or wgmma, but "
                                     "got '")
           << products << "'";
  if (request.products == Products::Wgmma &&
      !hardware::hasWarpgroups(chip.getValue()))
    return getOperation()->emitError("expects sm_90a for wgmma, but got '")
           << chip << "'";
  return success();
}

LogicalResult ChooseKernelSchedulePass::choose(AttentionOp op,
                                               const KernelTarget &target,
                                               const KernelRequest &request) {
  FailureOr<KernelPlan> program = planProgram(op);
  if (failed(program))
    return failure();
  KernelCandidates candidates(op, *program, target, request);
  if (failed(candidates.enumerate()))
    return failure();
  KernelScheduleAttr choice = candidates.get().front().schedule;
  if (explain)
    op.emitRemark("takes ")
        << choice << " for " << target.gpu.name << makeTable(candidates.get());
  op.setKernelScheduleAttr(choice);
  return success();
}
