// A warp for every head: queries in workgroup memory, and scores that wait in
// turns.

// RUN: mta-opt %s -convert-mta-to-gpu -canonicalize -cse | FileCheck %s

// Of 32 rows the last 17 are needed. Of 24 columns 16 lie in one run and 8 in
// another, each with its rows next to each other; a head has 17 x 24 elements.
// CHECK-LABEL: func.func @conv_and_mix(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x5x64x24xbf16>, %[[K:[^:]*]]: tensor<1x5x64x24xbf16>
// CHECK-DAG:     %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only
// CHECK-DAG:     %[[KEY:.*]] = bufferization.to_buffer %[[K]] read_only
// CHECK:         gpu.launch
// CHECK:           %[[QUERIES:.*]] = memref.alloca() : memref<3504xbf16, #gpu.address_space<workgroup>>
// CHECK:           linalg.fill {{.*}} outs(%[[QUERIES]]
// CHECK:           mta.barrier
// CHECK:           %[[WIDE:.*]] = mta.load_tile %[[QUERY]]{{.*}} -> vector<8x32x16xbf16>
// CHECK:           arith.cmpi sge, %{{.*}} : vector<32xindex>
// CHECK:           %[[RUN16:.*]] = memref.reinterpret_cast %[[QUERIES]] to offset: [0], sizes: [8, 32, 16], strides: [408, 16, 1]
// CHECK:           vector.transfer_write %[[WIDE]], %[[RUN16]][%c0, %c0, %c0], %{{.*}} {
// CHECK:           %[[NARROW:.*]] = mta.load_tile %[[QUERY]]{{.*}} -> vector<8x32x8xbf16>
// CHECK:           %[[RUN8:.*]] = memref.reinterpret_cast %[[QUERIES]] to offset: [392], sizes: [8, 32, 8], strides: [408, 8, 1]
// CHECK:           vector.transfer_write %[[NARROW]], %[[RUN8]][%c0, %c0, %c0], %{{.*}} {
// Two places for 16 scores of 17 rows, and 16 rows above the first head's.
// CHECK:           %[[SCORES:.*]] = memref.alloca() : memref<6080xf16, #gpu.address_space<workgroup>>
// CHECK:           %[[CONV:.*]] = memref.reinterpret_cast %[[SCORES]] to offset: [0], sizes: [8, 33, 40], strides: [680, 40, 1]
// CHECK:           %[[MIX:.*]] = memref.reinterpret_cast %[[SCORES]] to offset: [680], sizes: [8, 16, 40], strides: [680, 40, 1]
// CHECK:           linalg.fill {{.*}} outs(%[[SCORES]]
// CHECK:           scf.for %[[TILE:.*]] = %c0 to
// CHECK:             %[[NUMBER:.*]] = arith.index_cast %[[TILE]] : index to i32
// CHECK:             %[[PLACE:.*]] = arith.remui %[[NUMBER]], %c2_i32
// CHECK-COUNT-2:     mta.load_tile %[[RUN16]]{{.*}} rows(%c0 to %c32) {{.*}} -> vector<8x16x16xbf16>
// CHECK-COUNT-2:     mta.load_tile %[[RUN8]]{{.*}} rows(%c0 to %c32) {{.*}} -> vector<8x16x8xbf16>
// CHECK-NOT:         mta.load_tile %[[QUERY]]
// CHECK:             %[[OWN32:.*]] = arith.muli %{{.*}}, %c16_i32
// CHECK:             %[[OWN:.*]] = arith.index_castui %[[OWN32]]
// CHECK:             arith.addi %[[PLACE]], %c1_i32
// CHECK:             %[[BEFORE32:.*]] = arith.muli %{{.*}}, %c16_i32
// CHECK:             %[[BEFORE:.*]] = arith.index_castui %[[BEFORE32]]
// CHECK:             vector.transfer_write {{.*}}, %[[CONV]][%c0, %c1, %[[OWN]]]
// CHECK:             mta.barrier
// CHECK:             mta.load_band %{{.*}}[%c0, %c0] diagonals(0 to 31)
// CHECK:             vector.transfer_read %[[CONV]][%c0, %c16, %[[OWN]]]
// CHECK:             vector.transfer_read %[[CONV]][%c0, %c16, %[[BEFORE]]]
// What the convolution has read gives its place to the mix, and that to weights.
// CHECK:             mta.barrier
// CHECK:             vector.transfer_write {{.*}}, %[[MIX]][%c0, %c0, %[[BEFORE]]]
// CHECK:             mta.barrier
// CHECK:             vector.transfer_read %[[MIX]][%c0, %c0, %[[BEFORE]]]
// CHECK:             mta.barrier
// CHECK:             %[[BITS:.*]] = arith.bitcast %{{.*}} : vector<8x16x16xbf16> to vector<8x16x16xf16>
// CHECK:             vector.transfer_write %[[BITS]], %[[MIX]][%c0, %c0, %[[BEFORE]]]
// CHECK:             mta.barrier
// CHECK:             vector.transfer_read %[[MIX]][%c0, %c0, %[[BEFORE]]]
// CHECK:             arith.bitcast
// CHECK:             mta.barrier
// CHECK-NEXT:        scf.yield
// CHECK:         {mta.heads = 8 : i64, mta.rows = 32 : i64, mta.staged_scores = [f16]}
func.func @conv_and_mix(%q: tensor<1x5x64x24xbf16>, %k: tensor<1x5x64x24xbf16>,
    %v: tensor<1x5x64x8xbf16>, %theta: tensor<5x2x3xbf16>, %w: tensor<1x5x5xbf16>)
    -> tensor<1x5x64x8xbf16> {
  %o = mta.attention %q, %k, %v
      kernel_schedule(<rows = 32, key_tile = 16, warps = 8, stages = 1,
                       query = workgroup, scores = f16>) {
  ^bb0(%s: tensor<1x5x64x64xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x5x64x64xf32>, tensor<5x2x3xbf16>
    %1 = mta.head_mix %0, %w : tensor<1x5x64x64xf32>, tensor<1x5x5xbf16>
    %2 = mta.softmax %1 : tensor<1x5x64x64xf32>
    mta.yield %2 : tensor<1x5x64x64xf32>
  } : tensor<1x5x64x24xbf16>, tensor<1x5x64x24xbf16>, tensor<1x5x64x8xbf16> -> tensor<1x5x64x8xbf16>
  return %o : tensor<1x5x64x8xbf16>
}

// Without a convolution nothing waits for the next tile: mixes and weights have
// buffers of their own. Loaded for every tile, queries have none.
// CHECK-LABEL: func.func @mixes(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x6x64x16xf16>
// CHECK:         %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only
// CHECK:         gpu.launch
// CHECK-NOT:       mta.load_tile
// CHECK:           scf.for
// CHECK:             mta.load_tile %[[QUERY]]{{.*}} -> vector<8x16x16xf16>
// CHECK:           scf.for
// CHECK:             mta.load_tile %[[QUERY]]{{.*}} -> vector<8x16x16xf16>
// CHECK-NOT:         arith.bitcast
func.func @mixes(%q: tensor<1x6x64x16xf16>, %k: tensor<1x6x64x16xf16>, %v: tensor<1x6x64x8xf16>,
    %w: tensor<1x6x6xf16>) -> tensor<1x6x64x8xf16> {
  %o = mta.attention %q, %k, %v
      kernel_schedule(<rows = 16, key_tile = 16, warps = 8, stages = 1,
                       query = global, scores = f16>) {
  ^bb0(%s: tensor<1x6x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x6x64x64xf32>
    %1 = mta.head_mix %0, %w : tensor<1x6x64x64xf32>, tensor<1x6x6xf16>
    mta.yield %1 : tensor<1x6x64x64xf32>
  } : tensor<1x6x64x16xf16>, tensor<1x6x64x16xf16>, tensor<1x6x64x8xf16> -> tensor<1x6x64x8xf16>
  return %o : tensor<1x6x64x8xf16>
}

// Where there is no room for all of it, bands are those of the taps with a pair
// of zeros on each side, and the last 16 columns of queries stay in registers.
// CHECK-LABEL: func.func @no_room(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x16x64x128xbf16>, %[[K:[^:]*]]: tensor<1x16x64x128xbf16>
// CHECK-DAG:     %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only
// CHECK-DAG:     %[[KEY:.*]] = bufferization.to_buffer %[[K]] read_only
// CHECK:         gpu.launch
// CHECK:           memref.alloca() : memref<46688xbf16, #gpu.address_space<workgroup>>
// CHECK:           %[[UPPER:.*]] = mta.load_tile %[[QUERY]]{{.*}}, %c112] {{.*}} -> vector<16x16x16xbf16>
// CHECK:           %[[LOWER:.*]] = mta.load_tile %[[QUERY]]{{.*}}, %c112] {{.*}} -> vector<16x16x16xbf16>
// CHECK:           scf.for
// CHECK:             %[[KEYS:.*]] = mta.load_tile %[[KEY]]{{.*}}, %c112]
// CHECK:             vector.contract {{.*}} %[[UPPER]], %[[KEYS]],
// CHECK:             vector.contract {{.*}} %[[LOWER]], %[[KEYS]],
// CHECK:             mta.load_band {{.*}} diagonals(8 to 23)
func.func @no_room(%q: tensor<1x16x64x128xbf16>, %k: tensor<1x16x64x128xbf16>,
    %v: tensor<1x16x64x8xbf16>, %theta: tensor<16x6x11xbf16>, %w: tensor<1x16x16xbf16>)
    -> tensor<1x16x64x8xbf16> {
  %o = mta.attention %q, %k, %v
      kernel_schedule(<rows = 32, key_tile = 16, warps = 16, stages = 1,
                       query = workgroup, scores = f16>) {
  ^bb0(%s: tensor<1x16x64x64xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x16x64x64xf32>, tensor<16x6x11xbf16>
    %1 = mta.head_mix %0, %w : tensor<1x16x64x64xf32>, tensor<1x16x16xbf16>
    %2 = mta.softmax %1 : tensor<1x16x64x64xf32>
    %3 = mta.key_query_conv %2, %theta : tensor<1x16x64x64xf32>, tensor<16x6x11xbf16>
    %4 = mta.head_mix %3, %w : tensor<1x16x64x64xf32>, tensor<1x16x16xbf16>
    mta.yield %4 : tensor<1x16x64x64xf32>
  } : tensor<1x16x64x128xbf16>, tensor<1x16x64x128xbf16>, tensor<1x16x64x8xbf16> -> tensor<1x16x64x8xbf16>
  return %o : tensor<1x16x64x8xbf16>
}

// A gate for every number is a product with its weights, straight from memory as
// values are, of the two parts of a tile. 32 columns at a time are stored.
// CHECK-LABEL: func.func @vector_gate(
// CHECK-SAME:    %[[W:[a-z0-9]+]]: tensor<40x40xbf16>
// CHECK-DAG:     %[[WEIGHTS:.*]] = bufferization.to_buffer %[[W]] read_only
// CHECK-DAG:     %[[OUT:.*]] = memref.alloc() : memref<1x6x64x40xbf16>
// CHECK:         gpu.launch
// CHECK:           scf.for
// CHECK:           arith.divf
// CHECK:           arith.truncf {{.*}} {mta.opaque} : vector<8x16x32xf32> to vector<8x16x32xbf16>
// CHECK:           arith.truncf {{.*}} {mta.opaque} : vector<8x16x32xf32> to vector<8x16x32xbf16>
// CHECK:           arith.truncf {{.*}} {mta.opaque} : vector<8x16x8xf32> to vector<8x16x8xbf16>
// CHECK:           arith.truncf {{.*}} {mta.opaque} : vector<8x16x8xf32> to vector<8x16x8xbf16>
// CHECK:           %[[VIEW:.*]] = memref.reinterpret_cast %[[WEIGHTS]]
// CHECK:           mta.load_tile %[[VIEW]][%c0, %c0, %c0, %c0] {{.*}} -> vector<8x32x32xbf16>
// CHECK-COUNT-2:   vector.contract {{.*}} : vector<8x16x32xbf16>, vector<8x32x32xbf16> into vector<8x16x32xf32>
// CHECK:           mta.load_tile %[[VIEW]][%c0, %c0, %c0, %c32] {{.*}} -> vector<8x32x8xbf16>
// CHECK-COUNT-2:   vector.contract {{.*}} : vector<8x16x8xbf16>, vector<8x32x8xbf16> into vector<8x16x32xf32>
// CHECK:           vector.transfer_write %{{.*}}, %[[OUT]][{{.*}}, %c0], {{.*}} : vector<8x16x32xbf16>
// CHECK:           mta.load_tile %[[VIEW]][%c0, %c0, %c32, %c0] {{.*}} -> vector<8x8x32xbf16>
// CHECK:           vector.transfer_write %{{.*}}, %[[OUT]][{{.*}}, %c32], {{.*}} : vector<8x16x8xbf16>
// CHECK-NOT:     mta.gate
func.func @vector_gate(%q: tensor<1x6x64x16xbf16>, %v: tensor<1x6x64x40xbf16>, %m: tensor<1x6x6xbf16>,
    %w: tensor<40x40xbf16>, %b: tensor<40xbf16>) -> tensor<1x6x64x40xbf16> {
  %o = mta.attention %q, %q, %v
      kernel_schedule(<rows = 16, key_tile = 16, warps = 8, stages = 1,
                       query = global, scores = f16>) {
  ^bb0(%s: tensor<1x6x64x64xf32>):
    %0 = mta.head_mix %s, %m : tensor<1x6x64x64xf32>, tensor<1x6x6xbf16>
    %1 = mta.softmax %0 : tensor<1x6x64x64xf32>
    mta.yield %1 : tensor<1x6x64x64xf32>
  } : tensor<1x6x64x16xbf16>, tensor<1x6x64x16xbf16>, tensor<1x6x64x40xbf16> -> tensor<1x6x64x40xf32>
  %g = mta.gate %o, %w, %b : tensor<1x6x64x40xf32>, tensor<40x40xbf16>, tensor<40xbf16> -> tensor<1x6x64x40xbf16>
  return %g : tensor<1x6x64x40xbf16>
}
