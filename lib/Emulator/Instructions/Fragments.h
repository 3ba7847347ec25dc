//===- Fragments.h - Which lane holds which element of a matrix --*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The layouts of the matrix instructions as pure functions, from the tables of
// the PTX ISA 9.7.14 and written for the emulator alone, so that they check the
// compiler's.
//
//   group = lane / 4, member = lane % 4
//
//   A fragment of m16n8: a register holds e = 32 / bits elements of a row
//
//        members   0      1      2      3
//   row          +------+------+------+------+
//   group        |         register 0        | register 2 …
//   group + 8    |         register 1        | register 3 …
//                +---------------------------+
//                 4 e columns                  the next 4 e columns
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTIONS_FRAGMENTS_H
#define MTA_LIB_EMULATOR_INSTRUCTIONS_FRAGMENTS_H

namespace mta::emulator {

struct Element {
  unsigned row, column;
};

/// A of mma.m16n8k*: element `index` of a lane, `perRegister` elements in a
/// register (PTX ISA 9.7.14.5.1 to 9.7.14.5.10, figures of fragment A).
Element mmaA(unsigned lane, unsigned index, unsigned perRegister);
/// B of mma.m16n8k*, k rows and 8 columns.
Element mmaB(unsigned lane, unsigned index, unsigned perRegister);
/// C and D of mma.m16n8k*, 4 elements a lane.
Element mmaC(unsigned lane, unsigned index);

/// mma.m8n8k4 of f64 (9.7.14.5.11): one element of A and B, two of C.
Element mmaDoubleA(unsigned lane);
Element mmaDoubleB(unsigned lane);
Element mmaDoubleC(unsigned lane, unsigned index);

/// An 8x8 matrix of 16-bit elements as ldmatrix, stmatrix and movmatrix
/// distribute it: two elements a lane (9.7.14.5.15).
Element matrix8x8(unsigned lane, unsigned index, bool transposed);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTIONS_FRAGMENTS_H
