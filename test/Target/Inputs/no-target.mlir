gpu.module @kernels {
  llvm.func @kernel() { llvm.return }
}
