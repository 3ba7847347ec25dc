//===- MTAOps.td - Operations of the mta dialect -----------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTAOPS_TD
#define MTA_DIALECT_MTA_IR_MTAOPS_TD

include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mta/Dialect/MTA/IR/MTAAttributes.td"
include "mta/Dialect/MTA/IR/MTAContractAttributes.td"
include "mta/Dialect/MTA/IR/MTAInterfaces.td"
include "mta/Dialect/MTA/IR/MTATileOps.td"

class MTA_Op<string mnemonic, list<Trait> traits = []>
    : Op<MTA_Dialect, mnemonic, traits>;

def MTA_Float : AnyTypeOf<[F16, BF16, F32, F64],
                          "f16, bf16, f32 or f64">;
def MTA_ScoreFloat : AnyTypeOf<[F32, F64], "f32 or f64">;

/// An encoding can mean anything, a sparse layout for one; an operation that
/// does not know it must not read through it.
class MTA_Tensor<list<Type> elements, list<int> ranks>
    : ConfinedType<TensorRankOf<elements, ranks>,
                   [CPred<"!::llvm::cast<::mlir::RankedTensorType>($_self)"
                          ".getEncoding()">],
                   TensorRankOf<elements, ranks>.summary #
                       " without encoding">;

def MTA_HeadsTensor : MTA_Tensor<[MTA_Float], [4]>;
def MTA_ScoreTensor : MTA_Tensor<[MTA_ScoreFloat], [4]>;

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def MTA_AttentionOp : MTA_Op<"attention", [
    AttrSizedOperandSegments, RecursiveMemoryEffects, RecursivelySpeculatable,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames",
                                                 "getAsmResultNames"]>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                     ["reifyResultShapes"]>]> {
  let summary = "attention whose scores pass through a score program";
  let description = [{
    Computes, for every batch entry b, query head h and query i,

        S[h,i,j] = scale * sum_d query[h,i,d] * key[h / (H/Hk),j,d]
        P        = program(S)
        O[h,i]   = sum_j P[h,i,j] * value[h / (H/Hk),j]

    where the region is the score program. Its argument is S and its yielded
    value is P. Scores are computed in the element type of the argument.

    `scale` defaults to 1/sqrt(D).

    `mask(causal)` allows query `i` to read the keys `j <= i + (Nk - Nq)`;
    without a mask all pairs are allowed. Score operations define what a mask
    means to them; a pair that is not allowed has weight zero.

    `query_halo(n)` computes the attention of a suffix of the queries: the first
    `n` query rows are only read by the convolutions of later rows, and their
    outputs are not produced. A row is computed exactly when the halo holds the
    rows its program reads (the `queriesBefore` of the program's
    neighbourhood), or all rows there are. Under a causal mask a row whose
    position `i + (Nk - Nq)` is negative does not exist and reads as zero, so a
    halo of fixed size can also stand before the first query.

    `sequences(%q, %k)` packs S independent sequences along the query and key
    dimensions: sequence `s` has the queries `%q[s] <= i < %q[s+1]` and the keys
    `%k[s] <= j < %k[s+1]`. Pairs of different sequences are not allowed, the
    causal mask is aligned to the last query and key of each sequence, and
    convolutions read zeros beyond the boundaries. All batch entries share them.
    The caller guarantees that the offsets do not decrease, begin with 0 and end
    with Nq and Nk.

    `schedule(<...>)`, a `#mta.schedule`, says how the attention is cut into
    tiles for a processor, `kernel_schedule(<...>)`, a `#mta.kernel_schedule`,
    what shape its kernel on a GPU has. They change rounding and speed only.

    The optional second result is the natural logarithm of the sum of
    exponentials in the softmax of every output row, minus infinity where no key
    is allowed.

    Preconditions:

    - C1: query, key and value have the same element type.
    - C2: query, key and value agree in the batch.
    - C3: key and value agree in heads and keys; the number of query heads is a
      multiple of the number of key heads, and neither is zero.
    - C4: query and key agree in the head dimension.
    - C5: the region's argument is `B x H x Nq x Nk`, with an element type not
      narrower than that of the query.
    - C6: the region is a straight line: every operation is a score operation
      that reads the value before it, the terminator yields the last one, and
      weights come from outside of the region.
    - C7: the region has exactly one `mta.softmax`.
    - C8: the query halo is not negative and not larger than Nq.
    - C9: the sequence boundaries have the same length of at least 2, and there
      is no query halo beside them.
    - C10: the scale is finite.
    - C13: the heads of the schedule are a multiple of those that the program
      mixes, and divide the number of query heads; there are two sweeps where a
      score operation follows the softmax.
    - C14: the rows of the kernel schedule are more than those above its own
      that a result reads; its tile of keys is at least as wide as what a window
      reads beside a result's own place, in whole pieces of 8 keys; its warps
      are a multiple of the heads that the program mixes and divide the strips
      of 16 rows of these heads; queries are not in global memory. If the
      program mixes 5 to 16 heads of 16-bit operands, its kernel has the shape
      that `#mta.kernel_schedule` names for them.

    Postconditions:

    - C11: the output is `B x H x (Nq - halo) x Dv`, in the element type of the
      query or of the scores.
    - C12: the log-sum-exp is `B x H x (Nq - halo)`, f32 or of the element type
      of the scores.

    Sizes that are dynamic are the caller's promise to fit.

    Example: the program `v1` of the paper without its norm.

    ```mlir
    func.func @v1(%q: tensor<1x16x2048x64xbf16>, %k: tensor<1x16x2048x64xbf16>,
                  %v: tensor<1x16x2048x64xbf16>, %theta: tensor<16x6x11xbf16>,
                  %w: tensor<8x2x2xbf16>) -> tensor<1x16x2048x64xbf16> {
      %o = mta.attention %q, %k, %v mask(causal) {
      ^bb0(%s: tensor<1x16x2048x2048xf32>):
        %0 = mta.key_query_conv %s, %theta
            : tensor<1x16x2048x2048xf32>, tensor<16x6x11xbf16>
        %1 = mta.softmax %0 : tensor<1x16x2048x2048xf32>
        %2 = mta.head_mix %1, %w
            : tensor<1x16x2048x2048xf32>, tensor<8x2x2xbf16>
        mta.yield %2 : tensor<1x16x2048x2048xf32>
      } : tensor<1x16x2048x64xbf16>, tensor<1x16x2048x64xbf16>,
          tensor<1x16x2048x64xbf16> -> tensor<1x16x2048x64xbf16>
      return %o : tensor<1x16x2048x64xbf16>
    }
    ```

    Source: arXiv 2504.00927, equations 1, 5 and 6.
  }];
  let arguments = (ins
    MTA_HeadsTensor:$query, MTA_HeadsTensor:$key, MTA_HeadsTensor:$value,
    Optional<MTA_Tensor<[I32], [1]>>:$query_boundaries,
    Optional<MTA_Tensor<[I32], [1]>>:$key_boundaries,
    DefaultValuedAttr<MTA_MaskAttr, "::mta::Mask::None">:$mask,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<I64Attr, "0">:$query_halo,
    OptionalAttr<MTA_ScheduleAttr>:$schedule,
    OptionalAttr<MTA_KernelScheduleAttr>:$kernel_schedule);
  let results = (outs
    MTA_HeadsTensor:$output,
    Optional<MTA_Tensor<[MTA_ScoreFloat], [3]>>:$log_sum_exp);
  let regions = (region SizedRegion<1>:$program);
  let assemblyFormat = [{
    $query `,` $key `,` $value
    (`mask` `` `(` custom<Keyword>($mask)^ `)`)? (`scale` `` `(` $scale^ `)`)?
    (`query_halo` `` `(` $query_halo^ `)`)?
    (`sequences` `` `(` $query_boundaries^ `,` $key_boundaries `:`
      type($query_boundaries) `,` type($key_boundaries) `)`)?
    (`schedule` `` `(` $schedule^ `)`)?
    (`kernel_schedule` `` `(` $kernel_schedule^ `)`)?
    attr-dict-with-keyword $program
    `:` type($query) `,` type($key) `,` type($value)
    `->` type($output) (`,` type($log_sum_exp)^)?
  }];
  let extraClassDeclaration = [{
    /// The score program's argument: the scores before the first operation.
    ::mlir::BlockArgument getScores() { return getProgram().getArgument(0); }
    ::mlir::RankedTensorType getScoreType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getScores().getType());
    }
    /// The score operations in program order, without the terminator.
    ::llvm::SmallVector<::mta::ScoreOpInterface> getScoreOps();
    ::mta::SoftmaxOp getSoftmax();
    /// The scores of q·kᵀ that one weight of the program reads.
    ::mta::Neighborhood getNeighborhood();
    bool isCausal() { return getMask() == ::mta::Mask::Causal; }
    /// The warps of a GPU kernel that has one for every head: 8 or 16 for 5 to
    /// 16 heads that the program mixes, of 16-bit operands; else 0.
    int64_t getWarpsOfManyHeads();
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
}

def MTA_YieldOp : MTA_Op<"yield", [Pure, Terminator,
                                   HasParent<"AttentionOp">]> {
  let summary = "the result of a score program";
  let description = [{
    Ends a score program; the operand is the matrix of weights that is
    contracted with the values. It is the value of the program's last score
    operation (C6 of `mta.attention`).
  }];
  let arguments = (ins MTA_ScoreTensor:$scores);
  let assemblyFormat = "$scores attr-dict `:` type($scores)";
}

//===----------------------------------------------------------------------===//
// Score operations
//===----------------------------------------------------------------------===//

class MTA_ScoreOp<string mnemonic, list<Trait> traits = []>
    : MTA_Op<mnemonic, traits # [
        Pure, HasParent<"AttentionOp">, AllTypesMatch<["scores", "result"]>,
        DeclareOpInterfaceMethods<MTA_ScoreOpInterface,
            ["getWeightsOrNull", "getNeighborhood", "isLinear"]>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                     ["reifyResultShapes"]>]> {
  let results = (outs MTA_ScoreTensor:$result);
}

def MTA_KeyQueryConvOp : MTA_ScoreOp<"key_query_conv"> {
  let summary = "convolution of the scores over queries and keys";
  let description = [{
    With the weights `θ: H x cq x ck`, one kernel a head,

        S0[h,i,j]     = scores[h,i,j] where (i, j) is allowed, else 0;
                        0 outside of the matrix and of the sequence
        result[h,i,j] = sum_{a<cq, b<ck} θ[h,a,b] * S0[h, i-(cq-1)+a, j-left+b]
                        where (i, j) is allowed, else 0

    a cross-correlation: the kernel is not flipped. The window of a query ends
    with the query itself, so `θ[h,cq-1,left]` is the weight of the current
    pair. `left` is (ck-1)/2 for `padding(both)`, which is the default, ck-1 for
    `left` and 0 for `right`.

    With the weights `θ: H x c x cq x ck` the convolution also mixes heads
    within groups of `c`, in the layout of grouped convolutions:

        result[h,i,j] = sum_{p<c} sum_{a,b} θ[h,p,a,b]
                            * S0[(h/c)*c + p, i-(cq-1)+a, j-left+b]

    A convolution followed by a head mix is such an operation with
    `θ3[o,p,a,b] = W[o,p] θ[p,a,b]`.

    Preconditions:

    - C1: the weights have rank 3 or 4 and the window sizes are static and at
      least 1.
    - C2: the weights have one kernel for every head of the scores.
    - C3: the number of heads is a multiple of the group size `c`.
    - C4: `padding(both)` has an odd `ck`.

    Example:

    ```mlir
    func.func @pre_conv(%q: tensor<2x2x48x16xf32>, %k: tensor<2x2x48x16xf32>,
                        %v: tensor<2x2x48x16xf32>, %theta: tensor<2x4x8xf32>)
        -> tensor<2x2x48x16xf32> {
      %o = mta.attention %q, %k, %v mask(causal) {
      ^bb0(%s: tensor<2x2x48x48xf32>):
        %0 = mta.key_query_conv %s, %theta padding(left)
            : tensor<2x2x48x48xf32>, tensor<2x4x8xf32>
        %1 = mta.softmax %0 : tensor<2x2x48x48xf32>
        mta.yield %1 : tensor<2x2x48x48xf32>
      } : tensor<2x2x48x16xf32>, tensor<2x2x48x16xf32>, tensor<2x2x48x16xf32>
          -> tensor<2x2x48x16xf32>
      return %o : tensor<2x2x48x16xf32>
    }
    ```

    Source: arXiv 2504.00927, equation 5.
  }];
  let arguments = (ins
    MTA_ScoreTensor:$scores, MTA_Tensor<[MTA_Float], [3, 4]>:$weights,
    DefaultValuedAttr<MTA_KeyPaddingAttr, "::mta::KeyPadding::Both">:$padding);
  let assemblyFormat = [{
    $scores `,` $weights (`padding` `` `(` custom<Keyword>($padding)^ `)`)? attr-dict
    `:` type($scores) `,` type($weights)
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getWeightsType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getWeights().getType());
    }
    /// Whether the convolution mixes heads (weights of rank 4).
    bool mixesHeads() { return getWeightsType().getRank() == 4; }
    /// The size `c` of the head groups; 1 without mixing, possibly dynamic.
    int64_t getGroupSize() {
      return mixesHeads() ? getWeightsType().getDimSize(1) : 1;
    }
    /// The window size `cq` over queries.
    int64_t getQueryWindow() {
      return getWeightsType().getShape().take_back(2)[0];
    }
    /// The window size `ck` over keys.
    int64_t getKeyWindow() { return getWeightsType().getShape().back(); }
    /// The number of keys of the window to the left of the current one.
    int64_t getLeftKeys();
    /// The number of keys of the window to the right of the current one.
    int64_t getRightKeys() { return getKeyWindow() - 1 - getLeftKeys(); }
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def MTA_HeadMixOp : MTA_ScoreOp<"head_mix"> {
  let summary = "linear mixing of the scores of a group of heads";
  let description = [{
    With the weights `W: G x c x c`, [group, out, in], and H = G·c,

        result[g*c+o,i,j] = sum_{p<c} W[g,o,p] * scores[g*c+p,i,j]

    `c = H` mixes all heads, `c = 1` scales every head.

    Preconditions:

    - C1: the weights are square in their last two dimensions.
    - C2: the groups cover the heads of the scores: G·c = H.

    Example:

    ```mlir
    func.func @talking_heads(
        %q: tensor<1x4x33x16xf32>, %k: tensor<1x4x33x16xf32>,
        %v: tensor<1x4x33x16xf32>, %pre: tensor<1x4x4xf32>,
        %post: tensor<1x4x4xf32>) -> tensor<1x4x33x16xf32> {
      %o = mta.attention %q, %k, %v mask(causal) {
      ^bb0(%s: tensor<1x4x33x33xf32>):
        %0 = mta.head_mix %s, %pre : tensor<1x4x33x33xf32>, tensor<1x4x4xf32>
        %1 = mta.softmax %0 : tensor<1x4x33x33xf32>
        %2 = mta.head_mix %1, %post : tensor<1x4x33x33xf32>, tensor<1x4x4xf32>
        mta.yield %2 : tensor<1x4x33x33xf32>
      } : tensor<1x4x33x16xf32>, tensor<1x4x33x16xf32>, tensor<1x4x33x16xf32>
          -> tensor<1x4x33x16xf32>
      return %o : tensor<1x4x33x16xf32>
    }
    ```

    Source: arXiv 2504.00927, equation 6; arXiv 2003.02436.
  }];
  let arguments = (ins
    MTA_ScoreTensor:$scores, MTA_Tensor<[MTA_Float], [3]>:$weights);
  let assemblyFormat = [{
    $scores `,` $weights attr-dict `:` type($scores) `,` type($weights)
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getWeightsType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getWeights().getType());
    }
    /// The size `c` of the head groups, possibly dynamic.
    int64_t getGroupSize() { return getWeightsType().getDimSize(1); }
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def MTA_SoftmaxOp : MTA_ScoreOp<"softmax"> {
  let summary = "softmax of the scores over the keys";
  let description = [{
    result[h,i,j] = exp(scores[h,i,j] - m) / sum_{j' allowed} exp(scores[h,i,j'] - m)

    where (i, j) is allowed, else 0, with m the largest allowed score of the
    row. A row without an allowed key is all zeros.

    Example:

    ```mlir
    func.func @plain(%q: tensor<?x8x?x64xf16>, %k: tensor<?x2x?x64xf16>,
                     %v: tensor<?x2x?x64xf16>) -> tensor<?x8x?x64xf16> {
      %o = mta.attention %q, %k, %v {
      ^bb0(%s: tensor<?x8x?x?xf32>):
        %0 = mta.softmax %s : tensor<?x8x?x?xf32>
        mta.yield %0 : tensor<?x8x?x?xf32>
      } : tensor<?x8x?x64xf16>, tensor<?x2x?x64xf16>, tensor<?x2x?x64xf16>
          -> tensor<?x8x?x64xf16>
      return %o : tensor<?x8x?x64xf16>
    }
    ```
  }];
  let arguments = (ins MTA_ScoreTensor:$scores);
  let assemblyFormat = "$scores attr-dict `:` type($scores)";
}

//===----------------------------------------------------------------------===//
// Operations on the output of an attention
//===----------------------------------------------------------------------===//

class MTA_OutputOp<string mnemonic> : MTA_Op<mnemonic, [
    Pure, DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                     ["reifyResultShapes"]>]> {
  let results = (outs MTA_HeadsTensor:$result);
  let hasVerifier = 1;
}

def MTA_HeadNormOp : MTA_OutputOp<"head_norm"> {
  let summary = "root-mean-square norm of every head's output";
  let description = [{
    result[h,i,d] = input[h,i,d] / sqrt(mean_d(input[h,i,d]²) + epsilon) * γ[d]

    With `layer(l)` the result is also scaled by `1 - λ`, with the depth scaling
    `λ = 0.8 - 0.6·exp(-0.3·l)`, layers counted from 0. The arithmetic is in
    f32, or in f64 for f64 inputs.

    Preconditions:

    - C1: γ has the size of the last dimension of the input.
    - C2: epsilon is finite and not negative.
    - C3: the layer is not negative.

    Postconditions:

    - C4: the result has the shape of the input.

    Example:

    ```mlir
    func.func @norm(%o: tensor<2x4x65x32xf32>, %gamma: tensor<32xbf16>)
        -> tensor<2x4x65x32xbf16> {
      %n = mta.head_norm %o, %gamma epsilon(1.0e-5) layer(5)
          : tensor<2x4x65x32xf32>, tensor<32xbf16> -> tensor<2x4x65x32xbf16>
      return %n : tensor<2x4x65x32xbf16>
    }
    ```

    Source: arXiv 2504.00927, equation 7.
  }];
  let arguments = (ins
    MTA_HeadsTensor:$input, MTA_Tensor<[MTA_Float], [1]>:$gamma,
    DefaultValuedAttr<F64Attr, "1.0e-5">:$epsilon,
    OptionalAttr<I64Attr>:$layer);
  let assemblyFormat = [{
    $input `,` $gamma (`epsilon` `` `(` $epsilon^ `)`)?
    (`layer` `` `(` $layer^ `)`)? attr-dict
    `:` type($input) `,` type($gamma) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// `1 - λ` of the depth scaling, 1 without a layer.
    double getDepthScale();
  }];
}

def MTA_GateOp : MTA_OutputOp<"gate"> {
  let summary = "sigmoid gate on every head's output";
  let description = [{
    result[h,i,d] = input[h,i,d] * sigmoid(sum_e input[h,i,e] * W[d,e] + b[d])

    with `W: Dv x Dv` and `b: Dv` (vector gate). With `W: 1 x Dv` and `b: 1`
    (scalar gate) all `d` share one gate. The arithmetic is in f32, or in f64
    for f64 inputs.

    Preconditions:

    - C1: the columns of the weights are the last dimension of the input.
    - C2: the rows of the weights are 1 or the last dimension of the input, and
      statically known to be either.
    - C3: the bias has one element for every row of the weights.

    Postconditions:

    - C4: the result has the shape of the input.

    Example:

    ```mlir
    func.func @gate(%o: tensor<1x16x28x96xf32>, %w: tensor<1x96xf32>,
                    %b: tensor<1xf32>) -> tensor<1x16x28x96xf32> {
      %g = mta.gate %o, %w, %b : tensor<1x16x28x96xf32>, tensor<1x96xf32>,
                                 tensor<1xf32> -> tensor<1x16x28x96xf32>
      return %g : tensor<1x16x28x96xf32>
    }
    ```
  }];
  let arguments = (ins
    MTA_HeadsTensor:$input, MTA_Tensor<[MTA_Float], [2]>:$weights,
    MTA_Tensor<[MTA_Float], [1]>:$bias);
  let assemblyFormat = [{
    $input `,` $weights `,` $bias attr-dict
    `:` type($input) `,` type($weights) `,` type($bias) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// Whether all elements of a row share one gate.
    bool isScalar();
  }];
}

#endif // MTA_DIALECT_MTA_IR_MTAOPS_TD
