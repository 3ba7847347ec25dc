//===- Pipelines.h - Pass pipelines -----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_PIPELINES_PIPELINES_H
#define MTA_PIPELINES_PIPELINES_H

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mta {

/// Options of `mta-kernels-to-ptx`.
struct KernelOptions : public mlir::PassPipelineOptions<KernelOptions> {
  PassOptions::Option<std::string> chip{
      *this, "chip",
      llvm::cl::desc("NVIDIA target of the PTX, such as sm_80 or sm_90a"),
      llvm::cl::init("sm_80")};
  PassOptions::Option<bool> mergeKernels{
      *this, "merge-kernels",
      llvm::cl::desc("Put all kernels into one gpu.module, hence one PTX text"),
      llvm::cl::init(true)};
};

/// Options of `mta-reference-gpu`.
struct ReferenceGPUOptions : public KernelOptions {
  PassOptions::Option<unsigned> blockSize{
      *this, "block-size", llvm::cl::desc("Threads of a block, 1 to 1024"),
      llvm::cl::init(128)};
};

/// Where `mta-gpu` ends: a level of the README's table.
enum class GPULevel { Workgroups, Threads, Code };

/// Options of `mta-gpu`.
struct GPUOptions : public ReferenceGPUOptions {
  PassOptions::Option<bool> contract{
      *this, "contract",
      llvm::cl::desc("Attach launch contracts, which need functions that do "
                     "nothing but launch kernels"),
      llvm::cl::init(true)};
  PassOptions::Option<int64_t> rows{
      *this, "rows",
      llvm::cl::desc("Rows of scores of a workgroup, 0 for the fastest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> keyTile{
      *this, "key-tile", llvm::cl::desc("Keys of a tile, 0 for the fastest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> warps{
      *this, "warps", llvm::cl::desc("Warps of a workgroup, 0 for the fastest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> stages{
      *this, "stages",
      llvm::cl::desc("Tiles of keys in workgroup memory, 0 for the fastest"),
      llvm::cl::init(0)};
  PassOptions::Option<std::string> query{
      *this, "query",
      llvm::cl::desc("Where queries are: registers, workgroup or global")};
  PassOptions::Option<std::string> scores{
      *this, "scores",
      llvm::cl::desc(
          "What a staged score is: f16, f16x2, f16x2_before or f32")};
  PassOptions::Option<std::string> products{
      *this, "products",
      llvm::cl::desc("How queries meet keys, and weights values: mma or "
                     "wgmma")};
  PassOptions::Option<int64_t> keySplits{
      *this, "key-splits",
      llvm::cl::desc("Workgroups that share the keys of a tile of queries, 0 "
                     "for as many as are the fastest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> ahead{
      *this, "ahead",
      llvm::cl::desc("Tiles of keys whose scores are computed ahead: 0 or 1, "
                     "-1 for what is the fastest"),
      llvm::cl::init(-1)};
  PassOptions::Option<int64_t> expectedQueries{
      *this, "expected-queries",
      llvm::cl::desc("Queries for which a kernel of a dynamic number of them "
                     "is to be fast, with those of the halo; 0 for many"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> expectedKeys{
      *this, "expected-keys",
      llvm::cl::desc("Keys for which a kernel of a dynamic number of them is "
                     "to be fast, 0 for 2048"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> expectedBatch{
      *this, "expected-batch",
      llvm::cl::desc("Batch for which a kernel of a dynamic one is to be fast, "
                     "0 for 4"),
      llvm::cl::init(0)};
  PassOptions::Option<bool> explain{
      *this, "explain",
      llvm::cl::desc("Emit a remark with the candidates for a kernel's shape"),
      llvm::cl::init(false)};
  PassOptions::Option<F32Precision> f32Precision{
      *this, "f32-precision",
      llvm::cl::desc("How tensor cores multiply operands of f32"),
      llvm::cl::init(F32Precision::TF32x3),
      llvm::cl::values(clEnumValN(F32Precision::TF32x3, "tf32x3",
                                  "three products of operands split in two"),
                       clEnumValN(F32Precision::TF32, "tf32",
                                  "one product of operands rounded to tf32"))};
  PassOptions::Option<GPULevel> until{
      *this, "until", llvm::cl::desc("The last level"),
      llvm::cl::init(GPULevel::Code),
      llvm::cl::values(
          clEnumValN(GPULevel::Workgroups, "2G", "programs of workgroups"),
          clEnumValN(GPULevel::Threads, "3G", "programs of threads"),
          clEnumValN(GPULevel::Code, "4", "PTX with its launch contract"))};
};

/// Where `mta-cpu` ends: a level of the README's table.
enum class CPULevel { Tiles, Vectors, Code };

/// Options of `mta-cpu`.
struct CPUOptions : public mlir::PassPipelineOptions<CPUOptions> {
  PassOptions::Option<int64_t> queryTile{
      *this, "query-tile",
      llvm::cl::desc("Queries of a tile, 0 for the cheapest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> keyTile{
      *this, "key-tile", llvm::cl::desc("Keys of a tile, 0 for the cheapest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> edgeKeyTile{
      *this, "edge-key-tile",
      llvm::cl::desc("Keys of a tile at the ends of the keys, 0 for the "
                     "cheapest"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> sweeps{
      *this, "sweeps",
      llvm::cl::desc("Sweeps over the keys, 0 for as many as are needed"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> heads{
      *this, "heads",
      llvm::cl::desc("Heads that share a tile, 0 for those that are mixed"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("Bits of a vector register, 0 for those of this machine"),
      llvm::cl::init(0)};
  static constexpr int64_t kThisMachine = -1;
  PassOptions::Option<int64_t> pairCost{
      *this, "pair-cost",
      llvm::cl::desc("Multiply-adds of f32 vectors that take the time of a dot "
                     "product of vectors of bf16 pairs; 0 where the processor "
                     "has none, -1 for this machine"),
      llvm::cl::init(kThisMachine)};
  PassOptions::Option<bool> threads{
      *this, "threads", llvm::cl::desc("Run tiles on the threads of OpenMP"),
      llvm::cl::init(true)};
  PassOptions::Option<bool> explain{
      *this, "explain",
      llvm::cl::desc("Emit a remark with the candidates for the schedule"),
      llvm::cl::init(false)};
  PassOptions::Option<CPULevel> until{
      *this, "until", llvm::cl::desc("The last level"),
      llvm::cl::init(CPULevel::Code),
      llvm::cl::values(clEnumValN(CPULevel::Tiles, "1", "tiles of tensors"),
                       clEnumValN(CPULevel::Vectors, "2", "vectors"),
                       clEnumValN(CPULevel::Code, "4", "the LLVM dialect"))};
};

/// From any level above to the LLVM dialect for this machine, tiled and
/// vectorised: memory beyond operands and results grows with N.
void buildCPUPipeline(mlir::OpPassManager &pm, const CPUOptions &options);

/// From any level above to the LLVM dialect for this machine, unfused: every
/// step of a score program on whole score matrices. Functions get a C wrapper,
/// `_mlir_ciface_NAME`, on contiguous memrefs.
void buildReferenceCPUPipeline(mlir::OpPassManager &pm);

/// From any level above to a `gpu.binary` with PTX, unfused: every loop nest
/// over whole score matrices is a kernel of its own with one thread for every
/// element; functions keep the launches.
void buildReferenceGPUPipeline(mlir::OpPassManager &pm,
                               const ReferenceGPUOptions &options);

/// From level 0 to a `gpu.binary` with PTX, fused: every `mta.attention` is one
/// kernel on tensor cores, without memory of the size of the score matrix. What
/// follows it, norm and gate, is a kernel for every loop nest. The binary says
/// how to launch them, see `#mta.launch_contract`.
void buildGPUPipeline(mlir::OpPassManager &pm, const GPUOptions &options);

/// Loop nests of linalg and launches that there are become kernels in
/// `gpu.module`s, of `blockSize` threads in a block for the loop nests.
void buildLaunches(mlir::OpPassManager &pm, unsigned blockSize);

/// The last part of both: from kernels in a `gpu.module` to a `gpu.binary` with
/// PTX. Everything else stays as it is.
void buildKernelPipeline(mlir::OpPassManager &pm, const KernelOptions &options);

/// From host code on memrefs that launches the kernels of a `gpu.binary` to the
/// LLVM dialect, with calls to the run time that `EmulatedDevice.h` describes.
/// The binary stays as it is.
void buildHostPipeline(mlir::OpPassManager &pm);

/// Registers `mta-cpu`, `mta-gpu`, `mta-reference-cpu`, `mta-reference-gpu`,
/// `mta-kernels-to-ptx` and `mta-host-to-llvm`.
void registerPipelines();

} // namespace mta

#endif // MTA_PIPELINES_PIPELINES_H
