// Schedules that do not exist, and schedules that do not fit their attention
// (C13 of mta.attention).

// RUN: mta-opt %s --verify-diagnostics --split-input-file

// expected-error @below {{expects query_tile of at least 1, but got 0}}
func.func private @no_queries() attributes {s = #mta.schedule<query_tile = 0, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects key_tile of at least 1, but got -16}}
func.func private @no_keys() attributes {s = #mta.schedule<query_tile = 8, key_tile = -16, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects edge_key_tile of at least 1, but got 0}}
func.func private @no_keys_at_edges() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 0, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects sweeps of at least 1, but got 0}}
func.func private @no_sweeps() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 0, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects heads of at least 1, but got 0}}
func.func private @no_heads() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 0, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects lanes of at least 1, but got 0}}
func.func private @no_lanes() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 0, staging = packed>}

// -----

// expected-error @below {{expects query_tile of at most 65536, but got 65537}}
func.func private @too_many_queries() attributes {s = #mta.schedule<query_tile = 65537, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects one or two sweeps, but got 3}}
func.func private @three_sweeps() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 3, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects edge_key_tile to be at most key_tile, but got 32 and 16}}
func.func private @wider_edges() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 32, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects key_tile to be a multiple of the lanes, but got 18 and 4}}
func.func private @part_of_a_vector() attributes {s = #mta.schedule<query_tile = 8, key_tile = 18, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @below {{expects edge_key_tile to be a multiple of the lanes, but got 6 and 4}}
func.func private @part_of_a_vector_at_edges() attributes {s = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 6, sweeps = 1, heads = 1, lanes = 4, staging = packed>}

// -----

// expected-error @+2 {{failed to parse MTA_ScheduleAttr parameter 'staging'}}
// expected-error @+1 {{expected ::mta::Staging to be one of: packed}}
#unknown = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 4, staging = direct>

// -----

func.func @c13_part_of_a_mix(%t: tensor<1x4x8x4xf32>, %w: tensor<2x2x2xf32>) {
  // expected-error @below {{'mta.attention' op expects a schedule whose heads are a multiple of the 2 that the score program mixes, but got 1}}
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 8, key_tile = 16, edge_key_tile = 16,
                sweeps = 1, heads = 1, lanes = 4, staging = packed>) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %m = mta.head_mix %s, %w : tensor<1x4x8x8xf32>, tensor<2x2x2xf32>
    %p = mta.softmax %m : tensor<1x4x8x8xf32>
    mta.yield %p : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return
}

// -----

func.func @c13_heads_left_over(%t: tensor<1x4x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a schedule whose heads divide the 4 query heads, but got 3}}
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 8, key_tile = 16, edge_key_tile = 16,
                sweeps = 1, heads = 3, lanes = 4, staging = packed>) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %p = mta.softmax %s : tensor<1x4x8x8xf32>
    mta.yield %p : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return
}

// -----

func.func @c13_one_sweep(%t: tensor<1x4x8x4xf32>, %w: tensor<2x2x2xf32>) {
  // expected-error @below {{'mta.attention' op expects two sweeps in the schedule of a score program that goes on after its softmax, but got 1}}
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 8, key_tile = 16, edge_key_tile = 16,
                sweeps = 1, heads = 2, lanes = 4, staging = packed>) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %p = mta.softmax %s : tensor<1x4x8x8xf32>
    %m = mta.head_mix %p, %w : tensor<1x4x8x8xf32>, tensor<2x2x2xf32>
    mta.yield %m : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return
}
