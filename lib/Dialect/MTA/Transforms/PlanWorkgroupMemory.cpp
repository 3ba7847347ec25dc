//===- PlanWorkgroupMemory.cpp - Places of buffers --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     bytes |  query  |
//           |#########|  ring of scores ##########|
//           |         |  keys #########|  keys ###|
//           +---------------------------------------> operations of the body
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

namespace mta {
#define GEN_PASS_DEF_PLANWORKGROUPMEMORYPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

namespace {
/// A buffer with the operations of the launch's body, by number, between which
/// it is in use.
struct Buffer {
  memref::AllocaOp alloc;
  int64_t bytes = 0;
  int64_t first = 0, last = 0;
  int64_t offset = 0;

  bool overlaps(const Buffer &other) const {
    return first <= other.last && other.first <= last;
  }
};

/// ldmatrix and copies want multiples of 16 bytes; more keeps rows that start a
/// buffer in the same banks.
constexpr int64_t kAlignment = 128;
} // namespace

/// Uses of a buffer and of views of it, or of its address and of what is
/// computed from that, as matrix descriptors are.
static void findUses(Value buffer, Block *body,
                     const llvm::DenseMap<Operation *, int64_t> &numbers,
                     Buffer &result) {
  for (Operation *user : buffer.getUsers()) {
    int64_t number = numbers.lookup(body->findAncestorOpInBlock(*user));
    result.first = std::min(result.first, number);
    result.last = std::max(result.last, number);
    bool isAddress = isa<memref::ExtractAlignedPointerAsIndexOp>(user) ||
                     !isa<MemRefType>(buffer.getType());
    for (Value view : user->getResults())
      if (isa<MemRefType>(view.getType()) ||
          (isAddress && view.getType().isIntOrIndex()))
        findUses(view, body, numbers, result);
  }
}

static FailureOr<SmallVector<Buffer>> findBuffers(gpu::LaunchOp launch) {
  Block *body = &launch.getBody().front();
  llvm::DenseMap<Operation *, int64_t> numbers;
  for (auto [number, op] : llvm::enumerate(*body))
    numbers[&op] = number;
  SmallVector<Buffer> buffers;
  WalkResult result = launch.walk([&](memref::AllocaOp alloc) {
    MemRefType type = alloc.getType();
    if (!gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(type))
      return WalkResult::advance();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
        !type.getElementType().isIntOrFloat() || alloc->getBlock() != body) {
      alloc.emitOpError("expects a contiguous buffer of static size in the "
                        "body of the launch, but got ")
          << type;
      return WalkResult::interrupt();
    }
    Buffer buffer;
    buffer.alloc = alloc;
    buffer.bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    buffer.first = std::numeric_limits<int64_t>::max();
    findUses(alloc, body, numbers, buffer);
    buffers.push_back(buffer);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  return buffers;
}

/// Large buffers first, each at the lowest place that is free as long as it is
/// in use. Returns the bytes of all.
static int64_t placeBuffers(MutableArrayRef<Buffer> buffers) {
  auto bySize = [](const Buffer &a, const Buffer &b) {
    return std::tuple(-a.bytes, a.first) < std::tuple(-b.bytes, b.first);
  };
  auto byOffset = [](const Buffer *a, const Buffer *b) {
    return a->offset < b->offset;
  };
  llvm::sort(buffers, bySize);
  SmallVector<Buffer *> placed;
  int64_t total = 0;
  for (Buffer &next : buffers) {
    Buffer *buffer = &next;
    llvm::sort(placed, byOffset);
    int64_t offset = 0;
    for (const Buffer *other : placed)
      if (other->overlaps(*buffer) && other->offset < offset + buffer->bytes)
        offset =
            std::max(offset, static_cast<int64_t>(llvm::alignTo(
                                 other->offset + other->bytes, kAlignment)));
    buffer->offset = offset;
    total = std::max(total, offset + buffer->bytes);
    placed.push_back(buffer);
  }
  return total;
}

static void replaceBuffers(gpu::LaunchOp launch, ArrayRef<Buffer> buffers,
                           int64_t total) {
  OpBuilder builder(launch);
  Location loc = launch.getLoc();
  Value size =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(total));
  launch.getDynamicSharedMemorySizeMutable().assign(size);
  builder.setInsertionPointToStart(&launch.getBody().front());
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(),
                                          gpu::AddressSpace::Workgroup);
  auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(),
                               MemRefLayoutAttrInterface(), space);
  auto all = gpu::DynamicSharedMemoryOp::create(builder, loc, bytes);
  StringRef staged = mta::MTADialect::getStagedScoresAttrName();
  if (Attribute types = launch->getAttr(staged))
    all->setAttr(staged, types);
  for (const Buffer &buffer : buffers) {
    Value offset = arith::ConstantIndexOp::create(builder, loc, buffer.offset);
    memref::AllocaOp alloc = buffer.alloc;
    Value view = memref::ViewOp::create(builder, loc, alloc.getType(), all,
                                        offset, ValueRange{});
    alloc.getResult().replaceAllUsesWith(view);
    alloc.erase();
  }
}

namespace {
struct PlanWorkgroupMemoryPass
    : mta::impl::PlanWorkgroupMemoryPassBase<PlanWorkgroupMemoryPass> {
  void runOnOperation() override {
    SmallVector<gpu::LaunchOp> launches;
    getOperation()->walk([&](gpu::LaunchOp op) { launches.push_back(op); });
    for (gpu::LaunchOp launch : launches) {
      FailureOr<SmallVector<Buffer>> buffers = findBuffers(launch);
      if (failed(buffers))
        return signalPassFailure();
      if (!buffers->empty())
        replaceBuffers(launch, *buffers, placeBuffers(*buffers));
    }
  }
};
} // namespace
