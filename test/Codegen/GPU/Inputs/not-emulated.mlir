module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @k() kernel {
      %lane = gpu.lane_id
      gpu.return
    }
  }
}
