// What one thread does of small tile programs, one for each kind of operation.

// RUN: mta-opt %s -mta-assign-layouts -convert-vector-to-fragments -canonicalize -cse \
// RUN:   | FileCheck %s --implicit-check-not=mta. --implicit-check-not=vector.contract --implicit-check-not=vector.transfer

#lhs = affine_map<(r, c, k) -> (r, k)>
#rhs = affine_map<(r, c, k) -> (k, c)>
#transposed = affine_map<(r, c, k) -> (c, k)>
#out = affine_map<(r, c, k) -> (r, c)>
#contraction = {
  indexing_maps = [#lhs, #rhs, #out],
  iterator_types = ["parallel", "parallel", "reduction"]
}
#contraction_transposed = {
  indexing_maps = [#lhs, #transposed, #out],
  iterator_types = ["parallel", "parallel", "reduction"]
}

// A strip of 16 x 16 is four matrices, of which lanes 0-15 point to the rows of
// the first two. 16 x 8 with the reduction along the rows is transposed.
// CHECK-LABEL: func.func @contract_f16(
// CHECK-SAME:    %[[X:[^:]*]]: memref<16x16xf16, {{[^:]*}}, %[[Y:[^:]*]]: memref<16x8xf16, {{[^:]*}}, %[[Z:[^:]*]]: memref<16x8xf32
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C4:.*]] = arith.constant 4 : index
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[C16:.*]] = arith.constant 16 : index
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK:         gpu.launch {{.*}} threads(%[[THREAD:[^,]*]],
// CHECK:           %[[LANE:.*]] = arith.remui %[[THREAD]], %[[C32]]
// CHECK-DAG:       %[[GROUP:.*]] = arith.divui %[[LANE]], %[[C4]]
// CHECK-DAG:       %[[POSITION:.*]] = arith.remui %[[LANE]], %[[C4]]
// CHECK:           %[[A:.*]] = nvgpu.ldmatrix %[[X]][{{.*}}] {numTiles = 4 : i32, transpose = false} : {{.*}} -> vector<4x2xf16>
// CHECK:           %[[A0:.*]] = vector.extract %[[A]][0]
// CHECK:           %[[A1:.*]] = vector.extract %[[A]][1]
// CHECK:           %[[A2:.*]] = vector.extract %[[A]][2]
// CHECK:           %[[A3:.*]] = vector.extract %[[A]][3]
// CHECK:           %[[B:.*]] = nvgpu.ldmatrix %[[Y]][{{.*}}] {numTiles = 2 : i32, transpose = true} : {{.*}} -> vector<2x2xf16>
// CHECK:           %[[B0:.*]] = vector.extract %[[B]][0]
// CHECK:           %[[B1:.*]] = vector.extract %[[B]][1]
// CHECK:           %[[R:.*]] = nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]] B[%[[B0]], %[[B1]]]
// CHECK-SAME:        shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK:           %[[R0:.*]] = llvm.extractvalue %[[R]][0]
// CHECK:           %[[R1:.*]] = llvm.extractvalue %[[R]][1]
// CHECK:           %[[FIRST:.*]] = vector.from_elements %[[R0]], %[[R1]]
// CHECK:           %[[R2:.*]] = llvm.extractvalue %[[R]][2]
// CHECK:           %[[R3:.*]] = llvm.extractvalue %[[R]][3]
// CHECK:           %[[SECOND:.*]] = vector.from_elements %[[R2]], %[[R3]]
// Rows g and g + 8, columns 2t and 2t + 1.
// CHECK:           vector.store %[[FIRST]], %[[Z]][%[[ROW:[0-9]+]], %[[COLUMN:[0-9]+]]] {alignment = 8 : i64}
// CHECK:           %[[BELOW:.*]] = arith.addi %[[ROW]], %[[C8]]
// CHECK:           vector.store %[[SECOND]], %[[Z]][%[[BELOW]], %[[COLUMN]]] {alignment = 8 : i64}
func.func @contract_f16(%x: memref<16x16xf16, #gpu.address_space<workgroup>>, %y: memref<16x8xf16, #gpu.address_space<workgroup>>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x8xf16, #gpu.address_space<workgroup>>, vector<16x8xf16>
    %c = vector.contract #contraction %a, %b, %zero : vector<16x16xf16>, vector<16x8xf16> into vector<16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// The third piece of 8 is a smaller product that goes on with the sums.
// CHECK-LABEL: func.func @contract_24(
// CHECK:           nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK:           nvgpu.ldmatrix {{.*}} {numTiles = 2 : i32, transpose = false}
// CHECK:           %[[FIRST:.*]] = nvvm.mma.sync {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK:           %[[SUM:.*]] = llvm.extractvalue %[[FIRST]][0]
// CHECK:           nvvm.mma.sync {{.*}} C[%[[SUM]], {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 8>
// CHECK-NOT:       nvvm.mma.sync
func.func @contract_24(%x: memref<16x24xf16, #gpu.address_space<workgroup>>, %y: memref<24x8xf16, #gpu.address_space<workgroup>>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x24xf16, #gpu.address_space<workgroup>>, vector<16x24xf16>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<24x8xf16, #gpu.address_space<workgroup>>, vector<24x8xf16>
    %c = vector.contract #contraction %a, %b, %zero : vector<16x24xf16>, vector<24x8xf16> into vector<16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// bf16 comes in integers; keys lie in memory as the operand wants them.
// CHECK-LABEL: func.func @contract_bf16(
// CHECK:           nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false} : {{.*}} -> vector<4x2xbf16>
// CHECK:           nvgpu.ldmatrix {{.*}} {numTiles = 2 : i32, transpose = false} : {{.*}} -> vector<2x2xbf16>
// CHECK:           %[[BITS:.*]] = vector.bitcast {{.*}} : vector<2xbf16> to vector<1xi32>
// CHECK:           vector.extract %[[BITS]][0] : i32
// CHECK:           nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<bf16>
func.func @contract_bf16(%x: memref<16x16xbf16, #gpu.address_space<workgroup>>, %y: memref<8x16xbf16, #gpu.address_space<workgroup>>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : bf16
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xbf16, #gpu.address_space<workgroup>>, vector<16x16xbf16>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<8x16xbf16, #gpu.address_space<workgroup>>, vector<8x16xbf16>
    %c = vector.contract #contraction_transposed %a, %b, %zero : vector<16x16xbf16>, vector<8x16xbf16> into vector<16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Pairs of f32: a lane loads columns 2t and 2t + 1 of rows g and g + 8, and rows
// 2t and 2t + 1 of column g one by one. The operands are all first numbers, then
// all second ones.
// CHECK-LABEL: func.func @contract_tf32(
// CHECK-SAME:    %[[X:[^:]*]]: memref<16x8xf32, {{[^:]*}}, %[[Y:[^:]*]]: memref<8x8xf32
// CHECK-DAG:       %[[GROUP:.*]] = arith.divui %{{.*}}, %c4
// CHECK-DAG:       %[[POSITION:.*]] = arith.remui %{{.*}}, %c4
// CHECK:           %[[PAIR:.*]] = arith.muli %[[POSITION]], %c2
// CHECK:           %[[UPPER:.*]] = vector.load %[[X]][%[[GROUP]], %[[PAIR]]] {alignment = 8 : i64}
// CHECK:           %[[BELOW:.*]] = arith.addi %[[GROUP]], %c8
// CHECK:           %[[LOWER:.*]] = vector.load %[[X]][%[[BELOW]], %[[PAIR]]] {alignment = 8 : i64}
// CHECK:           %[[FIRST:.*]] = memref.load %[[Y]][%[[PAIR]], %[[GROUP]]]
// CHECK:           %[[NEXT:.*]] = arith.addi %[[PAIR]], %c1
// CHECK:           %[[SECOND:.*]] = memref.load %[[Y]][%[[NEXT]], %[[GROUP]]]
// CHECK:           %[[U0:.*]] = vector.extract %[[UPPER]][0]
// CHECK:           %[[A0:.*]] = arith.bitcast %[[U0]] : f32 to i32
// CHECK:           %[[L0:.*]] = vector.extract %[[LOWER]][0]
// CHECK:           %[[A1:.*]] = arith.bitcast %[[L0]]
// CHECK:           %[[U1:.*]] = vector.extract %[[UPPER]][1]
// CHECK:           %[[A2:.*]] = arith.bitcast %[[U1]]
// CHECK:           %[[L1:.*]] = vector.extract %[[LOWER]][1]
// CHECK:           %[[A3:.*]] = arith.bitcast %[[L1]]
// CHECK:           %[[B0:.*]] = arith.bitcast %[[FIRST]]
// CHECK:           %[[B1:.*]] = arith.bitcast %[[SECOND]]
// CHECK:           nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]] B[%[[B0]], %[[B1]]]
// CHECK-SAME:        multiplicandAPtxType = #nvvm.mma_type<tf32>, multiplicandBPtxType = #nvvm.mma_type<tf32>, shape = #nvvm.shape<m = 16, n = 8, k = 8>
func.func @contract_tf32(%x: memref<16x8xf32, #gpu.address_space<workgroup>>, %y: memref<8x8xf32, #gpu.address_space<workgroup>>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f32
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x8xf32, #gpu.address_space<workgroup>>, vector<16x8xf32>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<8x8xf32, #gpu.address_space<workgroup>>, vector<8x8xf32>
    %c = vector.contract {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "reduction"]} %a, %b, %zero {mta.tf32} : vector<16x8xf32>, vector<8x8xf32> into vector<16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Two pieces of the reduction are two products; of keys, a lane loads pairs.
// CHECK-LABEL: func.func @contract_tf32_keys(
// CHECK-SAME:    %[[X:[^:]*]]: memref<16x16xf32, {{[^:]*}}, %[[Y:[^:]*]]: memref<8x16xf32
// CHECK:           vector.load %[[X]][%[[GROUP:[0-9]+]], %[[PAIR:[0-9]+]]]
// CHECK:           %[[NEXT:.*]] = arith.addi %[[PAIR]], %c8
// CHECK:           vector.load %[[X]][%[[GROUP]], %[[NEXT]]]
// CHECK:           vector.load %[[Y]][%[[GROUP]], %[[PAIR]]] {alignment = 8 : i64}
// CHECK:           vector.load %[[Y]][%[[GROUP]], %[[NEXT]]] {alignment = 8 : i64}
// CHECK-NOT:       memref.load
// CHECK:           %[[FIRST:.*]] = nvvm.mma.sync
// CHECK:           %[[SUM:.*]] = llvm.extractvalue %[[FIRST]][0]
// CHECK:           nvvm.mma.sync {{.*}} C[%[[SUM]],
// CHECK-NOT:       nvvm.mma.sync
func.func @contract_tf32_keys(%x: memref<16x16xf32, #gpu.address_space<workgroup>>, %y: memref<8x16xf32, #gpu.address_space<workgroup>>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f32
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf32, #gpu.address_space<workgroup>>, vector<16x16xf32>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<8x16xf32, #gpu.address_space<workgroup>>, vector<8x16xf32>
    %c = vector.contract {indexing_maps = [#lhs, #transposed, #out], iterator_types = ["parallel", "parallel", "reduction"]} %a, %b, %zero {mta.tf32} : vector<16x16xf32>, vector<8x16xf32> into vector<16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// 16 bytes are 4 elements of f32.
// CHECK-LABEL: func.func @copies_f32(
// CHECK-SAME:    %[[M:[^:]*]]: memref<8x24xf32, {{[^:]*}}, %[[G:[^:]*]]: memref<?x16xf32>
// CHECK:           scf.for {{.*}} to %c192
// CHECK-NEXT:        vector.store %{{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK:           %[[COUNT:.*]] = arith.select %{{.*}}, %c4, %c0
// CHECK:           nvgpu.device_async_copy %[[G]][{{.*}}], %[[M]][{{.*}}], 4, %[[COUNT]] {bypassL1}
// CHECK-NOT:       nvgpu.device_async_copy
func.func @copies_f32(%m: memref<8x24xf32, #gpu.address_space<workgroup>>, %g: memref<?x16xf32>, %row: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%m : memref<8x24xf32, #gpu.address_space<workgroup>>)
    mta.copy_tile %g[%row, %c0], %m[%c0, %c0] limit(%n) shape [8, 16] : memref<?x16xf32>, memref<8x24xf32, #gpu.address_space<workgroup>>
    mta.commit_copies
    mta.wait_copies
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// A lane adds its four columns of a row, and those of the lanes 1 and 2 further
// on. One of the four writes, if the row's mask is set.
// CHECK-LABEL: func.func @row_sums(
// CHECK-SAME:    , %[[OUT:[^:,]*]]: memref<16xf32>, %[[N:.*]]: index)
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1 : i32
// CHECK-DAG:     %[[TWO:.*]] = arith.constant 2 : i32
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK:         %[[POSITION:.*]] = arith.remui %{{.*}}, %c4
// CHECK:           %[[PAIR:.*]] = arith.addf %{{.*}}, %{{.*}} : vector<2xf32>
// CHECK-DAG:       %[[LEFT:.*]] = vector.extract %[[PAIR]][0]
// CHECK-DAG:       %[[RIGHT:.*]] = vector.extract %[[PAIR]][1]
// CHECK:           %[[OWN:.*]] = arith.addf %[[LEFT]], %[[RIGHT]] : f32
// CHECK:           %[[OTHER:.*]], %{{.*}} = gpu.shuffle xor %[[OWN]], %[[ONE]]
// CHECK:           %[[BOTH:.*]] = arith.addf %[[OWN]], %[[OTHER]]
// CHECK:           %[[REST:.*]], %{{.*}} = gpu.shuffle xor %[[BOTH]], %[[TWO]]
// CHECK:           %[[ALL:.*]] = arith.addf %[[BOTH]], %[[REST]]
// CHECK-COUNT-2:   gpu.shuffle
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[POSITION]], %[[C0]]
// CHECK:           %[[WRITES:.*]] = arith.andi %{{.*}}, %[[FIRST]]
// CHECK:           scf.if %[[WRITES]]
// CHECK:             memref.store %{{.*}}, %[[OUT]]
// CHECK:           scf.if
// CHECK:             memref.store %{{.*}}, %[[OUT]]
func.func @row_sums(%m: memref<16x16xf16, #gpu.address_space<workgroup>>, %out: memref<16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %x = vector.transfer_read %m[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %wide = arith.extf %x : vector<16x16xf16> to vector<16x16xf32>
    %sum = vector.multi_reduction <add>, %wide, %zero [1] : vector<16x16xf32> to vector<16xf32>
    %step = vector.step : vector<16xindex>
    %bound = vector.broadcast %n : index to vector<16xindex>
    %mask = arith.cmpi ult, %step, %bound : vector<16xindex>
    vector.transfer_write %sum, %out[%c0], %mask {in_bounds = [true]} : vector<16xf32>, memref<16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Steps are the lane's own rows and columns; slices are a choice of pieces: the
// right half goes to the left, zero stays on the right.
// CHECK-LABEL: func.func @steps_and_slices(
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<2xf16>
// CHECK-DAG:     %[[C9:.*]] = arith.constant 9 : index
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK:           %[[GROUP:.*]] = arith.divui %{{.*}}, %c4
// CHECK:           %[[POSITION:.*]] = arith.remui %{{.*}}, %c4
// CHECK:           %[[TWICE:.*]] = arith.muli %[[POSITION]], %[[C2]]
// CHECK:           %[[NINTH:.*]] = arith.addi %[[TWICE]], %[[C8]]
// CHECK:           %[[NEXT:.*]] = arith.addi %[[TWICE]], %[[C9]]
// CHECK:           vector.from_elements %[[NINTH]], %[[NEXT]] : vector<2xindex>
// CHECK:           %[[LOWER:.*]] = arith.cmpi ult, {{.*}} : vector<2xindex>
// CHECK:           arith.select %{{.*}} : vector<2xi1>, vector<2xf16>
// CHECK:           vector.store
// CHECK:           vector.store %[[ZERO]], {{.*}} {alignment = 4 : i64}
// CHECK:           vector.store
// CHECK:           vector.store %[[ZERO]]
// CHECK-NOT:       vector.store
func.func @steps_and_slices(%m: memref<16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %flat = vector.step : vector<16xindex>
    %column = vector.shape_cast %flat : vector<16xindex> to vector<16x1xindex>
    %rows = vector.broadcast %column : vector<16x1xindex> to vector<16x16xindex>
    %across = vector.step : vector<16xindex>
    %columns = vector.broadcast %across : vector<16xindex> to vector<16x16xindex>
    %lower = arith.cmpi ult, %columns, %rows : vector<16x16xindex>
    %zero = arith.constant dense<0.0> : vector<16x16xf16>
    %one = arith.constant dense<1.0> : vector<16x16xf16>
    %all = arith.select %lower, %one, %zero : vector<16x16xi1>, vector<16x16xf16>
    %right = vector.extract_strided_slice %all {offsets = [0, 8], sizes = [16, 8], strides = [1, 1]} : vector<16x16xf16> to vector<16x8xf16>
    %moved = vector.insert_strided_slice %right, %zero {offsets = [0, 0], strides = [1, 1]} : vector<16x8xf16> into vector<16x16xf16>
    vector.transfer_write %moved, %m[%c0, %c0] {in_bounds = [true, true]} : vector<16x16xf16>, memref<16x16xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// 8 elements a thread. 40 copies for 32 threads: the last ones are the first
// threads'. Rows outside of [0, limit) copy 0 elements.
// CHECK-LABEL: func.func @copies(
// CHECK-SAME:    %[[M:[^:]*]]: memref<20x24xf16, {{[^:]*}}, %[[G:[^:]*]]: memref<?x16xf16>, %[[ROW:[^:]*]]: index, %[[N:[^:]*]]: index)
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[C40:.*]] = arith.constant 40 : index
// CHECK-DAG:     %[[C480:.*]] = arith.constant 480 : index
// CHECK:         gpu.launch {{.*}} threads(%[[THREAD:[^,]*]],
// CHECK:           %[[FLAT:.*]] = memref.collapse_shape %[[M]]
// CHECK:           %[[START:.*]] = arith.muli %[[THREAD]], %[[C8]]
// CHECK:           scf.for %[[I:.*]] = %[[START]] to %[[C480]] step %{{.*}} {
// CHECK-NEXT:        vector.store %{{.*}}, %[[FLAT]][%[[I]]] {alignment = 16 : i64} : {{.*}}, vector<8xf16>
// CHECK:           %[[SOURCE:.*]] = arith.addi %[[ROW]], %{{.*}}
// CHECK:           %[[EXISTS:.*]] = arith.cmpi ult, %[[SOURCE]], %[[N]]
// CHECK:           %[[SAFE:.*]] = arith.select %[[EXISTS]], %[[SOURCE]], %[[C0]]
// CHECK:           %[[COUNT:.*]] = arith.select %[[EXISTS]], %[[C8]], %[[C0]]
// CHECK:           nvgpu.device_async_copy %[[G]][%[[SAFE]], %{{.*}}], %[[M]][{{.*}}], 8, %[[COUNT]] {bypassL1}
// CHECK:           %[[PIECE:.*]] = arith.addi %[[THREAD]], %[[C32]]
// CHECK:           %[[INSIDE:.*]] = arith.cmpi ult, %[[PIECE]], %[[C40]]
// CHECK:           scf.if %[[INSIDE]]
// CHECK:             nvgpu.device_async_copy
// CHECK:           nvvm.cp.async.commit.group
// CHECK-NEXT:      nvvm.cp.async.wait.group 1
// CHECK-NEXT:      gpu.barrier
func.func @copies(%m: memref<20x24xf16, #gpu.address_space<workgroup>>, %g: memref<?x16xf16>, %row: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f16
    linalg.fill ins(%zero : f16) outs(%m : memref<20x24xf16, #gpu.address_space<workgroup>>)
    mta.copy_tile %g[%row, %c0], %m[%c0, %c0] limit(%n) shape [20, 16] : memref<?x16xf16>, memref<20x24xf16, #gpu.address_space<workgroup>>
    mta.commit_copies
    mta.wait_copies pending(1)
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Of 96 columns the last 32 are a part of their own: eight threads copy the four
// pieces of two rows that are four apart, as pieces of the next row would lie in
// banks that those of this one take.
// CHECK-LABEL: func.func @copies_in_parts(
// CHECK:         gpu.launch {{.*}} threads(%[[THREAD:[^,]*]],
// CHECK:           arith.divui %[[THREAD]], %c8
// CHECK:           nvgpu.device_async_copy
// CHECK:           nvgpu.device_async_copy
// CHECK:           %[[REST:.*]] = arith.remui %[[THREAD]], %c4
// CHECK:           %[[PLACE:.*]] = arith.addi %[[REST]], %c8
// CHECK:           %[[BLOCK:.*]] = arith.divui %[[THREAD]], %c32
// CHECK:           %[[ROWS:.*]] = arith.muli %[[BLOCK]], %c8
// CHECK:           %[[IN_BLOCK:.*]] = arith.remui %[[THREAD]], %c32
// CHECK:           %[[FOUR:.*]] = arith.divui %[[IN_BLOCK]], %c4
// CHECK:           %[[SECOND:.*]] = arith.remui %[[FOUR]], %c2
// CHECK:           %[[DISTANT:.*]] = arith.muli %[[SECOND]], %c4
// CHECK:           %[[OFFSET:.*]] = arith.divui %[[IN_BLOCK]], %c8
// CHECK:           %[[IN_ROWS:.*]] = arith.addi %[[DISTANT]], %[[OFFSET]]
// CHECK:           arith.addi %[[ROWS]], %[[IN_ROWS]]
// CHECK:           nvgpu.device_async_copy
// CHECK-NOT:       nvgpu.device_async_copy
func.func @copies_in_parts(%m: memref<16x104xf16, #gpu.address_space<workgroup>>, %g: memref<?x96xf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.copy_tile %g[%c0, %c0], %m[%c0, %c0] limit(%n) shape [16, 96] : memref<?x96xf16>, memref<16x104xf16, #gpu.address_space<workgroup>>
    mta.commit_copies
    mta.wait_copies
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 32 : i64}
  return
}

// A branch for every row of the lane.
// CHECK-LABEL: func.func @masked_write(
// CHECK-SAME:    %[[G:[^:]*]]: memref<?x8xf16>
// CHECK:           scf.if
// CHECK:             vector.store %{{.*}}, %[[G]][{{.*}}] {alignment = 4 : i64}
// CHECK:           scf.if
// CHECK:             vector.store %{{.*}}, %[[G]]
// CHECK-NOT:       scf.if
func.func @masked_write(%g: memref<?x8xf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %step = vector.step : vector<16xindex>
    %bound = vector.broadcast %n : index to vector<16xindex>
    %own = arith.cmpi ult, %step, %bound : vector<16xindex>
    %column = vector.shape_cast %own : vector<16xi1> to vector<16x1xi1>
    %mask = vector.broadcast %column : vector<16x1xi1> to vector<16x8xi1>
    %one = arith.constant dense<1.0> : vector<16x8xf16>
    vector.transfer_write %one, %g[%c0, %c0], %mask {in_bounds = [true, true]} : vector<16x8xf16>, memref<?x8xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Without a mask all rows are written; of statistics, by one of four lanes.
// CHECK-LABEL: func.func @unmasked_write(
// CHECK-SAME:    %[[G:[^:]*]]: memref<16x8xf16>, %[[ROWS:[^:]*]]: memref<16xf32>
// CHECK-NOT:       scf.if
// CHECK-COUNT-2:   vector.store %{{.*}}, %[[G]][{{.*}}] {alignment = 4 : i64}
// CHECK:           %[[OWN:.*]] = arith.cmpi eq
// CHECK-NEXT:      scf.if %[[OWN]]
// CHECK-NEXT:        memref.store %{{.*}}, %[[ROWS]]
// CHECK-NEXT:        memref.store %{{.*}}, %[[ROWS]]
func.func @unmasked_write(%g: memref<16x8xf16>, %rows: memref<16xf32>, %m: memref<16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %one = arith.constant dense<1.0> : vector<16x8xf16>
    vector.transfer_write %one, %g[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf16>, memref<16x8xf16>
    %pad = arith.constant 0.0 : f16
    %x = vector.transfer_read %m[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    %zero = arith.constant dense<0.0> : vector<16xf16>
    %sum = vector.multi_reduction <add>, %x, %zero [1] : vector<16x16xf16> to vector<16xf16>
    %wide = arith.extf %sum : vector<16xf16> to vector<16xf32>
    vector.transfer_write %wide, %rows[%c0] {in_bounds = [true]} : vector<16xf32>, memref<16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Weights are loaded one by one: rows 2t and 2t + 1 of column g. Loops and
// branches carry pairs.
// CHECK-LABEL: func.func @gather_and_loop(
// CHECK-SAME:    %[[WEIGHTS:[^:,]*]]: memref<?xf16>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<2xf32>
// CHECK:           %[[GROUP:.*]] = arith.divui %{{.*}}, %c4
// CHECK:           %[[WEIGHT:.*]] = memref.load %[[WEIGHTS]][%[[GROUP]]]
// CHECK:           scf.for {{.*}} iter_args(%{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]]) -> (vector<2xf32>, vector<2xf32>)
// CHECK:             scf.if %{{.*}} -> (vector<2xf32>, vector<2xf32>)
// CHECK:               nvvm.mma.sync
// CHECK:               scf.yield %{{.*}}, %{{.*}} : vector<2xf32>, vector<2xf32>
// CHECK:             } else {
// CHECK-NEXT:          scf.yield %[[ZERO]], %[[ZERO]]
// CHECK:             scf.yield {{.*}} : vector<2xf32>, vector<2xf32>
func.func @gather_and_loop(%x: memref<16x8xf16, #gpu.address_space<workgroup>>, %w: memref<?xf16>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>, %n: index, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x8xf16, #gpu.address_space<workgroup>>, vector<16x8xf16>
    %step = vector.step : vector<8xindex>
    %index = vector.broadcast %step : vector<8xindex> to vector<8x8xindex>
    %mask = arith.constant dense<true> : vector<8x8xi1>
    %none = arith.constant dense<0.0> : vector<8x8xf16>
    %b = vector.gather %w[%c0] [%index], %mask, %none : memref<?xf16>, vector<8x8xindex>, vector<8x8xi1>, vector<8x8xf16> into vector<8x8xf16>
    %c = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> (vector<16x8xf32>) {
      %chosen = scf.if %flag -> (vector<16x8xf32>) {
        %next = vector.contract #contraction %a, %b, %sum : vector<16x8xf16>, vector<8x8xf16> into vector<16x8xf32>
        scf.yield %next : vector<16x8xf32>
      } else {
        scf.yield %zero : vector<16x8xf32>
      }
      scf.yield %chosen : vector<16x8xf32>
    }
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Two heads of two strips, a strip for each of four warps: warps 0 and 1 have
// the first head.
// CHECK-LABEL: func.func @heads(
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C16:.*]] = arith.constant 16 : index
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK:         gpu.launch {{.*}} threads(%[[THREAD:[^,]*]],
// CHECK:           %[[WARP:.*]] = arith.divui %[[THREAD]], %[[C32]]
// CHECK:           %[[HEAD:.*]] = arith.divui %[[WARP]], %[[C2]]
// CHECK:           %[[STRIP:.*]] = arith.remui %[[WARP]], %[[C2]]
// CHECK:           %[[ROW0:.*]] = arith.muli %[[STRIP]], %[[C16]]
// CHECK:           %[[ROW:.*]] = arith.addi %[[ROW0]], %{{.*}}
// CHECK:           vector.store {{.*}}[%[[HEAD]], %[[ROW]], %{{.*}}]
// CHECK:           vector.store {{.*}}[%[[HEAD]],
// CHECK-NOT:       vector.store
func.func @heads(%m: memref<2x32x8xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 128 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %one = arith.constant dense<1.0> : vector<2x32x8xf16>
    vector.transfer_write %one, %m[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x32x8xf16>, memref<2x32x8xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 32 : i64}
  return
}

// Four warps: one product of 64 rows. A lane gives four registers for every 16
// of the sum; the tile is read by descriptors, in units of 16 bytes: panels of
// 33 rows. Along the sum of the first product lie panels, of the second rows.
// CHECK-LABEL: func.func @contract_tile(
// CHECK-SAME:    %[[TILE:[^:]*]]: memref<2x4x33x8xf16
// CHECK-DAG:     %[[PANELS_THEN_ROWS:.*]] = arith.constant 34361901056 : i64
// CHECK-DAG:     %[[ROWS_THEN_PANELS:.*]] = arith.constant 141734445056 : i64
// CHECK-DAG:     %[[MASK:.*]] = arith.constant 16383 : i64
// CHECK-DAG:     %[[STEP:.*]] = arith.constant 66 : i64
// CHECK:         nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
// CHECK:         %[[START:.*]] = memref.extract_aligned_pointer_as_index %[[TILE]]
// CHECK:         %[[FIRST:.*]] = arith.andi %[[PLACE:.*]], %[[MASK]]
// CHECK-NEXT:    arith.ori %[[FIRST]], %[[PANELS_THEN_ROWS]]
// CHECK-NEXT:    %[[SECOND:.*]] = arith.addi %[[PLACE]], %[[STEP]]
// CHECK:         llvm.inline_asm has_side_effects
// CHECK-SAME:      setp.ne.b32 adds, 0, 0;
// CHECK-SAME:      wgmma.fence.sync.aligned;
// CHECK-SAME:      wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 {$0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15}, {$16, $17, $18, $19}, $24, adds, 1, 1, 0;
// CHECK-SAME:      setp.ne.b32 adds, 1, 0;
// CHECK-SAME:      {$20, $21, $22, $23}, $25, adds, 1, 1, 0;
// CHECK-SAME:      wgmma.commit_group.sync.aligned;
// CHECK-SAME:      wgmma.wait_group.sync.aligned 0;
// CHECK:         arith.ori %{{.*}}, %[[ROWS_THEN_PANELS]]
// CHECK:         llvm.inline_asm has_side_effects
// CHECK-SAME:      setp.ne.b32 adds, 1, 0;
// CHECK-SAME:      {$32, $33, $34, $35}, $40, adds, 1, 1, 1;
// CHECK-SAME:      {$36, $37, $38, $39}, $41, adds, 1, 1, 1;
// CHECK-SAME:      =f,{{.*}},0,1,2,{{.*}},r,r,r,r,r,r,r,r,l,l
func.func @contract_tile(%tile: memref<2x4x33x8xf16, #gpu.address_space<workgroup>>,
                         %x: memref<64x40xf16, #gpu.address_space<workgroup>>,
                         %z: memref<64x40xf32, #gpu.address_space<workgroup>>, %slot: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 128 : index
  %none = arith.constant 0.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.fence_tiles
    %a = vector.transfer_read %x[%c0, %c0], %none {in_bounds = [true, true]} : memref<64x40xf16, #gpu.address_space<workgroup>>, vector<64x32xf16>
    %zero = arith.constant dense<0.0> : vector<64x32xf32>
    %s = mta.contract_tile %a, %tile[%slot] transposed, %zero : vector<64x32xf16>, memref<2x4x33x8xf16, #gpu.address_space<workgroup>>, vector<64x32xf32>
    %t = mta.contract_tile %a, %tile[%slot], %s : vector<64x32xf16>, memref<2x4x33x8xf16, #gpu.address_space<workgroup>>, vector<64x32xf32>
    vector.transfer_write %t, %z[%c0, %c0] {in_bounds = [true, true]} : vector<64x32xf32>, memref<64x40xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 64 : i64}
  return
}

// A product that ends without a wait. The wait has its sums as operands and
// results, so that nothing reads them before.
// CHECK-LABEL: func.func @async_contract_tile(
// CHECK:         %[[UNDER_WAY:.*]] = llvm.inline_asm has_side_effects "{
// CHECK-SAME:      wgmma.mma_async
// CHECK-SAME:      wgmma.commit_group.sync.aligned;
// CHECK-SAME:      }", "=f
// CHECK:         %[[SUM:.*]] = llvm.extractvalue %[[UNDER_WAY]][0]
// CHECK:         llvm.inline_asm has_side_effects "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,0,1,2,3" %[[SUM]],
func.func @async_contract_tile(%tile: memref<4x33x8xf16, #gpu.address_space<workgroup>>,
                               %x: memref<64x40xf16, #gpu.address_space<workgroup>>,
                               %z: memref<64x40xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 128 : index
  %none = arith.constant 0.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = vector.transfer_read %x[%c0, %c0], %none {in_bounds = [true, true]} : memref<64x40xf16, #gpu.address_space<workgroup>>, vector<64x16xf16>
    %zero = arith.constant dense<0.0> : vector<64x8xf32>
    %s = mta.contract_tile %a, %tile[] transposed, %zero async : vector<64x16xf16>, memref<4x33x8xf16, #gpu.address_space<workgroup>>, vector<64x8xf32>
    %t = mta.wait_product %s pending 0 : vector<64x8xf32>
    vector.transfer_write %t, %z[%c0, %c0] {in_bounds = [true, true]} : vector<64x8xf32>, memref<64x40xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 64 : i64}
  return
}

// With 32 rows for a warp a product is two groups, of which those of the second
// product may be under way.
// CHECK-LABEL: func.func @pending_groups(
// CHECK-COUNT-4: wgmma.commit_group.sync.aligned;
// CHECK:         "wgmma.wait_group.sync.aligned 2;"
// CHECK:         "wgmma.wait_group.sync.aligned 0;"
func.func @pending_groups(%tile: memref<4x33x8xf16, #gpu.address_space<workgroup>>,
                          %x: memref<128x40xf16, #gpu.address_space<workgroup>>,
                          %z: memref<128x40xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %threads = arith.constant 128 : index
  %none = arith.constant 0.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = vector.transfer_read %x[%c0, %c0], %none {in_bounds = [true, true]} : memref<128x40xf16, #gpu.address_space<workgroup>>, vector<128x16xf16>
    %zero = arith.constant dense<0.0> : vector<128x8xf32>
    %0 = mta.contract_tile %a, %tile[] transposed, %zero async : vector<128x16xf16>, memref<4x33x8xf16, #gpu.address_space<workgroup>>, vector<128x8xf32>
    %1 = mta.contract_tile %a, %tile[], %zero async : vector<128x16xf16>, memref<4x33x8xf16, #gpu.address_space<workgroup>>, vector<128x8xf32>
    %s = mta.wait_product %0 pending 1 : vector<128x8xf32>
    vector.transfer_write %s, %z[%c0, %c0] {in_bounds = [true, true]} : vector<128x8xf32>, memref<128x40xf32, #gpu.address_space<workgroup>>
    %t = mta.wait_product %1 pending 0 : vector<128x8xf32>
    vector.transfer_write %t, %z[%c0, %c8] {in_bounds = [true, true]} : vector<128x8xf32>, memref<128x40xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 128 : i64}
  return
}

// One lane of the first head's warp writes the number of a row, all lanes that
// have the row read it.
// CHECK-LABEL: func.func @numbers_of_rows(
// CHECK-SAME:    %[[NUMBERS:[^:,]*]]: memref<2x32xi32
// CHECK:         gpu.launch
// CHECK:           %[[GROUP:.*]] = arith.divui %{{.*}}, %c4
// CHECK:           %[[LANE:.*]] = arith.addi %{{.*}}, %{{.*}}
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK:           scf.if %[[FIRST]] {
// CHECK-COUNT-2:     memref.store %{{.*}}, %[[NUMBERS]]
// CHECK:           }
// CHECK-NEXT:      gpu.barrier
// CHECK-COUNT-2:   memref.load %[[NUMBERS]]
// CHECK-NOT:       memref.load
func.func @numbers_of_rows(%x: memref<2x32xi32, #gpu.address_space<workgroup>>, %z: memref<2x32x8xi32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 128 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0 : i32
    %step = vector.step : vector<32xindex>
    %numbers = arith.index_cast %step : vector<32xindex> to vector<32xi32>
    vector.transfer_write %numbers, %x[%c1, %c0] {in_bounds = [true]} : vector<32xi32>, memref<2x32xi32, #gpu.address_space<workgroup>>
    mta.barrier
    %again = vector.transfer_read %x[%c1, %c0], %pad {in_bounds = [true]} : memref<2x32xi32, #gpu.address_space<workgroup>>, vector<32xi32>
    %column = vector.shape_cast %again : vector<32xi32> to vector<32x1xi32>
    %tile = vector.broadcast %column : vector<32x1xi32> to vector<2x32x8xi32>
    vector.transfer_write %tile, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x32x8xi32>, memref<2x32x8xi32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 32 : i64}
  return
}

// Numbers of rows come from global memory, too: those without a mask from the
// first place, which exists, and are not used.
// CHECK-LABEL: func.func @numbers_of_global_rows(
// CHECK-SAME:    %[[NUMBERS:[^:,]*]]: memref<?xf32>, %[[TILES:[^:,]*]]: memref<3x2x16xf32>
// CHECK:         gpu.launch
// CHECK:           %[[EXISTS:.*]] = arith.cmpi ult
// CHECK:           %[[PLACE:.*]] = arith.select %[[EXISTS]], %{{.*}}, %c0
// CHECK:           %[[LOADED:.*]] = memref.load %[[NUMBERS]][%[[PLACE]]]
// CHECK:           arith.select %[[EXISTS]], %[[LOADED]], %cst
// CHECK:           memref.load %[[NUMBERS]]
// CHECK-NOT:       memref.load %[[NUMBERS]]
// CHECK-COUNT-2:   memref.load %[[TILES]][%c1, %{{.*}}, %{{.*}}]
func.func @numbers_of_global_rows(%x: memref<?xf32>, %y: memref<3x2x16xf32>, %z: memref<2x16x8xf32, #gpu.address_space<workgroup>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f32
    %step = vector.step : vector<16xindex>
    %count = vector.broadcast %n : index to vector<16xindex>
    %mask = arith.cmpi ult, %step, %count : vector<16xindex>
    %shared = vector.transfer_read %x[%c0], %pad, %mask {in_bounds = [true]} : memref<?xf32>, vector<16xf32>
    %all = vector.broadcast %shared : vector<16xf32> to vector<2x16xf32>
    %own = vector.transfer_read %y[%c1, %c0, %c0], %pad {in_bounds = [true, true]} : memref<3x2x16xf32>, vector<2x16xf32>
    %sum = arith.addf %all, %own : vector<2x16xf32>
    %column = vector.shape_cast %sum : vector<2x16xf32> to vector<2x16x1xf32>
    %tile = vector.broadcast %column : vector<2x16x1xf32> to vector<2x16x8xf32>
    vector.transfer_write %tile, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x16x8xf32>, memref<2x16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// Pairs of four column pieces change lanes so that each has 16 bytes of a row;
// those of two pieces 8 bytes; one piece stays. Lanes part after that.
// CHECK-LABEL: func.func @wide_rows(
// CHECK-SAME:    %[[GAMMA:[^:,]*]]: memref<56xf16>, %[[OUT:[^:,]*]]: memref<?x56xf16>
// CHECK:         gpu.launch
// CHECK-COUNT-7:   vector.load %[[GAMMA]][{{.*}}] {alignment = 4 : i64} : memref<56xf16>, vector<2xf16>
// CHECK-NOT:       vector.load
// CHECK-COUNT-5:   gpu.shuffle xor
// CHECK-NOT:       gpu.shuffle
// CHECK:           scf.if
// CHECK-NEXT:        vector.store %{{.*}}, %[[OUT]][{{.*}}] {alignment = 16 : i64} : memref<?x56xf16>, vector<8xf16>
// CHECK-NEXT:        vector.store %{{.*}}, %[[OUT]][{{.*}}] {alignment = 8 : i64} : memref<?x56xf16>, vector<4xf16>
// CHECK-NEXT:        vector.store %{{.*}}, %[[OUT]][{{.*}}] {alignment = 4 : i64} : memref<?x56xf16>, vector<2xf16>
// CHECK-NEXT:      }
// CHECK:           scf.if
// CHECK-COUNT-3:     vector.store
func.func @wide_rows(%gamma: memref<56xf16>, %g: memref<?x56xf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %step = vector.step : vector<16xindex>
    %bound = vector.broadcast %n : index to vector<16xindex>
    %own = arith.cmpi ult, %step, %bound : vector<16xindex>
    %column = vector.shape_cast %own : vector<16xi1> to vector<16x1xi1>
    %mask = vector.broadcast %column : vector<16x1xi1> to vector<16x56xi1>
    %values = vector.transfer_read %gamma[%c0], %pad {in_bounds = [true]} : memref<56xf16>, vector<56xf16>
    %tile = vector.broadcast %values : vector<56xf16> to vector<16x56xf16>
    vector.transfer_write %tile, %g[%c0, %c0], %mask {in_bounds = [true, true]} : vector<16x56xf16>, memref<?x56xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}


// Of 32 columns a lane takes 8 of every row: one load of 16 bytes. The rows are
// those of the warp's head.
// CHECK-LABEL: func.func @load_runs(
// CHECK-SAME:    %[[Q:[^:]*]]: memref<1x1x64x32xf16>, %[[K:[^:]*]]: memref<1x1x64x32xf16>
// CHECK:           %[[LANE:.*]] = arith.remui
// CHECK:           %[[POSITION:.*]] = arith.remui %[[LANE]], %{{.*}}
// CHECK:           %[[COLUMN:.*]] = arith.muli %[[POSITION]], %{{.*}}
// CHECK-COUNT-2:   vector.load %[[Q]]{{.*}}alignment = 16{{.*}} vector<8xf16>
// CHECK:           vector.load %[[K]]{{.*}}alignment = 16{{.*}} vector<8xf16>
// CHECK-NOT:       vector.load
// CHECK-COUNT-2:   nvvm.mma.sync
// CHECK-NOT:       nvvm.mma.sync
func.func @load_runs(%q: memref<1x1x64x32xf16>, %k: memref<1x1x64x32xf16>, %z: memref<1x16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %zero = arith.constant dense<0.0> : vector<1x16x8xf32>
    %a = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %c64) shared(%c1) : memref<1x1x64x32xf16> -> vector<1x16x32xf16>
    %b = mta.load_tile %k[%c0, %c0, %c0, %c0] rows(%c0 to %c64) shared(%c1) : memref<1x1x64x32xf16> -> vector<1x8x32xf16>
    %s = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<1x16x32xf16>, vector<1x8x32xf16> into vector<1x16x8xf32>
    vector.transfer_write %s, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<1x16x8xf32>, memref<1x16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// What is multiplied with a result whose columns are in runs has rows and columns
// in their order: of 32 columns of 32, a lane loads 8 neighbours of the rows
// 4g to 4g + 3, of which the first and the fifth are a pair. A lane hands its
// opaque pairs to itself.
// CHECK-LABEL: func.func @load_like_columns(
// CHECK-SAME:    %[[V:[^:]*]]: memref<1x1x64x32xf16>, %[[W:[^:]*]]: memref<1x1x32x32xf16>
// CHECK:           %[[GROUP:.*]] = arith.divui %{{.*}}, %c4
// CHECK:           %[[ROW:.*]] = arith.muli %[[GROUP]], %c4
// CHECK:           vector.load %[[V]][{{.*}}, %[[ROW]]]
// CHECK-COUNT-8:   nvvm.mma.sync
// CHECK-COUNT-8:   gpu.shuffle  xor %{{.*}}, %c0_i32, %c32_i32 : i32
// CHECK-NOT:       gpu.shuffle
// CHECK:           arith.index_cast %[[ROW]]
// CHECK:           %[[EIGHT:.*]] = vector.load %[[W]]{{.*}} {alignment = 16 : i64} : memref<1x1x32x32xf16>, vector<8xf16>
// CHECK:           vector.shuffle %[[EIGHT]], %[[EIGHT]] [0, 4]
// CHECK:           vector.shuffle %[[EIGHT]], %[[EIGHT]] [1, 5]
// CHECK:           vector.shuffle %[[EIGHT]], %[[EIGHT]] [2, 6]
// CHECK:           vector.shuffle %[[EIGHT]], %[[EIGHT]] [3, 7]
// CHECK-COUNT-3:   vector.load %[[W]]
// CHECK-NOT:       vector.load
// CHECK-COUNT-8:   nvvm.mma.sync
// CHECK-NOT:       nvvm.mma.sync
func.func @load_like_columns(%v: memref<1x1x64x32xf16>, %w: memref<1x1x32x32xf16>, %p: memref<1x16x40xf16, #gpu.address_space<workgroup>>, %z: memref<1x1x16x32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<1x16x32xf32>
    %bias = arith.constant dense<1.0> : vector<1x16x32xf32>
    %a = vector.transfer_read %p[%c0, %c0, %c0], %pad {in_bounds = [true, true, true]} : memref<1x16x40xf16, #gpu.address_space<workgroup>>, vector<1x16x32xf16>
    %b = mta.load_tile %v[%c0, %c0, %c0, %c0] rows(%c0 to %c64) shared(%c1) : memref<1x1x64x32xf16> -> vector<1x32x32xf16>
    %o = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, k, c)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<1x16x32xf16>, vector<1x32x32xf16> into vector<1x16x32xf32>
    %x = arith.truncf %o {mta.opaque} : vector<1x16x32xf32> to vector<1x16x32xf16>
    %g = mta.load_tile %w[%c0, %c0, %c0, %c0] rows(%c0 to %c32) shared(%c1) : memref<1x1x32x32xf16> -> vector<1x32x32xf16>
    %y = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %x, %g, %bias
        : vector<1x16x32xf16>, vector<1x32x32xf16> into vector<1x16x32xf32>
    vector.transfer_write %y, %z[%c0, %c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<1x16x32xf32>, memref<1x1x16x32xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// What was loaded in runs is written in runs, and read in runs. In global memory
// heads beyond the last one are the last, in workgroup memory each has a place.
// The first rows that are read are 6 above the first one.
// CHECK-LABEL: func.func @stage_runs(
// CHECK-SAME:    %[[Q:[^:]*]]: memref<1x4x64x48xf16>, %[[S:[^:]*]]: memref<2x16x48xf16
// CHECK-DAG:       %[[HEAD:.*]] = arith.divui %{{.*}}, %c32
// CHECK-DAG:       %[[GROUP:.*]] = arith.divui %{{.*}}, %c4
// CHECK:           %[[COLUMN:.*]] = arith.muli %{{.*}}, %c8
// CHECK:           %[[LAST:.*]] = arith.minsi %{{.*}}, %c3
// CHECK:           vector.load %[[Q]][%c0, %[[LAST]], {{.*}}alignment = 16{{.*}} vector<8xf16>
// CHECK:           vector.load %[[Q]][%c0, %[[LAST]], {{.*}}alignment = 8{{.*}} vector<4xf16>
// CHECK:           %[[EIGHT:.*]] = vector.shuffle {{.*}} : vector<6xf16>, vector<2xf16>
// CHECK:           vector.store %[[EIGHT]], %[[S]][%[[HEAD]], %[[GROUP]], %[[COLUMN]]] {alignment = 16 : i64}
// CHECK:           vector.store {{.*}}, %[[S]][%[[HEAD]], %[[GROUP]], {{.*}}alignment = 8{{.*}} vector<4xf16>
// CHECK:           gpu.barrier
// CHECK:           %[[FIRST:.*]] = arith.maxsi %{{.*}}, %c6_i32
// CHECK:           %[[ROW:.*]] = arith.minsi %[[FIRST]], %c21_i32
// CHECK:           %[[SIX:.*]] = arith.index_cast %[[ROW]]
// CHECK:           %[[NEAREST:.*]] = arith.addi %[[SIX]], %c-6
// CHECK:           vector.load %[[S]][%[[HEAD]], %[[NEAREST]], %[[COLUMN]]] {alignment = 16 : i64}
// CHECK:           nvvm.mma.sync
func.func @stage_runs(%q: memref<1x4x64x48xf16>, %s: memref<2x16x48xf16, #gpu.address_space<workgroup>>, %k: memref<1x1x64x32xf16>, %z: memref<2x16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %above = arith.constant -6 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %zero = arith.constant dense<0.0> : vector<2x16x8xf32>
    %0 = mta.load_tile %q[%c0, %c0, %c0, %c0] rows(%c0 to %threads) shared(%c1) : memref<1x4x64x48xf16> -> vector<2x16x48xf16>
    vector.transfer_write %0, %s[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x16x48xf16>, memref<2x16x48xf16, #gpu.address_space<workgroup>>
    mta.barrier
    %a = mta.load_tile %s[%c0, %above, %c0] rows(%c0 to %c16) shared(%c1) : memref<2x16x48xf16, #gpu.address_space<workgroup>> -> vector<2x16x32xf16>
    %b = mta.load_tile %k[%c0, %c0, %c0, %c0] rows(%c0 to %threads) shared(%c1) : memref<1x1x64x32xf16> -> vector<2x8x32xf16>
    %c = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<2x16x32xf16>, vector<2x8x32xf16> into vector<2x16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<2x16x8xf32>, memref<2x16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// Sixteen heads of two rows a warp: one ldmatrix and one product a row and 8
// columns. Rows 0-10 are not written.
// CHECK-LABEL: func.func @mix_heads(
// CHECK-SAME:    %[[W:[^:]*]]: memref<16x24xf16, {{[^:]*}}, %[[X:[^:]*]]: memref<16x32x8xf16, {{[^:]*}}, %[[Z:[^:]*]]: memref<16x32x8xf32
// CHECK:           nvgpu.ldmatrix %[[W]]{{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK-COUNT-2:   nvgpu.ldmatrix %[[X]]{{.*}} {numTiles = 2 : i32, transpose = true}
// CHECK-COUNT-2:   nvvm.mma.sync
// CHECK-NOT:       nvvm.mma.sync
// CHECK:           scf.if
// CHECK-COUNT-2:     vector.store {{.*}} %[[Z]]
func.func @mix_heads(%w: memref<16x24xf16, #gpu.address_space<workgroup>>, %x: memref<16x32x8xf16, #gpu.address_space<workgroup>>, %z: memref<16x32x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 512 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x32x8xf32>
    %first = arith.constant dense<11> : vector<32xindex>
    %row = vector.step : vector<32xindex>
    %needed = arith.cmpi sge, %row, %first : vector<32xindex>
    %column = vector.shape_cast %needed : vector<32xi1> to vector<32x1xi1>
    %mask = vector.broadcast %column : vector<32x1xi1> to vector<16x32x8xi1>
    %a = vector.transfer_read %w[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x24xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    %b = vector.transfer_read %x[%c0, %c0, %c0], %pad {in_bounds = [true, true, true]} : memref<16x32x8xf16, #gpu.address_space<workgroup>>, vector<16x32x8xf16>
    %c = vector.contract {
      indexing_maps = [affine_map<(o, r, c, i) -> (o, i)>, affine_map<(o, r, c, i) -> (i, r, c)>, affine_map<(o, r, c, i) -> (o, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<16x16xf16>, vector<16x32x8xf16> into vector<16x32x8xf32>
    vector.transfer_write %c, %z[%c0, %c0, %c0], %mask {in_bounds = [true, true, true]} : vector<16x32x8xf32>, memref<16x32x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 16 : i64, mta.rows = 32 : i64}
  return
}

// A band is a word for every 8 rows: rows 2t and 2t + 1 of column g. Those of
// the first rows may be before the first diagonal, those of the others are
// before the last one.
// CHECK-LABEL: func.func @load_band(
// CHECK-SAME:    %[[P:[^:]*]]: memref<1x64xf16
// CHECK:           arith.maxsi
// CHECK-NOT:       arith.minsi
// CHECK:           vector.load %[[P]]{{.*}}alignment = 4{{.*}} vector<2xf16>
// CHECK-NOT:       arith.maxsi
// CHECK-NOT:       arith.minsi
// CHECK:           vector.load %[[P]]{{.*}}alignment = 4{{.*}} vector<2xf16>
// CHECK-NOT:       vector.load
// CHECK:           nvvm.mma.sync
func.func @load_band(%p: memref<1x64xf16, #gpu.address_space<workgroup>>, %x: memref<1x16x16xf16, #gpu.address_space<workgroup>>, %z: memref<1x16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<1x16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0, %c0], %pad {in_bounds = [true, true, true]} : memref<1x16x16xf16, #gpu.address_space<workgroup>>, vector<1x16x16xf16>
    %b = mta.load_band %p[%c0, %c0] diagonals(8 to 22) : memref<1x64xf16, #gpu.address_space<workgroup>> -> vector<1x16x8xf16>
    %s = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, k, c)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]} %a, %b, %zero
        : vector<1x16x16xf16>, vector<1x16x8xf16> into vector<1x16x8xf32>
    vector.transfer_write %s, %z[%c0, %c0, %c0] {in_bounds = [true, true, true]} : vector<1x16x8xf32>, memref<1x16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Without a mask a thread writes all of its rows.
// CHECK-LABEL: func.func @unmasked_global_write(
// CHECK-SAME:    %[[Z:[^:]*]]: memref<16x8xf32>
// CHECK-NOT:     scf.if
// CHECK-COUNT-2: vector.store {{.*}} %[[Z]]
func.func @unmasked_global_write(%z: memref<16x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %d = arith.constant dense<1.0> : vector<16x8xf32>
    vector.transfer_write %d, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// 24 columns from the second piece of 8 on, of which ldmatrix loads two at a
// time: the first one is a product of its own, so that the other two are the
// registers of one load.
// CHECK-LABEL: func.func @slice_of_loads(
// CHECK:           %[[A:.*]] = nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK:           %[[A2:.*]] = vector.extract %[[A]][2]
// CHECK:           %[[A3:.*]] = vector.extract %[[A]][3]
// CHECK:           %[[B:.*]] = nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK:           %[[B0:.*]] = vector.extract %[[B]][0]
// CHECK:           %[[B1:.*]] = vector.extract %[[B]][1]
// CHECK:           %[[B2:.*]] = vector.extract %[[B]][2]
// CHECK:           %[[B3:.*]] = vector.extract %[[B]][3]
// CHECK:           nvvm.mma.sync A[%[[A2]], %[[A3]]]
// CHECK-SAME:        shape = #nvvm.shape<m = 16, n = 8, k = 8>
// CHECK:           nvvm.mma.sync A[%[[B0]], %[[B1]], %[[B2]], %[[B3]]]
// CHECK-SAME:        shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-NOT:       nvvm.mma.sync
func.func @slice_of_loads(%x: memref<16x32xf16, #gpu.address_space<workgroup>>, %y: memref<24x8xf16, #gpu.address_space<workgroup>>, %z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x8xf32>
    %all = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x32xf16, #gpu.address_space<workgroup>>, vector<16x32xf16>
    %a = vector.extract_strided_slice %all {offsets = [0, 8], sizes = [16, 24], strides = [1, 1]} : vector<16x32xf16> to vector<16x24xf16>
    %b = vector.transfer_read %y[%c0, %c0], %pad {in_bounds = [true, true]} : memref<24x8xf16, #gpu.address_space<workgroup>>, vector<24x8xf16>
    %c = vector.contract #contraction %a, %b, %zero : vector<16x24xf16>, vector<24x8xf16> into vector<16x8xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// What follows from the number of a workgroup is computed again behind each
// loop, from a number that is read again; what does not is not.
// CHECK-LABEL: func.func @behind_loops(
// CHECK-SAME:    %[[N:[^:,]*]]: index
// CHECK:         gpu.launch blocks(%[[BLOCK:[^,]*]],
// CHECK-DAG:       %[[ROW:.*]] = arith.muli %[[BLOCK]], %c16
// CHECK-DAG:       %[[SUM:.*]] = arith.addi %[[N]], %c16
// CHECK:           memref.store %[[ROW]], %{{.*}}[%[[SUM]]]
// CHECK:           scf.for
// CHECK:           %[[READ:.*]] = llvm.inline_asm has_side_effects {{.*}}"mov.u32 $0, %ctaid.x;"
// CHECK:           %[[NUMBER:.*]] = arith.index_castui %[[READ]] : i32 to index
// CHECK:           %[[AGAIN:.*]] = arith.muli %[[NUMBER]], %c16
// CHECK:           memref.store %[[AGAIN]], %{{.*}}[%[[SUM]]]
// CHECK:           scf.for
// CHECK:           %[[SECOND:.*]] = llvm.inline_asm has_side_effects {{.*}}"mov.u32 $0, %ctaid.x;"
// CHECK:           %[[LAST:.*]] = arith.index_castui %[[SECOND]] : i32 to index
// CHECK:           %[[THIRD:.*]] = arith.muli %[[LAST]], %c16
// CHECK:           memref.store %[[THIRD]], %{{.*}}[%[[SUM]]]
func.func @behind_loops(%n: index, %z: memref<?xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %row = arith.muli %bx, %c16 : index
    %sum = arith.addi %n, %c16 : index
    memref.store %row, %z[%sum] : memref<?xindex>
    scf.for %i = %c0 to %n step %c1 {
      memref.store %i, %z[%i] : memref<?xindex>
    }
    memref.store %row, %z[%sum] : memref<?xindex>
    scf.for %i = %c0 to %n step %c1 {
      memref.store %i, %z[%i] : memref<?xindex>
    }
    memref.store %row, %z[%sum] : memref<?xindex>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// The addresses of copies in a loop are not kept over it where more than 8
// warps, or numbers of 32 bits, leave few registers.
// CHECK-LABEL: func.func @copies_in_loops(
// CHECK:           scf.for
// CHECK-NEXT:        %[[READ:.*]] = llvm.inline_asm has_side_effects {{.*}}"mov.u32 $0, %tid.x;"
// CHECK-NEXT:        %[[THREAD:.*]] = arith.index_castui %[[READ]] : i32 to index
// CHECK:             %[[BLOCK:.*]] = arith.divui %[[THREAD]], %c16
// CHECK:             nvgpu.device_async_copy
func.func @copies_in_loops(%m: memref<192x24xf16, #gpu.address_space<workgroup>>, %g: memref<?x16xf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 384 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    scf.for %i = %c0 to %n step %c1 {
      mta.copy_tile %g[%i, %c0], %m[%c0, %c0] limit(%n) shape [192, 16] : memref<?x16xf16>, memref<192x24xf16, #gpu.address_space<workgroup>>
      mta.commit_copies
      mta.wait_copies
      mta.barrier
    }
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 192 : i64}
  return
}

// Warps of 16 heads: what follows from the number of a thread follows from that
// of the iteration, too, of which nobody knows what it is, and from another zero
// of it behind every barrier.
// CHECK-LABEL: func.func @loop_of_many_heads(
// CHECK:           %[[END:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK:           scf.for %[[I:.*]] = %{{.*}} to %[[END]] step %{{.*}} : i32 {
// CHECK-NEXT:        %[[TILE:.*]] = llvm.inline_asm has_side_effects "mov.b32 $0, $1;", "=r,r" %[[I]]
// CHECK-NEXT:        llvm.inline_asm has_side_effects "{ .reg .b32 zero; mul.hi.u32 zero, $1, $2; mov.u32 $0, %tid.x; xor.b32 $0, $0, zero; }", "=r,r,n" %[[TILE]], %c2_i32
// CHECK:             gpu.barrier
// CHECK-NEXT:        llvm.inline_asm has_side_effects "{ .reg .b32 zero; mul.hi{{.*}}, "=r,r,n" %[[TILE]], %c3_i32
// CHECK:           }
// CHECK-NEXT:      llvm.inline_asm has_side_effects "mov.u32 $0, %tid.x;", "=r"
func.func @loop_of_many_heads(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 512 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    scf.for %i = %c0 to %n step %c1 {
      mta.barrier
    }
    gpu.terminator
  } {mta.heads = 16 : i64, mta.rows = 32 : i64}
  return
}

// What follows from the numbers of the workgroup is computed again in a branch
// for a mask, of a zero that follows from the tile, and behind the loop, of one
// that follows from the loop's end. What tiles are compared with is hidden.
// CHECK-LABEL: func.func @mask_of_many_heads(
// CHECK:           %[[BOUND:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK:           %[[HIDDEN:.*]] = llvm.inline_asm has_side_effects "mov.b32 $0, $1;", "=r,r" %[[BOUND]]
// CHECK:           %[[END:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK:           scf.for {{.*}} to %[[END]]
// CHECK-NEXT:        %[[TILE:.*]] = llvm.inline_asm has_side_effects "mov.b32 $0, $1;"
// CHECK:             %[[IS_CUT:.*]] = arith.cmpi uge, %{{.*}}, %[[HIDDEN]] : i32
// CHECK:             scf.if %[[IS_CUT]]
// CHECK:               %[[ID:.*]] = llvm.inline_asm has_side_effects "{ .reg .b32 zero; shr.u32 zero, $1, 31; mov.u32 $0, %ctaid.x; xor.b32 $0, $0, zero; }", "=r,r" %[[TILE]]
// CHECK:               %[[INDEX:.*]] = arith.index_castui %[[ID]] : i32 to index
// CHECK:               arith.muli %[[INDEX]], %c16
// CHECK:           %[[SIZE:.*]] = llvm.inline_asm has_side_effects "{ .reg .b32 zero; shr.u32 zero, $1, 31; mov.u32 $0, %nctaid.x; xor.b32 $0, $0, zero; }", "=r,r" %[[END]]
// CHECK:           memref.store
func.func @mask_of_many_heads(%n: index, %m: memref<?xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %threads = arith.constant 512 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %row = arith.muli %bx, %c16 : index
    %last = arith.subi %gx, %bx : index
    %bound = arith.index_cast %row : index to i32
    scf.for %i = %c0 to %n step %c1 {
      %tile = arith.index_cast %i : index to i32
      %cut = arith.cmpi uge, %tile, %bound : i32
      %first = scf.if %cut -> index {
        %next = arith.addi %row, %i : index
        scf.yield %next : index
      } else {
        scf.yield %c0 : index
      }
      memref.store %i, %m[%first] : memref<?xindex>
    }
    memref.store %last, %m[%c0] : memref<?xindex>
    gpu.terminator
  } {mta.heads = 16 : i64, mta.rows = 16 : i64}
  return
}
