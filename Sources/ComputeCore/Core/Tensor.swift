import CKernels

/// Sizes of a tensor's axes, outermost first; `[]` is a single number.
public typealias Shape = [Int]

/// The type a tensor's elements are stored in.
public enum DType: Sendable {
  /// IEEE single precision.
  case float32
  /// The upper half of a `float32`; storage only, operations widen it.
  case bfloat16

  /// Bytes of one element.
  public var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// An immutable, dense, row-major array of numbers that remembers how it was computed.
///
/// Pictures and activations are `[N, H, W, C]` (channels last). A tensor is a value: operations
/// return new tensors, reshaping shares memory. It takes part in gradients when it, or something
/// it was computed from, was marked by `asVariable()`.
public struct Tensor {
  /// Sizes of the axes, outermost first.
  public let shape: Shape
  /// Type of the stored elements.
  public let dtype: DType
  let storage: Storage
  let node: TapeNode?

  init(shape: Shape, dtype: DType, storage: Storage, node: TapeNode?) {
    self.shape = shape
    self.dtype = dtype
    self.storage = storage
    self.node = node
  }

  /// Memory for `shape` whose contents are not set yet: write all of it before use.
  package init(uninitialized shape: Shape, dtype: DType = .float32) {
    let count = shape.reduce(1, *)
    self.init(
      shape: shape, dtype: dtype, storage: Storage(byteCount: count * dtype.byteCount), node: nil)
  }

  /// Numbers that `read` gives when they are needed, for frozen weights: they are packed for
  /// products straight from it, so that only the packed form takes memory.
  ///
  /// - Parameters:
  ///   - shape: what `read` gives; its type is `float32`.
  ///   - read: is called again whenever the numbers are needed in another form, from any thread.
  public init(reading shape: Shape, _ read: @escaping @Sendable () -> Tensor) {
    let storage = Storage(byteCount: shape.reduce(1, *) * 4) {
      let x = read()
      precondition(
        x.shape == shape && x.dtype == .float32, "expected \(shape), \(x.shape) was read")
      return x.storage
    }
    self.init(shape: shape, dtype: .float32, storage: storage, node: nil)
  }

  /// The numbers `values` in row-major order; there must be as many as `shape` holds.
  public init(_ values: [Float], _ shape: Shape) {
    precondition(
      values.count == shape.reduce(1, *), "\(values.count) values do not fill shape \(shape)")
    self.init(uninitialized: shape)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: source.count) }
    }
  }

  /// A single number, of shape `[]`.
  public init(_ value: Float) {
    self.init([value], [])
  }

  /// `value` everywhere.
  public init(repeating value: Float, _ shape: Shape) {
    self.init(uninitialized: shape)
    let y = pointer
    parallelChunks(count) { ck_fill_f32(y + $0.lowerBound, value, $0.count) }
  }

  /// Zero everywhere.
  public static func zeros(_ shape: Shape) -> Tensor { Tensor(repeating: 0, shape) }

  /// One everywhere.
  public static func ones(_ shape: Shape) -> Tensor { Tensor(repeating: 1, shape) }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Number of axes.
  public var rank: Int { shape.count }

  /// The elements of a `float32` tensor, valid while the tensor is.
  ///
  /// Only the function that made the tensor writes to them.
  package var pointer: UnsafeMutablePointer<Float> {
    precondition(dtype == .float32, "expected a float32 tensor, got \(dtype)")
    return storage.pointer.assumingMemoryBound(to: Float.self)
  }

  /// The elements of a `bfloat16` tensor, valid while the tensor is.
  package var bfloat16Pointer: UnsafeMutablePointer<UInt16> {
    precondition(dtype == .bfloat16, "expected a bfloat16 tensor, got \(dtype)")
    return storage.pointer.assumingMemoryBound(to: UInt16.self)
  }

  /// All elements as 32-bit numbers, in row-major order.
  public var values: [Float] {
    let x = cast(to: .float32)
    return withExtendedLifetime(x) { Array(UnsafeBufferPointer(start: x.pointer, count: count)) }
  }

  /// The only element; the tensor must hold exactly one.
  public var item: Float {
    precondition(count == 1, "item: expected one element, got shape \(shape)")
    let x = cast(to: .float32)
    return withExtendedLifetime(x) { x.pointer[0] }
  }

  /// The same numbers under another shape of as many elements; one size may be -1 (worked out).
  public func reshaped(_ newShape: Shape) -> Tensor {
    let known = newShape.filter { $0 != -1 }.reduce(1, *)
    let full = newShape.map { $0 == -1 ? (known == 0 ? 0 : count / known) : $0 }
    precondition(
      full.allSatisfy { $0 >= 0 } && full.reduce(1, *) == count,
      "cannot reshape \(shape) to \(newShape)")
    if full == shape { return self }
    let y = Tensor(shape: full, dtype: dtype, storage: storage, node: nil)
    let oldShape = shape
    return y.recorded(from: [self], operation: nil) { dy, _ in [dy.reshaped(oldShape)] }
  }

  /// The same numbers stored as `dtype`; going to `bfloat16` rounds to nearest even.
  public func cast(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    let span = profiled()
    defer { span?.end() }
    let y = Tensor(uninitialized: shape, dtype: dtype)
    if dtype == .bfloat16 {
      let (target, source) = (y.bfloat16Pointer, pointer)
      parallelChunks(count) {
        ck_f32_to_bf16(target + $0.lowerBound, source + $0.lowerBound, $0.count)
      }
    } else {
      let (target, source) = (y.pointer, bfloat16Pointer)
      parallelChunks(count) {
        ck_bf16_to_f32(target + $0.lowerBound, source + $0.lowerBound, $0.count)
      }
    }
    let own = self.dtype
    return y.recorded(from: [self]) { dy, _ in [dy.cast(to: own)] }
  }
}
