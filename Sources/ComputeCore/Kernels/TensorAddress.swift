extension Tensor {
  /// Where element `index` is, for kernels that take numbers of either type.
  func address(_ index: Int = 0) -> UnsafeMutableRawPointer {
    storage.pointer + index * dtype.byteCount
  }

  /// What kernels are told of this tensor's type: 1 for `bfloat16`.
  var isBFloat16: Int32 { dtype == .bfloat16 ? 1 : 0 }
}
