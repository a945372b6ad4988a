extension Tensor {
  /// Normal numbers of mean 0 and variance 1, equal to `torch.randn` on the CPU.
  public static func randn(_ shape: Shape, using generator: inout TorchGenerator) -> Tensor {
    let span = profiled()
    defer { span?.end() }
    let y = Tensor(uninitialized: shape)
    generator.fillNormal(y.pointer, y.count)
    return y
  }

  /// Normal numbers of mean 0 and variance 1, equal to `torch.randn` on a GPU: one draw.
  public static func randn(_ shape: Shape, using generator: inout PhiloxGenerator) -> Tensor {
    let span = profiled()
    defer { span?.end() }
    let y = Tensor(uninitialized: shape)
    generator.fillNormal(y.pointer, y.count)
    return y
  }

  /// Uniform numbers of [0, 1), equal to `torch.rand` on the CPU.
  public static func rand(_ shape: Shape, using generator: inout TorchGenerator) -> Tensor {
    let span = profiled()
    defer { span?.end() }
    let y = Tensor(uninitialized: shape)
    generator.fillUniform(y.pointer, y.count)
    return y
  }

  /// Whole numbers from `range`, equal to `torch.randint` on the CPU.
  ///
  /// `TorchGenerator.integers(in:count:)` gives them as `Int`.
  public static func randint(
    _ range: Range<Int>, _ shape: Shape, using generator: inout TorchGenerator
  ) -> Tensor {
    Tensor(generator.integers(in: range, count: shape.reduce(1, *)).map { Float($0) }, shape)
  }

  /// The numbers `0..<count` in random order, `[count]`, equal to `torch.randperm` on the CPU.
  public static func permutation(_ count: Int, using generator: inout TorchGenerator) -> Tensor {
    Tensor(generator.permutation(count).map { Float($0) }, [count])
  }
}
