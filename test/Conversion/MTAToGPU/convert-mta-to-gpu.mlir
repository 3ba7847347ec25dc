// A launch of one tile program: copies a tile ahead, contractions, masks in
// branches, one loop over the keys or two.

// RUN: mta-opt %s -convert-mta-to-gpu=warpgroups -canonicalize -cse \
// RUN:   | FileCheck %s --implicit-check-not=mta.attention --implicit-check-not=mta.softmax

// Rows of scores: 128, of which the first is the halo. Its keys trail by 8.
// CHECK-LABEL: func.func @pre_conv(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x1x?x16xbf16>, %[[K:[^:]*]]: tensor<1x1x?x16xbf16>, %[[V:[^:]*]]: tensor<1x1x?x16xbf16>
// CHECK-DAG:     %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only
// CHECK-DAG:     %[[KEY:.*]] = bufferization.to_buffer %[[K]] read_only
// CHECK-DAG:     %[[VALUE:.*]] = bufferization.to_buffer %[[V]] read_only
// CHECK-DAG:     %[[OUT:.*]] = memref.alloc(%{{.*}}) : memref<1x1x?x16xbf16>
// CHECK-DAG:     %[[TILES:.*]] = affine.apply #{{.*}}()[%{{.*}}]
// CHECK:         gpu.launch blocks({{.*}}) in (%{{.*}} = %[[TILES]], {{.*}} threads({{.*}}) in (%{{.*}} = %c256
// CHECK:           mta.copy_tile %[[QUERY]]{{.*}} shape [128, 16]
// CHECK-NEXT:      mta.commit_copies
// CHECK-NEXT:      mta.wait_copies
// CHECK-NEXT:      mta.barrier
// CHECK:           %[[QT:.*]] = vector.transfer_read {{.*}} vector<128x16xbf16>
// The bands of the window's two queries: 16 columns of halo and 8 of its own.
// CHECK:           memref.alloca() : memref<129x136xf16, #gpu.address_space<workgroup>>
// CHECK:           %[[WEIGHTS0:.*]] = vector.gather {{.*}} into vector<24x8xbf16>
// CHECK:           %[[WIDE0:.*]] = arith.extf %[[WEIGHTS0]]
// CHECK:           %[[NARROW0:.*]] = arith.truncf %[[WIDE0]] : vector<24x8xf32> to vector<24x8xf16>
// CHECK:           %[[BAND0:.*]] = arith.select {{.*}}, %[[NARROW0]]
// CHECK:           %[[WEIGHTS1:.*]] = vector.gather
// CHECK:           %[[WIDE1:.*]] = arith.extf %[[WEIGHTS1]]
// CHECK:           %[[NARROW1:.*]] = arith.truncf %[[WIDE1]]
// CHECK:           %[[BAND1:.*]] = arith.select {{.*}}, %[[NARROW1]]
// CHECK:           %[[KEYS:.*]] = memref.alloca() : memref<2x64x24xbf16
// CHECK:           %[[VALUES:.*]] = memref.alloca() : memref<2x64x24xbf16
// CHECK:           linalg.fill
// The first tile's keys; values trail by 8.
// CHECK:           scf.if
// CHECK:             mta.copy_tile %[[KEY]][%c0, %c0, %c0, %c0], %[[KEYS]][%c0, %c0, %c0]
// CHECK-NEXT:        mta.copy_tile %[[VALUE]][%c0, %c0, %c-8, %c0], %[[VALUES]][%c0, %c0, %c0]
// CHECK-NEXT:        mta.commit_copies
// CHECK:           scf.for %[[TILE:.*]] = %c0 to
// CHECK-NEXT:        mta.wait_copies
// CHECK-NEXT:        mta.barrier
// CHECK:             scf.if
// CHECK:               mta.copy_tile %[[KEY]]
// CHECK:               mta.copy_tile %[[VALUE]]
// CHECK-NEXT:          mta.commit_copies
// CHECK:             %[[KT:.*]] = vector.transfer_read %[[KEYS]]
// CHECK:             vector.contract {{.*}} %[[QT]], %[[KT]], {{.*}} into vector<128x64xf32>
// CHECK:             arith.mulf
// CHECK-NOT:         vector<128x64xi32>
// CHECK:             scf.if
// CHECK:               arith.cmpi slt, {{.*}} : vector<128x64xi32>
// CHECK:               arith.select
// CHECK:             } else {
// The last query of the window is the row itself, whose scores are there.
// CHECK:             %[[OWN:.*]] = arith.truncf {{.*}} to vector<128x64xf16>
// CHECK-NEXT:        vector.transfer_write %[[OWN]]
// CHECK:             vector.transfer_read {{.*}} vector<128x16xf16>
// CHECK-NOT:         vector.transfer_read
// CHECK:             vector.insert_strided_slice %[[OWN]]
// CHECK-COUNT-8:     vector.contract {{.*}}, %[[BAND1]], {{.*}} : vector<128x24xf16>, vector<24x8xf16> into vector<128x8xf32>
// CHECK-NEXT:        mta.barrier
// CHECK:             vector.transfer_read {{.*}} vector<128x64xf16>
// CHECK-COUNT-8:     vector.contract {{.*}}, %[[BAND0]], {{.*}} : vector<128x24xf16>, vector<24x8xf16> into vector<128x8xf32>
// CHECK-NOT:         vector<128x64xi32>
// CHECK:             scf.if
// CHECK:               arith.cmpi slt, {{.*}} : vector<128x64xi32>
// CHECK:             } else {
// CHECK:             vector.multi_reduction <maximumf>
// CHECK:             math.exp2
// CHECK:             vector.multi_reduction <add>
// CHECK:             %[[VT:.*]] = vector.transfer_read %[[VALUES]]
// CHECK:             vector.contract {{.*}}, %[[VT]], {{.*}} into vector<128x16xf32>
// CHECK:             scf.yield
// CHECK-NOT:       scf.for
// CHECK:           vector.transfer_write {{.*}}, %[[OUT]]{{.*}} : vector<128x16xbf16>, memref<1x1x?x16xbf16>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 128 : i64, mta.staged_scores = [f16]}

func.func @pre_conv(%q: tensor<1x1x?x16xbf16>, %k: tensor<1x1x?x16xbf16>,
    %v: tensor<1x1x?x16xbf16>, %w: tensor<1x2x3xbf16>) -> tensor<1x1x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal)
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x2x3xbf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  return %o : tensor<1x1x?x16xbf16>
}

// Tensor cores that read keys and values by themselves: tiles are panels of 8
// columns, 65 rows apart, and only bands and queries are read as vectors.
// CHECK-LABEL: func.func @wgmma(
// CHECK:         %[[KEYS:.*]] = memref.alloca() : memref<2x2x65x8xbf16, #gpu.address_space<workgroup>>
// CHECK:         %[[VALUES:.*]] = memref.alloca() : memref<2x2x65x8xbf16, #gpu.address_space<workgroup>>
// CHECK:         scf.for %[[TILE:.*]] = %c0 to
// CHECK-NEXT:      mta.wait_copies
// CHECK-NEXT:      mta.fence_tiles
// CHECK-NEXT:      mta.barrier
// CHECK:             mta.copy_tile {{.*}}, %[[KEYS]]{{.*}} shape [64, 16] panels
// CHECK:             mta.copy_tile {{.*}}, %[[VALUES]]{{.*}} shape [64, 16] panels
// CHECK:           %[[SLOT:.*]] = arith.remui %[[TILE]], %c2
// CHECK:           mta.contract_tile %{{.*}}, %[[KEYS]][%[[SLOT]]] transposed, %{{.*}} vector<128x64xf32>
// CHECK:           mta.contract_tile %{{.*}}, %[[VALUES]][%[[SLOT]]], %{{.*}} vector<128x16xf32>
func.func @wgmma(%q: tensor<1x1x?x16xbf16>, %k: tensor<1x1x?x16xbf16>,
    %v: tensor<1x1x?x16xbf16>, %w: tensor<1x2x3xbf16>) -> tensor<1x1x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal)
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16, products = wgmma>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x2x3xbf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  return %o : tensor<1x1x?x16xbf16>
}

// With one stage keys and values share a buffer. Queries that stay in workgroup
// memory are read for every tile.
// CHECK-LABEL: func.func @one_stage(
// CHECK:         threads({{.*}}) in (%{{.*}} = %c128
// CHECK-NOT:       vector<128x16xbf16>
// CHECK:         scf.for
// CHECK-NEXT:      mta.barrier
// CHECK:           mta.copy_tile
// CHECK-NEXT:      mta.commit_copies
// CHECK-NEXT:      mta.wait_copies
// CHECK-NEXT:      mta.barrier
// CHECK-DAG:       %[[K1:.*]] = vector.transfer_read {{.*}} vector<64x16xbf16>
// CHECK-DAG:       %[[Q1:.*]] = vector.transfer_read {{.*}} vector<128x16xbf16>
// CHECK:           vector.contract {{.*}} %[[Q1]], %[[K1]],
// CHECK-NEXT:      mta.barrier
// CHECK:           mta.copy_tile
// CHECK-NEXT:      mta.commit_copies
// CHECK:           mta.wait_copies
// CHECK-NEXT:      mta.barrier
// CHECK:           vector.transfer_read {{.*}} vector<64x16xbf16>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 128 : i64, mta.staged_scores = [f16]}
func.func @one_stage(%q: tensor<1x1x?x16xbf16>, %k: tensor<1x1x?x16xbf16>,
    %v: tensor<1x1x?x16xbf16>, %w: tensor<1x2x3xbf16>) -> tensor<1x1x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal)
      kernel_schedule(<rows = 128, key_tile = 64, warps = 4, stages = 1,
                       query = workgroup, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x2x3xbf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  return %o : tensor<1x1x?x16xbf16>
}

// What follows the softmax needs the statistics of whole rows first: a loop for
// these, without values, and one for the output. Four heads share a workgroup.
// CHECK-LABEL: func.func @post_mix(
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c256
// CHECK:           scf.for
// CHECK:             vector.contract {{.*}} into vector<4x32x64xf32>
// CHECK-NOT:         vector.contract
// CHECK:             vector.multi_reduction <maximumf>
// CHECK:             scf.yield
// CHECK:           math.log2
// CHECK:           scf.for
// CHECK:             vector.contract {{.*}} into vector<4x32x64xf32>
// CHECK-NOT:         vector.multi_reduction
// CHECK:             math.exp2
// CHECK-COUNT-4:     vector.transfer_read {{.*}} vector<32x64xf16>
// CHECK:             vector.contract {{.*}} into vector<4x32x16xf32>
// CHECK:             scf.yield
// CHECK-NOT:       scf.for
// CHECK:         {mta.heads = 4 : i64, mta.rows = 32 : i64, mta.staged_scores = [f16]}
func.func @post_mix(%q: tensor<1x4x?x16xbf16>, %k: tensor<1x4x?x16xbf16>,
    %v: tensor<1x4x?x16xbf16>, %w: tensor<1x4x4xbf16>) -> tensor<1x4x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal)
      kernel_schedule(<rows = 32, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x4x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x4x?x?xf32>
    %1 = mta.head_mix %0, %w : tensor<1x4x?x?xf32>, tensor<1x4x4xbf16>
    mta.yield %1 : tensor<1x4x?x?xf32>
  } : tensor<1x4x?x16xbf16>, tensor<1x4x?x16xbf16>, tensor<1x4x?x16xbf16>
      -> tensor<1x4x?x16xbf16>
  return %o : tensor<1x4x?x16xbf16>
}

// A head of its own is multiplied by a number. Without a mask only the last
// tile has a branch, and nothing is rounded to f16.
// CHECK-LABEL: func.func @own_mix(
// CHECK:         gpu.launch
// CHECK:           %[[WEIGHT:.*]] = memref.load
// CHECK:           %[[NUMBER:.*]] = arith.extf %[[WEIGHT]] : bf16 to f32
// CHECK:           scf.for
// CHECK-NOT:         vector<128x64xf16>
// CHECK:             vector.broadcast %[[NUMBER]] : f32 to vector<128x64xf32>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 128 : i64, mta.staged_scores = [f16]}
func.func @own_mix(%q: tensor<1x2x?x16xbf16>, %k: tensor<1x2x?x16xbf16>,
    %v: tensor<1x2x?x16xbf16>, %w: tensor<2x1x1xbf16>) -> tensor<1x2x?x16xbf16> {
  %o = mta.attention %q, %k, %v
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x?x?xf32>, tensor<2x1x1xbf16>
    %1 = mta.softmax %0 : tensor<1x2x?x?xf32>
    mta.yield %1 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16>
      -> tensor<1x2x?x16xbf16>
  return %o : tensor<1x2x?x16xbf16>
}

// Every row looks for its sequence; what it may read is in workgroup memory.
// Queries of another sequence than the first own row's read as zero. The loop
// begins at that sequence's first key. Where keys of two sequences meet, rows
// above a result's own sequence are zero; elsewhere there is no code for it.
// CHECK-LABEL: func.func @sequences(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x1x?x16xbf16>
// CHECK-DAG:     %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only
// CHECK:         gpu.launch
// CHECK:           %[[FOUND:[0-9]*]]:4 = scf.for {{.*}} -> (index, vector<128xindex>, index, index)
// CHECK:             %[[OPEN:.*]] = arith.cmpi ugt
// CHECK:             scf.if %[[OPEN]]
// CHECK:               vector.gather
// CHECK:           tensor.extract %{{.*}}[%[[FOUND]]#2] : tensor<?xi32>
// CHECK:           tensor.extract %{{.*}}[%[[FOUND]]#3] : tensor<?xi32>
// CHECK:           %[[BOUNDS:.*]] = memref.alloca() : memref<3x128xi32, #gpu.address_space<workgroup>>
// CHECK-COUNT-3:   vector.transfer_write {{.*}}, %[[BOUNDS]]
// CHECK:           %[[OWN:.*]] = memref.subview %[[QUERY]]
// CHECK:           mta.copy_tile %[[OWN]]
// CHECK:           %[[FIRST:.*]] = arith.divui %{{.*}}, %c64
// CHECK:           scf.for %{{.*}} = %[[FIRST]] to
// CHECK-NOT:         vector<128xi32>
// CHECK:             scf.if
// CHECK-COUNT-2:       vector.transfer_read %[[BOUNDS]]
// CHECK:               arith.cmpi ult
// CHECK:             mta.barrier
// CHECK-NOT:         vector.contract
// CHECK:             scf.if
// CHECK:               vector.transfer_read %[[BOUNDS]]
// CHECK:               arith.cmpi sge
// CHECK:               arith.select {{.*}} : vector<128x80xi1>, vector<128x80xf16>
// CHECK:               vector.contract
// CHECK:             } else {
// CHECK-NOT:           vector<128xi32>
// CHECK:               vector.contract
// CHECK:               scf.yield
// CHECK:             vector.multi_reduction <maximumf>
func.func @sequences(%q: tensor<1x1x?x16xbf16>, %k: tensor<1x1x?x16xbf16>,
    %v: tensor<1x1x?x16xbf16>, %w: tensor<1x2x3xbf16>, %b: tensor<?xi32>) -> tensor<1x1x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) sequences(%b, %b : tensor<?xi32>, tensor<?xi32>)
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x2x3xbf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  return %o : tensor<1x1x?x16xbf16>
}

// Norms and gates are part of the kernel: sums of rows, then one write. What is
// between them is rounded to the type that the program says.
// CHECK-LABEL: func.func @norm_and_gate(
// CHECK-SAME:    %[[GAMMA:[^:,]*]]: tensor<16xbf16>, %[[WEIGHTS:[^:,]*]]: tensor<1x16xbf16>, %[[BIAS:[^:,]*]]: tensor<1xf32>
// CHECK-DAG:     %[[GAMMAS:.*]] = bufferization.to_buffer %[[GAMMA]] read_only
// CHECK-DAG:     %[[GATES:.*]] = bufferization.to_buffer %[[WEIGHTS]] read_only
// CHECK-DAG:     %[[FLAT:.*]] = memref.collapse_shape %[[GATES]] {{.*}} into memref<16xbf16>
// CHECK-DAG:     %[[OUT:.*]] = memref.alloc(%{{.*}}) : memref<1x1x?x16xf16>
// CHECK:         gpu.launch
// CHECK:           scf.for
// CHECK:             scf.yield
// CHECK:           arith.divf
// CHECK:           arith.truncf {{.*}} to vector<128x16xbf16>
// CHECK:           arith.extf
// CHECK:           vector.multi_reduction <add>
// CHECK:           math.sqrt
// CHECK:           vector.transfer_read %[[GAMMAS]]{{.*}} : memref<16xbf16>, vector<16xbf16>
// CHECK-NOT:       arith.truncf
// CHECK:           vector.transfer_read %[[FLAT]]{{.*}} : memref<16xbf16>, vector<16xbf16>
// CHECK:           vector.multi_reduction <add>
// CHECK:           tensor.extract %[[BIAS]]
// CHECK:           math.exp2
// CHECK:           arith.divf
// CHECK:           arith.truncf {{.*}} to vector<128x16xf16>
// CHECK:           vector.transfer_write {{.*}}, %[[OUT]]
// CHECK-NOT:       vector.transfer_write
// CHECK:         mta.rows = 128 : i64, mta.staged_scores = []}
// CHECK-NOT:     mta.
// CHECK:         return
func.func @norm_and_gate(%t: tensor<1x1x?x16xbf16>, %gamma: tensor<16xbf16>,
    %w: tensor<1x16xbf16>, %b: tensor<1xf32>) -> tensor<1x1x?x16xf16> {
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x1x?x?xf32>
    mta.yield %0 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  %n = mta.head_norm %o, %gamma : tensor<1x1x?x16xbf16>, tensor<16xbf16> -> tensor<1x1x?x16xf32>
  %g = mta.gate %n, %w, %b : tensor<1x1x?x16xf32>, tensor<1x16xbf16>, tensor<1xf32>
      -> tensor<1x1x?x16xf16>
  return %g : tensor<1x1x?x16xf16>
}

// The weights of a vector gate come in tiles, for two products each: of the
// leading and of the trailing bits.
// CHECK-LABEL: func.func @vector_gate(
// CHECK:         gpu.launch
// CHECK:           scf.for
// CHECK:             scf.yield
// CHECK:           %[[TILE:.*]] = memref.alloca() : memref<64x88xbf16
// CHECK-NEXT:      mta.barrier
// CHECK-NEXT:      mta.copy_tile %{{.*}}, %[[TILE]]{{.*}} shape [64, 80]
// CHECK:           %[[FIRST:.*]] = vector.transfer_read %[[TILE]]{{.*}} vector<64x80xbf16>
// CHECK-COUNT-2:   vector.contract {{.*}}, %[[FIRST]], {{.*}} into vector<128x64xf32>
// CHECK:           mta.barrier
// CHECK-NEXT:      mta.copy_tile %{{.*}}, %[[TILE]]{{.*}} shape [16, 80]
// CHECK:           %[[SECOND:.*]] = vector.transfer_read %[[TILE]]{{.*}} vector<16x80xbf16>
// CHECK-COUNT-2:   vector.contract {{.*}}, %[[SECOND]], {{.*}} into vector<128x16xf32>
// CHECK:           vector.transfer_write
func.func @vector_gate(%t: tensor<1x1x?x80xbf16>, %w: tensor<80x80xbf16>,
    %b: tensor<80xbf16>) -> tensor<1x1x?x80xbf16> {
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x1x?x?xf32>
    mta.yield %0 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x80xbf16>, tensor<1x1x?x80xbf16>, tensor<1x1x?x80xbf16>
      -> tensor<1x1x?x80xf32>
  %g = mta.gate %o, %w, %b : tensor<1x1x?x80xf32>, tensor<80x80xbf16>, tensor<80xbf16>
      -> tensor<1x1x?x80xbf16>
  return %g : tensor<1x1x?x80xbf16>
}

// A norm in f64, and what is not the only use of the output, stay what they are.
// CHECK-LABEL: func.func @no_fused_norm(
// CHECK-NOT:     math.sqrt
// CHECK:         mta.head_norm
// CHECK:         mta.head_norm
func.func @no_fused_norm(%t: tensor<1x1x?x16xbf16>, %gamma: tensor<16xf64>, %delta: tensor<16xbf16>)
    -> (tensor<1x1x?x16xf64>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>) {
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x1x?x?xf32>
    mta.yield %0 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  %n = mta.head_norm %o, %gamma : tensor<1x1x?x16xbf16>, tensor<16xf64> -> tensor<1x1x?x16xf64>
  %p = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2,
                       query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x1x?x?xf32>
    mta.yield %0 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  %m = mta.head_norm %p, %delta : tensor<1x1x?x16xbf16>, tensor<16xbf16> -> tensor<1x1x?x16xbf16>
  return %n, %m, %p : tensor<1x1x?x16xf64>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
}

// After a convolution and a mix, weights of bf16 values are one f16 number on
// their way to the warps of their heads, and two of bf16 for the product.
// CHECK-LABEL: func.func @split_weights(
// CHECK:           scf.for
// CHECK:           scf.for
// CHECK:             vector.contract {{.*}} : vector<8x8xf16>, vector<8x16x16xf16> into vector<8x16x16xf32>
// CHECK:             %[[NARROW:.*]] = arith.truncf %{{.*}} : vector<8x16x16xf32> to vector<8x16x16xf16>
// CHECK:             vector.transfer_write %[[NARROW]]
// CHECK:             %[[WEIGHTS:.*]] = vector.transfer_read {{.*}} vector<8x16x16xf16>
// CHECK:             %[[ALL:.*]] = arith.extf %[[WEIGHTS]]
// CHECK:             %[[BITS:.*]] = arith.bitcast %[[ALL]]
// CHECK:             %[[CUT:.*]] = arith.andi %[[BITS]]
// CHECK:             %[[HIGH:.*]] = arith.bitcast %[[CUT]]
// CHECK:             %[[LOW:.*]] = arith.subf %[[ALL]], %[[HIGH]]
// CHECK-DAG:         %[[HIGHS:.*]] = arith.truncf %[[HIGH]] : vector<8x16x16xf32> to vector<8x16x16xbf16>
// CHECK-DAG:         %[[LOWS:.*]] = arith.truncf %[[LOW]] : vector<8x16x16xf32> to vector<8x16x16xbf16>
// CHECK:             %[[VALUES:.*]] = mta.load_tile
// CHECK:             %[[SUM:.*]] = vector.contract {{.*}} %[[LOWS]], %[[VALUES]], %{{.*}}
// CHECK:             vector.contract {{.*}} %[[HIGHS]], %[[VALUES]], %[[SUM]]
// CHECK-NOT:         vector.contract
// CHECK:             scf.yield
func.func @split_weights(%q: tensor<1x8x?x16xbf16>, %k: tensor<1x8x?x16xbf16>,
    %v: tensor<1x8x?x16xbf16>, %a: tensor<8x2x3xbf16>, %w: tensor<1x8x8xbf16>) -> tensor<1x8x?x16xbf16> {
  %o = mta.attention %q, %k, %v kernel_schedule(<rows = 32, key_tile = 16, warps = 8, stages = 1, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x8x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x8x?x?xf32>
    %1 = mta.key_query_conv %0, %a : tensor<1x8x?x?xf32>, tensor<8x2x3xbf16>
    %2 = mta.head_mix %1, %w : tensor<1x8x?x?xf32>, tensor<1x8x8xbf16>
    mta.yield %2 : tensor<1x8x?x?xf32>
  } : tensor<1x8x?x16xbf16>, tensor<1x8x?x16xbf16>, tensor<1x8x?x16xbf16>
      -> tensor<1x8x?x16xbf16>
  return %o : tensor<1x8x?x16xbf16>
}
