/// Element types of a safetensors file, by the names its header uses.
public enum SafetensorsDType: String, Sendable, CaseIterable {
  /// IEEE double precision.
  case f64 = "F64"
  /// IEEE single precision.
  case f32 = "F32"
  /// IEEE half precision.
  case f16 = "F16"
  /// The upper half of single precision.
  case bf16 = "BF16"
  /// 64-bit signed integer.
  case i64 = "I64"
  /// 32-bit signed integer.
  case i32 = "I32"
  /// 16-bit signed integer.
  case i16 = "I16"
  /// 8-bit signed integer.
  case i8 = "I8"
  /// 64-bit unsigned integer.
  case u64 = "U64"
  /// 32-bit unsigned integer.
  case u32 = "U32"
  /// 16-bit unsigned integer.
  case u16 = "U16"
  /// 8-bit unsigned integer.
  case u8 = "U8"
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// 8-bit float, 4 bits of exponent.
  case f8e4m3 = "F8_E4M3"
  /// 8-bit float, 5 bits of exponent.
  case f8e5m2 = "F8_E5M2"

  /// Whether tensors of it can be read as 32-bit numbers.
  public var isFloatingPoint: Bool { [.f64, .f32, .f16, .bf16].contains(self) }

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool, .f8e4m3, .f8e5m2: 1
    }
  }
}
