import ComputeCore
import Layers

/// Transformer blocks over the pixels of a picture, with a skip connection around all of them.
///
/// Source: diffusers `models/transformers/transformer_2d.py`, `Transformer2DModel` for continuous
/// input. Its two variants of the projections, 1×1 convolution and linear layer, are the same map
/// and differ in the checkpoint's shapes only.
final class Transformer2DModel: Module {
  let norm: GroupNorm
  let projIn: Linear
  let transformerBlocks: [BasicTransformerBlock]
  let projOut: Linear

  init(level: UNetLevel, config: UNetConfig) {
    let channels = level.channels
    norm = GroupNorm(channels, groups: config.normNumGroups, eps: 1e-6)
    projIn = Linear(channels, channels, isPointwise: !config.useLinearProjection)
    transformerBlocks = (0..<level.transformerLayers).map { _ in
      BasicTransformerBlock(channels, heads: level.heads, contextDim: level.contextDim)
    }
    projOut = Linear(channels, channels, isPointwise: !config.useLinearProjection)
  }

  /// `x` `[N, H, W, C]`, `context` `[N, S, contextDim]`, `mask` `[N, S]` → `[N, H, W, C]`.
  func callAsFunction(_ x: Tensor, context: Tensor?, mask: Tensor?) -> Tensor {
    let tokens = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
    var h = projIn(norm(x, output: Compute.factorType).reshaped(tokens))
    for block in transformerBlocks { h = block(h, context: context, mask: mask) }
    return projOut(h, adding: x.reshaped(tokens)).reshaped(x.shape)
  }
}
