import ComputeCore

/// A correction that is added to what a linear layer or a convolution computes, such as LoRA's.
///
/// An adapter is no part of its layer's checkpoint.
public protocol LinearAdapter: AnyObject {
  /// What training it changes.
  var parameters: [Parameter] { get }

  /// The input of the layer → what to add to its output, of the output's shape.
  func callAsFunction(_ x: Tensor) -> Tensor
}

/// A layer that can carry adapters.
public protocol AdaptableLayer: Module {
  /// `[out, in]` of a linear layer, `[out, kh, kw, in]` of a convolution.
  var weight: Parameter { get }
  /// Each adds to the layer's output.
  var adapters: [any LinearAdapter] { get set }
}

/// What a layer adds to its products in their pass: the sum of those tensors that are there.
func sum(_ parts: [Tensor?]) -> Tensor? {
  let present = parts.compactMap(\.self)
  return present.first.map { present.dropFirst().reduce($0, +) }
}
