import ComputeCore

/// IEEE half precision in memory, which `Tensor` itself does not store.
enum HalfPrecision {
  /// Widens `count` numbers exactly; infinities and NaNs stay what they are.
  ///
  /// Shifting the exponent and multiplying by 2¹¹² also normalises subnormals.
  static func widen(
    _ source: UnsafePointer<UInt16>, into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    let scale = Float(sign: .plus, exponent: 112, significand: 1)
    parallelChunks(count) { range in
      for i in range {
        let half = UInt32(source[i])
        let magnitude = (half & 0x7FFF) << 13
        let finite = (Float(bitPattern: magnitude) * scale).bitPattern
        let special = magnitude | 0x7F80_0000
        let bits = half & 0x7C00 == 0x7C00 ? special : finite
        target[i] = Float(bitPattern: bits | (half & 0x8000) << 16)
      }
    }
  }

  /// Rounds `count` numbers to nearest even; what is too large becomes infinite.
  static func narrow(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    parallelChunks(count) { range in
      for i in range { target[i] = Float16(source[i]).bitPattern }
    }
  }
}
