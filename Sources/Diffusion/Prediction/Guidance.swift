import ComputeCore

/// Classifier-free guidance: steps away from the unconditional output, past the conditional one.
///
/// Source: Ho & Salimans 2022, arXiv:2207.12598 eq. 6, in the usual scaling where 1 is no guidance.
///
/// - Parameters:
///   - conditional: the model's output with the prompt `[N, H, W, C]`.
///   - unconditional: its output without, or with the negative prompt, of the same shape.
///   - scale: 1 gives `conditional`, 0 `unconditional`.
///   - rescale: 0…1, how much of the contrast that guidance adds is taken back; 0 takes none.
/// - Returns: `unconditional + scale · (conditional − unconditional)`, rescaled.
public func guided(
  conditional: Tensor, unconditional: Tensor, scale: Float, rescale: Float = 0
) -> Tensor {
  let output = unconditional + scale * (conditional - unconditional)
  return rescale == 0 ? output : rescaled(output, like: conditional, amount: rescale)
}

/// Brings the deviation of each picture's guided output back towards that of the conditional one.
///
/// Source: Lin et al. 2023, arXiv:2305.08891 §3.4, eq. 15 and 16. `[N, H, W, C]` → the same.
private func rescaled(_ output: Tensor, like conditional: Tensor, amount: Float) -> Tensor {
  let ratio = standardDeviation(conditional) / standardDeviation(output)  // [N, 1, 1, 1]
  return output * ratio * amount + output * (1 - amount)
}

/// Deviation over all axes but the first, with `n − 1` in the denominator; those axes become 1.
private func standardDeviation(_ x: Tensor) -> Tensor {
  let axes = Array(1..<x.rank)
  let count = Float(x.count / x.shape[0])
  let centered = x - x.mean(axes: axes, keepDims: true)
  return sqrt(square(centered).sum(axes: axes, keepDims: true) / max(1, count - 1))
}
