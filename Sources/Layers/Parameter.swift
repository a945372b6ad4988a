import ComputeCore

/// A tensor that a layer learns or keeps, with all that is known of it before it exists.
///
/// Memory is taken on first use, on initialising or on loading, so a model can be built, and its
/// keys and shapes compared with a file, at no cost.
public final class Parameter {
  /// How the axes in a checkpoint relate to those in memory.
  public enum Layout: Sendable {
    /// The same order in both.
    case plain
    /// A kernel: `[a, b, height, width]` in a checkpoint, `[a, height, width, b]` in memory.
    case convolution
    /// A 1×1 kernel: `[out, in, 1, 1]` in a checkpoint, `[out, in]` in memory.
    case pointwise

    /// Turns a tensor of a checkpoint into one of `shape` in memory.
    package func inMemory(_ tensor: Tensor, _ shape: Shape) -> Tensor {
      guard self == .convolution else { return tensor.reshaped(shape) }
      return tensor.reshaped([shape[0], shape[3], shape[1], shape[2]]).transposed([0, 2, 3, 1])
    }
  }

  /// What training from scratch starts with.
  public enum Initialization: Sendable {
    /// Zero everywhere.
    case zeros
    /// One everywhere.
    case ones
    /// Uniform in `[-bound, bound)`.
    case uniform(bound: Float)
    /// Normal with mean 0.
    case normal(std: Float)
  }

  /// Whether training changes it.
  public enum Role: Sendable {
    /// Changed by the optimizer.
    case weight
    /// Changed by its layer only, such as running statistics.
    case buffer
  }

  /// Shape in memory.
  public let shape: Shape
  /// Order of the axes in checkpoints.
  public let layout: Layout
  /// What `initialize(using:)` fills it with.
  public let initialization: Initialization
  /// Whether it is learnt.
  public let role: Role
  /// Whether gradients by it are left out; always true of a buffer.
  public private(set) var isFrozen: Bool
  private var stored: Tensor?

  /// A parameter without memory yet.
  public init(
    _ shape: Shape, _ initialization: Initialization, layout: Layout = .plain,
    role: Role = .weight
  ) {
    self.shape = shape
    self.layout = layout
    self.initialization = initialization
    self.role = role
    isFrozen = role == .buffer
  }

  /// The numbers: a variable for gradients unless frozen; a new value must have the same shape.
  ///
  /// Reading it twice gives the same variable. Zeros and ones come into being when first read;
  /// random parameters must be initialised or loaded before.
  public var value: Tensor {
    get {
      if let stored { return stored }
      return store(firstValue())
    }
    set {
      precondition(
        newValue.shape == shape, "parameter: expected shape \(shape), got \(newValue.shape)")
      store(newValue)
    }
  }

  @discardableResult
  private func store(_ newValue: Tensor) -> Tensor {
    let value = isFrozen ? newValue.detached() : newValue.detached().asVariable()
    stored = value
    return value
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Whether it has a value yet.
  package var isMaterialized: Bool { stored != nil }

  /// Shape in a checkpoint.
  public var checkpointShape: Shape {
    switch layout {
    case .plain: shape
    case .convolution: [shape[0], shape[3], shape[1], shape[2]]
    case .pointwise: shape + [1, 1]
    }
  }

  /// The numbers as a checkpoint stores them, of `checkpointShape`.
  public var checkpointValue: Tensor {
    let x = value.detached()
    return layout == .convolution ? x.transposed([0, 3, 1, 2]) : x.reshaped(checkpointShape)
  }

  /// Turns a tensor of `checkpointShape` into one of `shape`.
  package func fromCheckpoint(_ tensor: Tensor) -> Tensor {
    layout.inMemory(tensor, shape)
  }

  /// Stops gradients by it.
  public func freeze() {
    isFrozen = true
    stored = stored?.detached()
  }

  /// Lets gradients by it be recorded again; buffers stay frozen.
  public func unfreeze() {
    guard role == .weight else { return }
    isFrozen = false
    stored = stored?.asVariable()
  }

  /// Fills it for training from scratch, drawing in checkpoint order as torch does.
  public func initialize(using generator: inout TorchGenerator) {
    switch initialization {
    case .zeros, .ones: value = firstValue()
    case .uniform(let bound):
      let x = Tensor.rand(checkpointShape, using: &generator)
      value = fromCheckpoint(x * (2 * bound) - bound)
    case .normal(let std):
      value = fromCheckpoint(Tensor.randn(checkpointShape, using: &generator) * std)
    }
  }

  private func firstValue() -> Tensor {
    switch initialization {
    case .zeros: return Tensor.zeros(shape)
    case .ones: return Tensor.ones(shape)
    case .uniform, .normal:
      preconditionFailure(
        "a random parameter of shape \(shape) was used first; call initialize(using:) or load it")
    }
  }
}
