//===- Fragments.cpp - Which lane holds which element of a matrix ---------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fragments.h"

namespace mta::emulator {

Element mmaA(unsigned lane, unsigned index, unsigned perRegister) {
  unsigned group = lane / 4, member = lane % 4;
  unsigned reg = index / perRegister, part = index % perRegister;
  return {group + 8 * (reg % 2),
          member * perRegister + part + 4 * perRegister * (reg / 2)};
}

Element mmaB(unsigned lane, unsigned index, unsigned perRegister) {
  unsigned group = lane / 4, member = lane % 4;
  unsigned reg = index / perRegister, part = index % perRegister;
  return {member * perRegister + part + 4 * perRegister * reg, group};
}

Element mmaC(unsigned lane, unsigned index) {
  return {lane / 4 + 8 * (index / 2), lane % 4 * 2 + index % 2};
}

Element mmaDoubleA(unsigned lane) { return {lane / 4, lane % 4}; }
Element mmaDoubleB(unsigned lane) { return {lane % 4, lane / 4}; }
Element mmaDoubleC(unsigned lane, unsigned index) {
  return {lane / 4, lane % 4 * 2 + index};
}

Element matrix8x8(unsigned lane, unsigned index, bool transposed) {
  Element element = {lane / 4, lane % 4 * 2 + index};
  return transposed ? Element{element.column, element.row} : element;
}

} // namespace mta::emulator
