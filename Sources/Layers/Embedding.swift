import ComputeCore

/// A table of vectors that is looked up by id.
public final class Embedding: Module {
  /// `[V, C]`.
  public let weight: Parameter

  /// - Parameters:
  ///   - count: number of vectors.
  ///   - features: size of each.
  ///   - std: standard deviation to start from; torch's default is 1.
  public init(_ count: Int, _ features: Int, std: Float = 1) {
    weight = Parameter([count, features], .normal(std: std))
  }

  /// Number of vectors.
  public var vocabularySize: Int { weight.shape[0] }

  /// `ids`, row-major in `shape` → `shape + [C]`; ids must be in `0..<V`.
  public func callAsFunction(_ ids: [Int32], _ shape: Shape) -> Tensor {
    embedding(ids: ids, shape: shape, weight: weight.value)
  }
}
