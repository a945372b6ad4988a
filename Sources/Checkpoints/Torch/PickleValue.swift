/// What a pickle builds; composite values are places in the machine's tables, so that nothing nests
/// in memory however deep a hostile file nests.
enum PickleValue: Equatable {
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list(Int)
  case tuple(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)
  /// Something that is of no use here and that nothing is done with.
  case opaque
}

/// A storage of torch: one member of the archive.
struct PickledStorage: Equatable {
  /// Name of the member, behind `data/`.
  let key: String
  let dtype: SafetensorsDType
  /// Number of elements.
  let count: Int
}

/// A tensor of torch: a window on a storage.
struct PickledTensor: Equatable {
  let storage: PickledStorage
  /// First element.
  let offset: Int
  let shape: [Int]
  /// Elements between neighbours along each axis.
  let strides: [Int]
}

/// The names a pickle may mention; whatever is not among them is refused.
///
/// Nothing is ever imported or called: a name either has a meaning of its own here or stands for an
/// object that is ignored.
enum PickleGlobal: Equatable {
  case orderedDict
  case rebuildTensor
  /// `torch._utils._rebuild_parameter`: its first argument is the tensor.
  case rebuildParameter
  /// `torch._tensor._rebuild_from_type_v2`: applies its first argument to its third.
  case rebuildFromType
  case storage(SafetensorsDType)
  case ignored

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDict
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"),
      ("torch._utils", "_rebuild_parameter_with_state"):
      self = .rebuildParameter
    case ("torch._tensor", "_rebuild_from_type_v2"): self = .rebuildFromType
    case ("torch", _):
      if let dtype = PickleGlobal.storages[name] {
        self = .storage(dtype)
      } else if PickleGlobal.ignoredOfTorch.contains(name) {
        self = .ignored
      } else {
        return nil
      }
    default:
      guard PickleGlobal.isIgnored(module, name) else { return nil }
      self = .ignored
    }
  }

  private static let storages: [String: SafetensorsDType] = [
    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
    "LongStorage": .i64, "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8,
    "ByteStorage": .u8, "BoolStorage": .bool,
  ]

  private static let ignoredOfTorch: Set<String> = [
    "Size", "device", "Tensor", "float64", "float32", "float16", "bfloat16", "int64", "int32",
    "int16", "int8", "uint8", "bool", "double", "float", "half", "long", "int", "short",
  ]

  private static let ignoredNames: [String: Set<String>] = [
    "__builtin__": builtins, "builtins": builtins, "collections": ["defaultdict", "Counter"],
    "numpy": ["dtype", "ndarray"], "numpy.core.multiarray": numpy,
    "numpy._core.multiarray": numpy, "_codecs": ["encode"], "argparse": ["Namespace"],
    "typing": ["Any"], "torch.nn.parameter": ["Parameter"],
    "pathlib": ["Path", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"],
  ]

  private static let builtins: Set<String> = [
    "set", "frozenset", "dict", "list", "tuple", "int", "float", "str", "bytes", "bytearray",
    "bool", "complex", "slice", "range", "long", "unicode",
  ]

  private static let numpy: Set<String> = ["scalar", "_reconstruct"]

  /// What trainers leave in their checkpoints beside the weights.
  private static func isIgnored(_ module: String, _ name: String) -> Bool {
    if let names = ignoredNames[module] { return names.contains(name) }
    let root = module.prefix { $0 != "." }
    return ["pytorch_lightning", "lightning", "lightning_fabric", "omegaconf"].contains(root)
  }
}

/// Why a pickle was refused.
struct PickleError: Error {
  let found: String
  let expected: String
}
