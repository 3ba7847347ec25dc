// Contracts that contradict themselves.

// RUN: mta-opt --split-input-file --verify-diagnostics %s

// expected-error @below {{expects a buffer of integers or floats, but got 'index'}}
module attributes {a = #mta.buffer<name = "x", kind = input, element = index, shape = affine_map<() -> (4)>, alignment = 4>} {}

// -----

// expected-error @below {{expects the alignment of 'x' to be a power of two, but got 12}}
module attributes {a = #mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 12>} {}

// -----

// expected-error @below {{expects the shape to be a function of symbols only, but got affine_map<(d0) -> (d0)>}}
module attributes {a = #mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<(d0) -> (d0)>, alignment = 4>} {}

// -----

// expected-error @below {{expects a number of 32 or 64 bits, but got 'i8'}}
module attributes {a = #mta.size<i8, affine_map<() -> (4)>>} {}

// -----

// expected-error @below {{expects 1 results of a number, but got 2}}
module attributes {a = #mta.size<i32, affine_map<() -> (4, 5)>>} {}

// -----

// expected-error @below {{expects a kernel in a module, but got @k}}
module attributes {a = #mta.kernel_launch<kernel = @k, parameters = [], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>} {}

// -----

// expected-error @below {{expects parameters that are #mta.pointer or #mta.size, but got 1 : i64}}
module attributes {a = #mta.kernel_launch<kernel = @m::@k, parameters = [1], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>} {}

// -----

// expected-error @below {{expects 3 results of the grid, but got 1}}
module attributes {a = #mta.kernel_launch<kernel = @m::@k, parameters = [], grid = affine_map<() -> (1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>} {}

// -----

// expected-error @below {{expects the block to be three positive numbers, of at most 1024 together, but got [1024, 2, 1]}}
module attributes {a = #mta.kernel_launch<kernel = @m::@k, parameters = [], grid = affine_map<() -> (1, 1, 1)>, block = [1024, 2, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>} {}

// -----

// expected-error @below {{expects the cluster to be three positive numbers, of at most 1024 together, but got [0, 1, 1]}}
module attributes {a = #mta.kernel_launch<kernel = @m::@k, parameters = [], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [0, 1, 1], static_bytes = 0, dynamic_bytes = 0>} {}

// -----

// expected-error @below {{expects workgroup memory of at least 0 bytes, but got -1}}
module attributes {a = #mta.kernel_launch<kernel = @m::@k, parameters = [], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = -1>} {}

// -----

// expected-error @below {{expects version 1, but got 2}}
module attributes {a = #mta.launch_contract<version = 2, function = "f", sizes = [], buffers = [], launches = []>} {}

// -----

// expected-error @below {{expects sizes that are names, but got 4 : i64}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = [4], buffers = [], launches = []>} {}

// -----

// expected-error @below {{expects names of letters, digits and underscores, but got '1st'}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = ["1st"], buffers = [], launches = []>} {}

// -----

// expected-error @below {{expects names that differ, but got 'n' twice}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = ["n", "n"], buffers = [], launches = []>} {}

// -----

// expected-error @below {{expects buffers that are #mta.buffer, but got 4 : i64}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [4], launches = []>} {}

// -----

// expected-error @below {{expects the supported sizes to be a function of symbols only, but got affine_map<(d0) -> (d0)>}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = ["n"], nonnegative = affine_map<(d0) -> (d0)>, buffers = [], launches = []>} {}

// -----

// expected-error @below {{expects the supported sizes to be a function of 1 sizes, but got one of 2}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = ["n"], zero = affine_map<()[s0, s1] -> (s1)>, buffers = [], launches = []>} {}

// -----

// expected-error @below {{expects the shape to be a function of 1 sizes, but got one of 0}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = ["n"], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = []>} {}

// -----

// expected-error @below {{expects launches that are #mta.kernel_launch, but got 4 : i64}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [], launches = [4]>} {}

// -----

// expected-error @below {{expects the grid to be a function of 1 sizes, but got one of 0}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = ["n"], buffers = [], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>} {}

// -----

// expected-error @below {{expects a buffer of the contract, but got 'y'}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"y">], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>} {}

// -----

// expected-error @below {{expects a number to be a function of 0 sizes, but got one of 1}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.size<i32, affine_map<()[s0] -> (s0)>>], grid = affine_map<() -> (1, 1, 1)>, block = [1, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>} {}

// -----

// expected-error @below {{expects 2 results of the strides, but got 1}}
module attributes {a = #mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4, 2)>, strides = affine_map<() -> (1)>, alignment = 4>} {}

// -----

// expected-error @below {{expects the strides to be a function of 0 sizes, but got one of 1}}
module attributes {a = #mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, strides = affine_map<()[s0] -> (s0)>, alignment = 4>], launches = []>} {}
