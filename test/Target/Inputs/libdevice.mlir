gpu.module @kernels {
  gpu.func @sine(%m: memref<f32>) kernel {
    %0 = memref.load %m[] : memref<f32>
    %1 = math.sin %0 : f32
    memref.store %1, %m[] : memref<f32>
    gpu.return
  }
}
