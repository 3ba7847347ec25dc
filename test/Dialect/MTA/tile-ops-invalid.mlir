// RUN: mta-opt %s -split-input-file -verify-diagnostics

func.func @too_few_source_indices(%k: memref<4x?x64xf16>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects an index for every dimension of the source and at least 2, but got 2 for 'memref<4x?x64xf16>'}}
  mta.copy_tile %k[%i, %i], %tile[%i, %i] limit(%i) shape [64, 64] : memref<4x?x64xf16>, memref<64x72xf16, 3>
  return
}

// -----

func.func @vector_destination(%k: memref<4x?x64xf16>, %tile: memref<72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects an index for every dimension of the destination and at least 2, but got 1 for 'memref<72xf16, 3>'}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i] limit(%i) shape [64, 64] : memref<4x?x64xf16>, memref<72xf16, 3>
  return
}

// -----

func.func @different_elements(%k: memref<4x?x64xf16>, %tile: memref<64x72xbf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects equal element types of 16 or 32 bits, but got 'memref<4x?x64xf16>' and 'memref<64x72xbf16, 3>'}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i, %i] limit(%i) shape [64, 64] : memref<4x?x64xf16>, memref<64x72xbf16, 3>
  return
}

// -----

func.func @wide_elements(%k: memref<?x64xf64>, %tile: memref<64x72xf64, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects equal element types of 16 or 32 bits, but got 'memref<?x64xf64>' and 'memref<64x72xf64, 3>'}}
  mta.copy_tile %k[%i, %i], %tile[%i, %i] limit(%i) shape [64, 64] : memref<?x64xf64>, memref<64x72xf64, 3>
  return
}

// -----

func.func @other_elements(%k: memref<?x64xindex>, %tile: memref<64x72xindex, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects equal element types of 16 or 32 bits, but got 'memref<?x64xindex>'}}
  mta.copy_tile %k[%i, %i], %tile[%i, %i] limit(%i) shape [64, 64] : memref<?x64xindex>, memref<64x72xindex, 3>
  return
}

// -----

func.func @strided_source(%k: memref<?x64xf16, strided<[128, 2]>>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects contiguous rows, but got 'memref<?x64xf16, strided<[128, 2]>>'}}
  mta.copy_tile %k[%i, %i], %tile[%i, %i] limit(%i) shape [64, 64] : memref<?x64xf16, strided<[128, 2]>>, memref<64x72xf16, 3>
  return
}

// -----

func.func @strided_destination(%k: memref<4x?x64xf16>, %tile: memref<64x72xf16, strided<[?, ?]>, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects contiguous rows, but got 'memref<64x72xf16, strided<[?, ?]>, 3>'}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i, %i] limit(%i) shape [64, 64] : memref<4x?x64xf16>, memref<64x72xf16, strided<[?, ?]>, 3>
  return
}

// -----

func.func @one_size(%k: memref<4x?x64xf16>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects a shape of rows of a multiple of 8 elements, but got [64]}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i, %i] limit(%i) shape [64] : memref<4x?x64xf16>, memref<64x72xf16, 3>
  return
}

// -----

func.func @ragged_rows(%k: memref<4x?x64xf16>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects a shape of rows of a multiple of 8 elements, but got [64, 60]}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i, %i] limit(%i) shape [64, 60] : memref<4x?x64xf16>, memref<64x72xf16, 3>
  return
}

// -----

func.func @no_rows(%k: memref<4x?x64xf16>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects a shape of rows of a multiple of 8 elements, but got [0, 64]}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i, %i] limit(%i) shape [0, 64] : memref<4x?x64xf16>, memref<64x72xf16, 3>
  return
}

// -----

func.func @no_columns(%k: memref<4x?x64xf16>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects a shape of rows of a multiple of 8 elements, but got [64, 0]}}
  mta.copy_tile %k[%i, %i, %i], %tile[%i, %i] limit(%i) shape [64, 0] : memref<4x?x64xf16>, memref<64x72xf16, 3>
  return
}

// -----

func.func @negative_wait() {
  // expected-error@+1 {{'mta.wait_copies' op attribute 'pending' failed to satisfy constraint: 32-bit signless integer attribute whose value is non-negative}}
  mta.wait_copies pending(-1)
  return
}

// -----

func.func @rows_as_panels(%k: memref<?x64xf16>, %tile: memref<64x72xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects a destination of panels of 8 columns for 64 columns, but got 'memref<64x72xf16, 3>'}}
  mta.copy_tile %k[%i, %i], %tile[%i, %i] limit(%i) shape [64, 64] panels : memref<?x64xf16>, memref<64x72xf16, 3>
  return
}

// -----

func.func @too_few_panels(%k: memref<?x64xf16>, %tile: memref<7x65x8xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.copy_tile' op expects a destination of panels of 8 columns for 64 columns, but got 'memref<7x65x8xf16, 3>'}}
  mta.copy_tile %k[%i, %i], %tile[%i, %i, %i] limit(%i) shape [64, 64] panels : memref<?x64xf16>, memref<7x65x8xf16, 3>
  return
}

// -----

func.func @tile_indices(%q: vector<16x64xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects a contiguous buffer of panels of 8 columns with an index for every dimension before those, but got 2 for 'memref<2x8x65x8xf16, 3>'}}
  %s = mta.contract_tile %q, %tile[%i, %i], %acc : vector<16x64xf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @tile_of_rows(%q: vector<16x64xf16>, %tile: memref<2x1x65x16xf16, 3>, %acc: vector<16x8xf32>, %i: index) -> vector<16x8xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects a contiguous buffer of panels of 8 columns with an index for every dimension before those, but got 1 for 'memref<2x1x65x16xf16, 3>'}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<16x64xf16>, memref<2x1x65x16xf16, 3>, vector<16x8xf32>
  return %s : vector<16x8xf32>
}

// -----

func.func @strided_tile(%q: vector<16x64xf16>, %tile: memref<8x65x8xf16, strided<[1040, 16, 1]>, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects a contiguous buffer of panels of 8 columns with an index for every dimension before those, but got 0 for 'memref<8x65x8xf16, strided<[1040, 16, 1]>, 3>'}}
  %s = mta.contract_tile %q, %tile[], %acc : vector<16x64xf16>, memref<8x65x8xf16, strided<[1040, 16, 1]>, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @dynamic_tile(%q: vector<16x64xf16>, %tile: memref<?x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects a contiguous buffer of panels of 8 columns with an index for every dimension before those, but got 0 for 'memref<?x65x8xf16, 3>'}}
  %s = mta.contract_tile %q, %tile[], %acc : vector<16x64xf16>, memref<?x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @tile_elements(%q: vector<16x64xbf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects operands of f16 or bf16 and sums of f32, but got 'vector<16x64xbf16>', 'memref<2x8x65x8xf16, 3>' and 'vector<16x64xf32>'}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<16x64xbf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @half_sums(%q: vector<16x64xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf16>, %i: index) -> vector<16x64xf16> {
  // expected-error@+1 {{'mta.contract_tile' op expects operands of f16 or bf16 and sums of f32, but got 'vector<16x64xf16>'}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<16x64xf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf16>
  return %s : vector<16x64xf16>
}

// -----

func.func @tile_rows(%q: vector<32x64xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects the rows and heads of both vectors to agree, but got 'vector<32x64xf16>' and 'vector<16x64xf32>'}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<32x64xf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @odd_sum(%q: vector<16x56xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects sums over a multiple of 16 elements for a multiple of 8 columns up to 256, but got 56 and 64}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<16x56xf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @odd_columns(%q: vector<16x64xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x60xf32>, %i: index) -> vector<16x60xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects sums over a multiple of 16 elements for a multiple of 8 columns up to 256, but got 64 and 60}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<16x64xf16>, memref<2x8x65x8xf16, 3>, vector<16x60xf32>
  return %s : vector<16x60xf32>
}

// -----

func.func @many_columns(%q: vector<16x64xf16>, %tile: memref<33x65x8xf16, 3>, %acc: vector<16x264xf32>, %i: index) -> vector<16x264xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects sums over a multiple of 16 elements for a multiple of 8 columns up to 256, but got 64 and 264}}
  %s = mta.contract_tile %q, %tile[], %acc : vector<16x64xf16>, memref<33x65x8xf16, 3>, vector<16x264xf32>
  return %s : vector<16x264xf32>
}

// -----

func.func @small_tile(%q: vector<16x80xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects a tile of at least 80 rows and 64 columns, but got 'memref<2x8x65x8xf16, 3>'}}
  %s = mta.contract_tile %q, %tile[%i], %acc : vector<16x80xf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @small_transposed_tile(%q: vector<16x80xf16>, %tile: memref<2x8x65x8xf16, 3>, %acc: vector<16x64xf32>, %i: index) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects a tile of at least 64 rows and 80 columns, but got 'memref<2x8x65x8xf16, 3>'}}
  %s = mta.contract_tile %q, %tile[%i] transposed, %acc : vector<16x80xf16>, memref<2x8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @load_of_too_few_dimensions(%k: memref<?x64xf16>, %i: index) {
  // expected-error@+1 {{'mta.load_tile' op expects a source of at least 3 dimensions, but got 'memref<?x64xf16>'}}
  %0 = mta.load_tile %k[%i, %i] rows(%i to %i) shared(%i) : memref<?x64xf16> -> vector<8x16x64xf16>
  return
}

// -----

func.func @load_with_too_few_indices(%k: memref<4x?x64xf16>, %i: index) {
  // expected-error@+1 {{'mta.load_tile' op expects an index for every dimension of the source, but got 2 for 'memref<4x?x64xf16>'}}
  %0 = mta.load_tile %k[%i, %i] rows(%i to %i) shared(%i) : memref<4x?x64xf16> -> vector<8x16x64xf16>
  return
}

// -----

func.func @load_of_other_elements(%k: memref<4x?x64xf16>, %i: index) {
  // expected-error@+1 {{'mta.load_tile' op expects heads x rows x columns in multiples of 8 of the source's elements, of 16 bits, but got 'vector<8x16x64xbf16>' from 'memref<4x?x64xf16>'}}
  %0 = mta.load_tile %k[%i, %i, %i] rows(%i to %i) shared(%i) : memref<4x?x64xf16> -> vector<8x16x64xbf16>
  return
}

// -----

func.func @load_without_heads(%k: memref<4x?x64xf16>, %i: index) {
  // expected-error@+1 {{'mta.load_tile' op expects heads x rows x columns in multiples of 8 of the source's elements, of 16 bits, but got 'vector<16x64xf16>' from 'memref<4x?x64xf16>'}}
  %0 = mta.load_tile %k[%i, %i, %i] rows(%i to %i) shared(%i) : memref<4x?x64xf16> -> vector<16x64xf16>
  return
}

// -----

func.func @load_of_strided_rows(%k: memref<4x?x64xf16, strided<[?, ?, 2]>>, %i: index) {
  // expected-error@+1 {{'mta.load_tile' op expects contiguous rows, but got}}
  %0 = mta.load_tile %k[%i, %i, %i] rows(%i to %i) shared(%i) : memref<4x?x64xf16, strided<[?, ?, 2]>> -> vector<8x16x64xf16>
  return
}

// -----

func.func @band_of_three_dimensions(%p: memref<4x16x64xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.load_band' op expects a source of 2 dimensions, but got 'memref<4x16x64xf16, 3>'}}
  %0 = mta.load_band %p[%i, %i, %i] diagonals(0 to 30) : memref<4x16x64xf16, 3> -> vector<16x24x8xf16>
  return
}

// -----

func.func @wide_band(%p: memref<16x64xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.load_band' op expects a band of 8 columns, but got 'vector<16x24x16xf16>'}}
  %0 = mta.load_band %p[%i, %i] diagonals(0 to 30) : memref<16x64xf16, 3> -> vector<16x24x16xf16>
  return
}

// -----

func.func @c4_no_diagonals(%p: memref<16x64xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.load_band' op expects diagonals in order from 0 on, but got 9 to 8}}
  %0 = mta.load_band %p[%i, %i] diagonals(9 to 8) : memref<16x64xf16, 3> -> vector<16x24x8xf16>
  return
}

// -----

func.func @c4_diagonals_below_zero(%p: memref<16x64xf16, 3>, %i: index) {
  // expected-error@+1 {{'mta.load_band' op expects diagonals in order from 0 on, but got -1 to 8}}
  %0 = mta.load_band %p[%i, %i] diagonals(-1 to 8) : memref<16x64xf16, 3> -> vector<16x24x8xf16>
  return
}

// -----

func.func @used_early(%q: vector<16x64xf16>, %tile: memref<8x65x8xf16, 3>, %acc: vector<16x64xf32>) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects mta.wait_product to be the one use of what is under way}}
  %s = mta.contract_tile %q, %tile[], %acc async : vector<16x64xf16>, memref<8x65x8xf16, 3>, vector<16x64xf32>
  return %s : vector<16x64xf32>
}

// -----

func.func @used_twice(%q: vector<16x64xf16>, %tile: memref<8x65x8xf16, 3>, %acc: vector<16x64xf32>) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.contract_tile' op expects mta.wait_product to be the one use of what is under way}}
  %s = mta.contract_tile %q, %tile[], %acc async : vector<16x64xf16>, memref<8x65x8xf16, 3>, vector<16x64xf32>
  %0 = mta.wait_product %s pending 0 : vector<16x64xf32>
  %1 = mta.wait_product %s pending 0 : vector<16x64xf32>
  return %1 : vector<16x64xf32>
}

// -----

func.func @not_under_way(%s: vector<16x64xf32>) -> vector<16x64xf32> {
  // expected-error@+1 {{'mta.wait_product' op expects a product of the same block that was begun with 'async'}}
  %0 = mta.wait_product %s pending 0 : vector<16x64xf32>
  return %0 : vector<16x64xf32>
}

// -----

func.func @other_block(%q: vector<16x64xf16>, %tile: memref<8x65x8xf16, 3>, %acc: vector<16x64xf32>, %c: i1) -> vector<16x64xf32> {
  %s = mta.contract_tile %q, %tile[], %acc async : vector<16x64xf16>, memref<8x65x8xf16, 3>, vector<16x64xf32>
  %r = scf.if %c -> vector<16x64xf32> {
    // expected-error@+1 {{'mta.wait_product' op expects a product of the same block that was begun with 'async'}}
    %0 = mta.wait_product %s pending 0 : vector<16x64xf32>
    scf.yield %0 : vector<16x64xf32>
  } else {
    scf.yield %acc : vector<16x64xf32>
  }
  return %r : vector<16x64xf32>
}

// -----

func.func @too_many_pending(%q: vector<16x64xf16>, %tile: memref<8x65x8xf16, 3>, %acc: vector<16x64xf32>) -> vector<16x64xf32> {
  %s = mta.contract_tile %q, %tile[], %acc async : vector<16x64xf16>, memref<8x65x8xf16, 3>, vector<16x64xf32>
  // expected-error@+1 {{'mta.wait_product' op expects at most the 0 products that were begun after this one to be pending, but got 1}}
  %0 = mta.wait_product %s pending 1 : vector<16x64xf32>
  return %0 : vector<16x64xf32>
}
