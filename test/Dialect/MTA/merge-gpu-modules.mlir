// RUN: mta-opt %s --mta-merge-gpu-modules --split-input-file | FileCheck %s

// Kernels of the same name get other ones, launches follow. A module with a
// function that kernels can call stays as it is.

// CHECK-LABEL: func.func @launches(
// CHECK:         gpu.launch_func @mta_kernels::@kernel blocks
// CHECK:         gpu.launch_func @mta_kernels::@[[SECOND:kernel_[0-9]+]] blocks
// CHECK:         gpu.launch_func @mta_kernels::@other blocks
// CHECK:         gpu.launch_func @mta_kernels::@kernel blocks
// CHECK:         gpu.launch_func @callers::@kernel blocks
// CHECK:       func.func @more_launches(
// CHECK:         gpu.launch_func @mta_kernels::@[[SECOND]] blocks
// CHECK:       gpu.module @mta_kernels {
// CHECK:         gpu.func @kernel(%{{.*}}: f32) kernel
// CHECK:         gpu.func @[[SECOND]](%{{.*}}: f64) kernel
// CHECK:         gpu.func @other(%{{.*}}: f64) kernel
// CHECK:       gpu.module @callers {
// CHECK-NOT:   gpu.module
module attributes {gpu.container_module} {
  func.func @launches(%n: index, %a: f32, %b: f64) {
    gpu.launch_func @first::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n) args(%a : f32)
    gpu.launch_func @second::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n) args(%b : f64)
    gpu.launch_func @second::@other blocks in (%n, %n, %n)
        threads in (%n, %n, %n) args(%b : f64)
    gpu.launch_func @first::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n) args(%a : f32)
    gpu.launch_func @callers::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n)
    return
  }
  func.func @more_launches(%n: index, %b: f64) {
    gpu.launch_func @second::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n) args(%b : f64)
    return
  }
  gpu.module @first {
    gpu.func @kernel(%a: f32) kernel { gpu.return }
  }
  gpu.module @second {
    gpu.func @kernel(%b: f64) kernel { gpu.return }
    gpu.func @other(%b: f64) kernel { gpu.return }
  }
  gpu.module @callers {
    gpu.func @callee() { gpu.return }
    gpu.func @kernel() kernel { gpu.return }
  }
}

// -----

// The name is taken.
// CHECK-LABEL: func.func @mta_kernels(
// CHECK:         gpu.launch_func @first::@kernel blocks
// CHECK:         gpu.launch_func @first::@kernel_0 blocks
// CHECK:       gpu.module @first {
module attributes {gpu.container_module} {
  func.func @mta_kernels(%n: index) {
    gpu.launch_func @first::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n)
    gpu.launch_func @second::@kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n)
    return
  }
  gpu.module @first {
    gpu.func @kernel() kernel { gpu.return }
  }
  gpu.module @second {
    gpu.func @kernel() kernel { gpu.return }
  }
}

// -----

// The name is that of another module to merge.
// CHECK-LABEL: gpu.module @initial {
// CHECK:         gpu.func @a()
// CHECK:         gpu.func @b()
// CHECK-NOT:   gpu.module
gpu.module @initial {
  gpu.func @a() kernel { gpu.return }
}
gpu.module @mta_kernels {
  gpu.func @b() kernel { gpu.return }
}

// -----

// Modules for another target stay apart.
// CHECK-LABEL: gpu.module @mta_kernels [#nvvm.target<chip = "sm_90a">] {
// CHECK:         gpu.func @a()
// CHECK:         gpu.func @c()
// CHECK:       gpu.module @second [#nvvm.target<chip = "sm_80">] {
// CHECK:         gpu.func @b()
// CHECK-NOT:   gpu.module
gpu.module @first [#nvvm.target<chip = "sm_90a">] {
  gpu.func @a() kernel { gpu.return }
}
gpu.module @second [#nvvm.target<chip = "sm_80">] {
  gpu.func @b() kernel { gpu.return }
}
gpu.module @third [#nvvm.target<chip = "sm_90a">] {
  gpu.func @c() kernel { gpu.return }
}

// -----

// CHECK-LABEL: func.func @no_fold_no_kernels(
// CHECK-NOT:   gpu.module
func.func @no_fold_no_kernels() {
  return
}
