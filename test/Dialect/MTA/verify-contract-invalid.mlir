// A contract that does not fit the kernels beside it, in a module and in PTX.

// RUN: mta-opt --split-input-file --verify-diagnostics %s

// expected-error @below {{to be an array of #mta.launch_contract, but got 4 : i64}}
gpu.module @m attributes {mta.launch_contracts = 4} {
  gpu.func @k(%x: !llvm.ptr, %n: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} { gpu.return }
}

// -----

// expected-error @below {{expects a kernel for its launch contract, but got none called 'other'}}
gpu.module @m attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@other, parameters = [#mta.pointer<"x">], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]} {
  gpu.func @k(%x: !llvm.ptr, %n: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} { gpu.return }
}

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', which has 2 parameters, but got 1}}
gpu.module @m attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]} {
  gpu.func @k(%x: !llvm.ptr, %n: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} { gpu.return }
}

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', whose parameter #0 has 8 bytes and is an address, but got #mta.size<i64}}
gpu.module @m attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.size<i64, affine_map<() -> (4)>>, #mta.size<i32, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]} {
  gpu.func @k(%x: !llvm.ptr, %n: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} { gpu.return }
}

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', whose parameter #1 has 4 bytes, but got #mta.pointer}}
gpu.module @m attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">, #mta.pointer<"x">], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]} {
  gpu.func @k(%x: !llvm.ptr, %n: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} { gpu.return }
}

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', which runs in blocks of [32, 1, 1], but got [64, 1, 1]}}
gpu.module @m attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">, #mta.size<i32, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [64, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]} {
  gpu.func @k(%x: !llvm.ptr, %n: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} { gpu.return }
}

// -----

// expected-error @below {{expects a kernel for its launch contract, but got none called 'k'}}
gpu.binary @m {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A">]

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', which has 2 parameters, but got 3}}
gpu.binary @m {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">, #mta.size<i32, affine_map<() -> (4)>>, #mta.size<i32, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A.visible .entry k(\0A.param .u64 .ptr .align 16 k_param_0,\0A.param .u32 k_param_1\0A)\0A.maxntid 32, 1, 1\0A{\0A">]

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', whose parameter #0 has 8 bytes and is an address, but got #mta.size<i64}}
gpu.binary @m {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.size<i64, affine_map<() -> (4)>>, #mta.size<i32, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A.visible .entry k(\0A.param .u64 .ptr .align 16 k_param_0,\0A.param .u32 k_param_1\0A)\0A.maxntid 32, 1, 1\0A{\0A">]

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', whose parameter #1 has 4 bytes, but got #mta.size<i64}}
gpu.binary @m {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">, #mta.size<i64, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A.visible .entry k(\0A.param .u64 .ptr .align 16 k_param_0,\0A.param .u32 k_param_1\0A)\0A.maxntid 32, 1, 1\0A{\0A">]

// -----

// expected-error @below {{expects a launch contract that fits kernel 'k', which runs in blocks of [32, 1, 1], but got [32, 2, 1]}}
gpu.binary @m {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">, #mta.size<i32, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [32, 2, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A.visible .entry k(\0A.param .u64 .ptr .align 16 k_param_0,\0A.param .u32 k_param_1\0A)\0A.maxntid 32, 1, 1\0A{\0A">]

// -----

// A kernel of another module is that module's matter, and so is another format.
gpu.binary @m {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">, #mta.size<i32, affine_map<() -> (4)>>], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A.visible .entry k(\0A.param .u64 .ptr .align 16 k_param_0,\0A.param .u32 k_param_1\0A)\0A.maxntid 32, 1, 1\0A{\0A">, #gpu.object<#nvvm.target<chip = "sm_90">, bin = "code">]
gpu.binary @other {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]}
    [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0">]

// -----

// expected-error @below {{expects launch contracts on a gpu.module or gpu.binary only}}
module attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f", sizes = [], buffers = [#mta.buffer<name = "x", kind = input, element = f32, shape = affine_map<() -> (4)>, alignment = 4>], launches = [#mta.kernel_launch<kernel = @m::@k, parameters = [#mta.pointer<"x">], grid = affine_map<() -> (1, 1, 1)>, block = [32, 1, 1], cluster = [1, 1, 1], static_bytes = 0, dynamic_bytes = 0>]>]} {}
