import ComputeCore

/// What every block of a U-Net is told besides the picture.
struct UNetConditioning {
  /// Time embedding after its activation, `[N, tembChannels]`.
  let temb: Tensor
  /// The text's hidden states, `[N, S, crossAttentionDim]`.
  let encoderHiddenStates: Tensor?
  /// `[N, S]`, 1 where a text position counts and 0 where not.
  let encoderAttentionMask: Tensor?
  /// Whether blocks compute their activations again for the gradient instead of keeping them.
  let isCheckpointed: Bool
}

extension ResnetBlock2D {
  /// `x` `[N, H, W, in]` → `[N, H, W, out]`.
  func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) -> Tensor {
    run([x, conditioning.temb], isCheckpointed: conditioning.isCheckpointed) {
      self($0[0], temb: $0[1])
    }
  }
}

extension Transformer2DModel {
  /// `x` `[N, H, W, C]` → `[N, H, W, C]`.
  func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) -> Tensor {
    let mask = conditioning.encoderAttentionMask
    let inputs = [x] + (conditioning.encoderHiddenStates.map { [$0] } ?? [])
    return run(inputs, isCheckpointed: conditioning.isCheckpointed) {
      self($0[0], context: $0.count > 1 ? $0[1] : nil, mask: mask)
    }
  }
}
