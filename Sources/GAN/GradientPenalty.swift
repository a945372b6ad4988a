import ComputeCore

/// What is added to the discriminator's loss for its steepness.
public enum GradientPenalty: String, CaseIterable, Codable, Sendable {
  /// At real and at generated pictures, both towards 0.
  ///
  /// Source: Roth et al. 2017, arXiv:1705.09367; Mescheder et al. 2018, arXiv:1801.04406, R1 and R2.
  case r1r2 = "r1+r2"
  /// At real pictures, towards 0. Source: Mescheder et al. 2018, arXiv:1801.04406, equation 9.
  case r1
  /// Between a real and a generated picture, towards a norm of 1 (WGAN-GP).
  ///
  /// Source: Gulrajani et al. 2017, arXiv:1704.00028, equation 3.
  case interpolated = "wgan-gp"
  /// None.
  case none
}

/// `‖∇D(x)‖²` of each picture, recorded so that it can be a part of a loss.
///
/// - Parameters:
///   - logits: of the discriminator, `[N]`; the one of a picture depends on that picture only.
///   - x: the recorded pictures they were computed from, `[N, H, W, C]`.
/// - Returns: `[N]`.
public func squaredGradientNorms(of logits: Tensor, by x: Tensor) -> Tensor {
  guard let gradient = recordedGradients(of: logits, by: [x])[0] else {
    preconditionFailure("squaredGradientNorms: the logits do not depend on the pictures")
  }
  return square(gradient).sum(axes: [1, 2, 3])
}

/// Mean of `(‖∇D(x)‖ - 1)²` at points between real and generated pictures.
///
/// - Parameters:
///   - real: `[N, H, W, C]`.
///   - fake: of the same shape.
///   - mix: share of the generated picture, uniform in 0…1, `[N, 1, 1, 1]`.
///   - discriminator: pictures → logits `[N]`.
/// - Returns: shape `[]`, recorded.
public func interpolatedPenalty(
  real: Tensor, fake: Tensor, mix: Tensor, _ discriminator: (Tensor) -> Tensor
) -> Tensor {
  let x = (real + mix * (fake - real)).detached().asVariable()
  let norms = sqrt(squaredGradientNorms(of: discriminator(x), by: x) + 1e-12)
  return square(norms - 1).mean()
}
