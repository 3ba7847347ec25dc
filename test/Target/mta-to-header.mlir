// The C header: types, sizes that are equal, names, conditions.

// RUN: mta-translate --mta-to-header --cpu=x86-64-v3 %s -o %t.h
// RUN: FileCheck %s --input-file=%t.h
// RUN: %cc -std=c11 -Wall -Wextra -pedantic -Werror -fsyntax-only -x c %t.h
// RUN: %cxx -std=c++17 -Wall -Wextra -pedantic -Werror -fsyntax-only -x c++ %t.h
// RUN: mta-translate --mta-to-header --no-threads --cpu=x86-64-v4 %s | FileCheck %s --check-prefix=NOTHREADS
// NOTHREADS: for the processor x86-64-v4.
// NOTHREADS-NOT: OpenMP

// Twice the same, and with that of another module:
// RUN: printf '#include "%t.h"\n#include "%t.h"\n#include "%t.other.h"\nint main(void) { return plain(0, 0, 0, 0) + other(0); }\n' > %t.c
// RUN: echo 'func.func @other(%%x: tensor<4xf32>) { return }' | mta-translate --mta-to-header -o %t.other.h
// RUN: %cc -std=c11 -Wall -Wextra -pedantic -Werror -fsyntax-only %t.c

// CHECK: // Made by the MTA compiler {{[0-9.]+}} for the processor x86-64-v3.
// CHECK-NEXT: // Link with the math library (-lm) and LLVM's OpenMP library (libomp.so.5).
// CHECK: #ifndef MTA_KERNEL_plain_H
// CHECK-NEXT: #define MTA_KERNEL_plain_H
// CHECK: #include <stdint.h>
// CHECK: extern "C" {
// CHECK: typedef uint16_t MtaF16;
// CHECK: typedef uint16_t MtaBF16;
// CHECK: MTA_KERNEL_SUCCESS = 0
// CHECK: MTA_KERNEL_BAD_SIZE = -1
// CHECK: MTA_KERNEL_NULL_POINTER = -2
// CHECK: MTA_KERNEL_OUT_OF_MEMORY = -3

// CHECK-LABEL: // plain
// CHECK-NEXT: //
// CHECK-NEXT: //   query[2][4][8][16]: tensor<2x4x8x16xf32>
// CHECK-NEXT: //   key[2][4][9][16]: tensor<2x4x9x16xf32>
// CHECK-NEXT: //   value[2][4][9][16]: tensor<2x4x9x16xf32>
// CHECK-NEXT: //   result[2][4][8][16]: tensor<2x4x8x16xf32>, written
// CHECK-NEXT: int plain(const float *query,
// CHECK-NEXT:           const float *key,
// CHECK-NEXT:           const float *value,
// CHECK-NEXT:           float *result);
func.func @plain(%query: tensor<2x4x8x16xf32>, %key: tensor<2x4x9x16xf32>,
                 %value: tensor<2x4x9x16xf32>) -> tensor<2x4x8x16xf32> {
  %result = mta.attention %query, %key, %value {
  ^bb0(%s: tensor<2x4x8x9xf32>):
    %0 = mta.softmax %s : tensor<2x4x8x9xf32>
    mta.yield %0 : tensor<2x4x8x9xf32>
  } : tensor<2x4x8x16xf32>, tensor<2x4x9x16xf32>, tensor<2x4x9x16xf32> -> tensor<2x4x8x16xf32>
  return %result : tensor<2x4x8x16xf32>
}

// Every size dynamic that may be. One that has to be equal to a static one is
// none: the batch of the value is 3.

// CHECK-LABEL: // sizes
// CHECK: //   query[3][heads][queries][head_dim]: tensor<?x?x?x?xbf16>
// CHECK-NEXT: //   key[3][key_heads][keys][head_dim]: tensor<?x?x?x?xbf16>
// CHECK-NEXT: //   value[3][key_heads][keys][value_dim]: tensor<3x?x?x?xbf16>
// CHECK-NEXT: //   conv[heads][conv_size1][3][5]: tensor<?x?x3x5xbf16>
// CHECK-NEXT: //   mix[head_groups][group_heads][group_heads]: tensor<?x?x?xbf16>
// CHECK-NEXT: //   gamma[value_dim]: tensor<?xbf16>
// CHECK-NEXT: //   weights[1][value_dim]: tensor<1x?xbf16>
// CHECK-NEXT: //   bias[1]: tensor<1xbf16>
// CHECK-NEXT: //   gated[3][heads][queries - 7][value_dim]: tensor<?x?x?x?xbf16>, written
// CHECK-NEXT: //   log_sum_exp[3][heads][queries - 7]: tensor<?x?x?xf32>, written
// CHECK-NEXT: //
// CHECK-NEXT: // Sizes, at least 0: heads, queries, head_dim, key_heads, keys, value_dim, conv_size1, head_groups, group_heads.
// CHECK-NEXT: // Expects heads to be a multiple of key_heads.
// CHECK-NEXT: // Expects queries >= 7.
// CHECK-NEXT: // Expects heads to be a multiple of conv_size1.
// CHECK-NEXT: // Expects heads = head_groups * group_heads.
// CHECK-NEXT: int sizes(const MtaBF16 *query,
// CHECK:                MtaBF16 *gated,
// CHECK-NEXT:           float *log_sum_exp,
// CHECK-NEXT:           int64_t heads,
// CHECK-NEXT:           int64_t queries,
func.func @sizes(%query: tensor<?x?x?x?xbf16>, %key: tensor<?x?x?x?xbf16>,
                 %value: tensor<3x?x?x?xbf16>, %conv: tensor<?x?x3x5xbf16>,
                 %mix: tensor<?x?x?xbf16>, %gamma: tensor<?xbf16>,
                 %weights: tensor<1x?xbf16>, %bias: tensor<1xbf16>)
    -> (tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) {
  %output, %log_sum_exp = mta.attention %query, %key, %value query_halo(7) {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %0 = mta.key_query_conv %s, %conv : tensor<?x?x?x?xf32>, tensor<?x?x3x5xbf16>
    %1 = mta.softmax %0 : tensor<?x?x?x?xf32>
    %2 = mta.head_mix %1, %mix : tensor<?x?x?x?xf32>, tensor<?x?x?xbf16>
    mta.yield %2 : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<3x?x?x?xbf16> -> tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
  %normed = mta.head_norm %output, %gamma : tensor<?x?x?x?xf32>, tensor<?xbf16> -> tensor<?x?x?x?xf32>
  %gated = mta.gate %normed, %weights, %bias : tensor<?x?x?x?xf32>, tensor<1x?xbf16>, tensor<1xbf16> -> tensor<?x?x?x?xbf16>
  return %gated, %log_sum_exp : tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>
}

// CHECK-LABEL: // sequences
// CHECK: //   arg3[boundaries]: tensor<?xi32>; offsets that do not decrease, from 0 to the number of queries; not checked
// CHECK-NEXT: //   arg4[boundaries]: tensor<?xi32>; offsets that do not decrease, from 0 to the number of keys; not checked
// CHECK-NEXT: //   out[1][4][queries][16]: tensor<1x4x?x16xf16>, written
// CHECK: // Sizes, at least 0: queries, keys, boundaries.
// CHECK-NEXT: // Expects boundaries >= 2.
// CHECK-NEXT: int sequences(const MtaF16 *arg0,
// CHECK: const int32_t *arg3,
func.func @sequences(%0: tensor<1x4x?x16xf16>, %1: tensor<1x4x?x16xf16>, %2: tensor<1x4x?x16xf16>,
                     %3: tensor<?xi32>, %4: tensor<?xi32>) -> tensor<1x4x?x16xf16> {
  %5 = mta.attention %0, %1, %2 sequences(%3, %4 : tensor<?xi32>, tensor<?xi32>) {
  ^bb0(%s: tensor<1x4x?x?xf32>):
    %6 = mta.softmax %s : tensor<1x4x?x?xf32>
    mta.yield %6 : tensor<1x4x?x?xf32>
  } : tensor<1x4x?x16xf16>, tensor<1x4x?x16xf16>, tensor<1x4x?x16xf16> -> tensor<1x4x?x16xf16>
  return %5 : tensor<1x4x?x16xf16>
}

// Operations of other dialects, scalars, a returned argument, and names that C
// or C++ cannot use.

// CHECK-LABEL: // others
// CHECK: int others(const int64_t *x,
// CHECK-NEXT:            double arg1,
// CHECK-NEXT:            int64_t arg2,
// CHECK-NEXT:            int8_t others_arg,
// CHECK-NEXT:            const int16_t *given,
// CHECK-NEXT:            double *first,
// CHECK-NEXT:            int64_t *out1,
// CHECK-NEXT:            int64_t x_size0,
// CHECK-NEXT:            int64_t given_size0);
func.func @others(%x: tensor<?x8xindex>, %int: f64, %new: index, %others_arg: i8,
                  %e: tensor<?xi16> {mta.name = "given"})
    -> (tensor<8x?xf64>, tensor<?x8xindex>) {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x8xindex>
  %empty = tensor.empty(%d) : tensor<8x?xf64>
  %first = linalg.fill ins(%int : f64) outs(%empty : tensor<8x?xf64>) -> tensor<8x?xf64>
  return %first, %x : tensor<8x?xf64>, tensor<?x8xindex>
}

// Functions that are not public are not in it.
// CHECK-NOT: hidden
func.func private @hidden(%x: tensor<4xf32>) { return }
