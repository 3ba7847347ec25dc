// Contractions say what their operands are, and layouts spread from there.

// RUN: mta-opt %s -split-input-file -mta-assign-layouts | FileCheck %s

// CHECK-LABEL: func.func @spread(
// CHECK:         vector.transfer_read {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]{{.*}} vector<2x16x16xf16>
// CHECK:         vector.transfer_read {{.*}}mta.layouts = [#mta.layout<rhs[column, row]>]{{.*}} vector<8x16xf16>
// CHECK:         scf.for
// CHECK:           vector.contract {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
// CHECK:         } {mta.layouts = [#mta.layout<accumulator[head, row, column]>]}
// CHECK:         arith.constant {mta.layouts = [#mta.layout<accumulator[head, row]>]} dense<0.000000e+00> : vector<2x16xf32>
// CHECK-NEXT:    vector.multi_reduction {{.*}}mta.layouts = [#mta.layout<accumulator[head, row]>]
// CHECK:         vector.shape_cast {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
// CHECK:         vector.broadcast {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
// CHECK:         arith.subf {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
func.func @spread(%x: memref<2x16x16xf16, #gpu.address_space<workgroup>>, %y: memref<8x16xf16, #gpu.address_space<workgroup>>, %z: memref<2x16x8xf32, #gpu.address_space<workgroup>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<2x16x8xf32>
    %none = arith.constant dense<0.0> : vector<2x16xf32>
    %a = vector.transfer_read %x[%c0, %c0, %c0], %pad {in_bounds = [true, true, true]} : memref<2x16x16xf16, #gpu.address_space<workgroup>>, vector<2x16x16xf16>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<8x16xf16, #gpu.address_space<workgroup>>, vector<8x16xf16>
    %c = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> (vector<2x16x8xf32>) {
      %next = vector.contract {
        indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
        iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %sum
          : vector<2x16x16xf16>, vector<8x16xf16> into vector<2x16x8xf32>
      scf.yield %next : vector<2x16x8xf32>
    }
    %maximum = vector.multi_reduction <maxnumf>, %c, %none [2] : vector<2x16x8xf32> to vector<2x16xf32>
    %column = vector.shape_cast %maximum : vector<2x16xf32> to vector<2x16x1xf32>
    %all = vector.broadcast %column : vector<2x16x1xf32> to vector<2x16x8xf32>
    %d = arith.subf %c, %all : vector<2x16x8xf32>
    vector.transfer_write %d, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x16x8xf32>, memref<2x16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// -----

// Statistics are those of the heads of a tile, whatever is written first.
// CHECK-LABEL: func.func @statistics_before_their_tile(
// CHECK:         vector.transfer_read {{.*}}mta.layouts = [#mta.layout<accumulator[head, row]>]
// CHECK:         vector.broadcast {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
func.func @statistics_before_their_tile(%m: memref<2x16xf32>, %z: memref<2x16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f32
    %rows = vector.transfer_read %m[%c0, %c0], %pad {in_bounds = [true, true]} : memref<2x16xf32>, vector<2x16xf32>
    %more = arith.addf %rows, %rows : vector<2x16xf32>
    vector.transfer_write %more, %m[%c0, %c0] {in_bounds = [true, true]} : vector<2x16xf32>, memref<2x16xf32>
    %column = vector.shape_cast %rows : vector<2x16xf32> to vector<2x16x1xf32>
    %all = vector.broadcast %column : vector<2x16x1xf32> to vector<2x16x8xf32>
    vector.transfer_write %all, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x16x8xf32>, memref<2x16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// -----

// Without a contraction, what is written is an accumulator. A step that is a
// row for one use and a column for another is repeated.
// CHECK-LABEL: func.func @repeated(
// CHECK-DAG:     vector.step {mta.layouts = [#mta.layout<accumulator[column]>]}
// CHECK-DAG:     vector.step {mta.layouts = [#mta.layout<accumulator[row]>]}
// CHECK:         arith.subi {{.*}}#mta.layout<accumulator[row, column]>
func.func @repeated(%z: memref<16x16xindex, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    %across = vector.broadcast %step : vector<16xindex> to vector<16x16xindex>
    %column = vector.shape_cast %step : vector<16xindex> to vector<16x1xindex>
    %down = vector.broadcast %column : vector<16x1xindex> to vector<16x16xindex>
    %difference = arith.subi %across, %down : vector<16x16xindex>
    vector.transfer_write %difference, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x16xindex>, memref<16x16xindex, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

// A number for every row of several heads, which nothing else has a layout for:
// statistics on their way from global to workgroup memory.
// CHECK-LABEL: func.func @rows_of_heads(
// CHECK:         vector.transfer_read {{.*}}mta.layouts = [#mta.layout<accumulator[head, row]>]
// CHECK:         arith.addf {{.*}}#mta.layout<accumulator[head, row]>
func.func @rows_of_heads(%m: memref<8x16xf32>, %z: memref<8x17xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %rows = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]} : memref<8x16xf32>, vector<8x16xf32>
    %twice = arith.addf %rows, %rows : vector<8x16xf32>
    vector.transfer_write %twice, %z[%c0, %c0] {in_bounds = [true, true]} : vector<8x16xf32>, memref<8x17xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 8 : i64, mta.rows = 16 : i64}
  return
}

// -----

// Constants from outside come in; launches of others are left alone.
// CHECK-LABEL: func.func @outside(
// CHECK:         gpu.launch
// CHECK-NEXT:      arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.000000e+00>
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     mta.layouts
func.func @outside(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  %outside = arith.constant dense<1.0> : vector<16x8xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    vector.transfer_write %outside, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

func.func @others(%z: memref<16xindex, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    vector.transfer_write %step, %z[%c0] {in_bounds = [true]} : vector<16xindex>, memref<16xindex, #gpu.address_space<workgroup>>
    gpu.terminator
  } 
  return
}

// -----

// Numbers that are only written are those of rows.
// CHECK-LABEL: func.func @numbers(
// CHECK:         vector.step {mta.layouts = [#mta.layout<accumulator[row]>]}
func.func @numbers(%z: memref<16xindex, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    vector.transfer_write %step, %z[%c0] {in_bounds = [true]} : vector<16xindex>, memref<16xindex, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

// A mix of heads: they are the rows of fragments, and the rows of the tile are
// where heads are otherwise.
// CHECK-LABEL: func.func @mix(
// CHECK:         vector.transfer_read {{.*}}mta.layouts = [#mta.layout<accumulator[row, column]>]{{.*}} vector<16x16xf16>
// CHECK:         vector.transfer_read {{.*}}mta.layouts = [#mta.layout<rhs[row, head, column]>]{{.*}} vector<16x32x8xf16>
// CHECK:         vector.contract {{.*}}mta.layouts = [#mta.layout<accumulator[row, head, column]>]
// CHECK:         vector.multi_reduction {{.*}}mta.layouts = [#mta.layout<accumulator[row, head]>]
func.func @mix(%w: memref<16x24xf16, #gpu.address_space<workgroup>>, %x: memref<16x32x8xf16, #gpu.address_space<workgroup>>, %z: memref<16x32xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 512 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x32x8xf32>
    %none = arith.constant dense<0.0> : vector<16x32xf32>
    %a = vector.transfer_read %w[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x24xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    %b = vector.transfer_read %x[%c0, %c0, %c0], %pad {in_bounds = [true, true, true]} : memref<16x32x8xf16, #gpu.address_space<workgroup>>, vector<16x32x8xf16>
    %c = vector.contract {
      indexing_maps = [affine_map<(o, r, c, i) -> (o, i)>, affine_map<(o, r, c, i) -> (i, r, c)>, affine_map<(o, r, c, i) -> (o, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<16x16xf16>, vector<16x32x8xf16> into vector<16x32x8xf32>
    %sum = vector.multi_reduction <add>, %c, %none [2] : vector<16x32x8xf32> to vector<16x32xf32>
    vector.transfer_write %sum, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x32xf32>, memref<16x32xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 16 : i64, mta.rows = 32 : i64}
  return
}

// -----

// What comes straight from memory is in runs along its rows: those of keys are
// the reduction, those of values the columns of the result. What goes to
// workgroup memory stays as it came.
// CHECK-LABEL: func.func @runs(
// CHECK:         mta.load_tile {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column] runs reduction>]
// CHECK:         mta.load_tile {{.*}}mta.layouts = [#mta.layout<rhs[head, column, row] runs reduction>]
// CHECK:         vector.contract {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
// CHECK:         arith.truncf {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column]>]
// CHECK:         mta.load_tile {{.*}}mta.layouts = [#mta.layout<rhs[head, row, column] runs column>]
// CHECK:         arith.constant {mta.layouts = [#mta.layout<accumulator[head, row, column] runs column>]}
// CHECK:         vector.contract {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column] runs column>]
// Rows of a result with columns in runs are multiplied as they are: both rows
// and columns of the operand B are in that order.
// CHECK:         arith.truncf {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column] runs column>]
// CHECK:         mta.load_tile {{.*}}mta.layouts = [#mta.layout<rhs[head, column, row] runs column>]
// CHECK:         vector.contract {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column] runs column>]
// CHECK:         mta.load_tile {{.*}}mta.layouts = [#mta.layout<accumulator[head, row, column] runs reduction>]
func.func @runs(%q: memref<1x16x?x32xf16>, %rows: index, %staged: memref<16x16x32xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 512 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %zero = arith.constant dense<0.0> : vector<16x16x16xf32>
    %none = arith.constant dense<0.0> : vector<16x16x32xf32>
    %a = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %rows) shared(%c1) : memref<1x16x?x32xf16> -> vector<16x16x32xf16>
    %b = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %rows) shared(%c1) : memref<1x16x?x32xf16> -> vector<16x16x32xf16>
    %s = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<16x16x32xf16>, vector<16x16x32xf16> into vector<16x16x16xf32>
    %p = arith.truncf %s : vector<16x16x16xf32> to vector<16x16x16xf16>
    %v = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %rows) shared(%c1) : memref<1x16x?x32xf16> -> vector<16x16x32xf16>
    %o = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, k, c)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %p, %v, %none
        : vector<16x16x16xf16>, vector<16x16x32xf16> into vector<16x16x32xf32>
    %x = arith.truncf %o : vector<16x16x32xf32> to vector<16x16x32xf16>
    %g = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %rows) shared(%c1) : memref<1x16x?x32xf16> -> vector<16x32x32xf16>
    %y = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %x, %g, %o
        : vector<16x16x32xf16>, vector<16x32x32xf16> into vector<16x16x32xf32>
    %w = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %rows) shared(%c1) : memref<1x16x?x32xf16> -> vector<16x16x32xf16>
    vector.transfer_write %w, %staged[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<16x16x32xf16>, memref<16x16x32xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 16 : i64, mta.rows = 16 : i64}
  return
}
