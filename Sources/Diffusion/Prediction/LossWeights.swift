extension NoiseSchedule {
  /// Signal-to-noise ratio `ā / (1 − ā)` at a timestep; 0 where nothing of the picture is left.
  public func snr(_ timestep: Int) -> Float {
    alphasCumprod[timestep] / (1 - alphasCumprod[timestep])
  }

  /// Weights that balance the timesteps in a training loss.
  ///
  /// Source: Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy",
  /// arXiv:2303.09556 §3.4: the clean-picture error weighted by `min(SNR, gamma)`, in terms of what
  /// the model puts out.
  ///
  /// - Parameters:
  ///   - timesteps: each in `0..<count`.
  ///   - gamma: the highest weight of a clean-picture error; the paper uses 5.
  ///   - prediction: what the model puts out, which is what the loss compares.
  /// - Returns: one weight per timestep: `min(SNR, gamma)` for `.sample`, that by `SNR` for
  ///   `.epsilon` (1 at an SNR of 0, the limit), that by `SNR + 1` for `.v`, that by
  ///   `(√SNR + 1)²` for `.flow`.
  public func minSNRWeights(
    _ timesteps: [Int], gamma: Float = 5, prediction: PredictionType
  ) -> [Float] {
    timesteps.map { timestep in
      let snr = snr(timestep)
      let weight = min(snr, gamma)
      return switch prediction {
      case .sample: weight
      case .epsilon: snr > 0 ? weight / snr : 1
      case .v: weight / (snr + 1)
      case .flow: weight / ((snr.squareRoot() + 1) * (snr.squareRoot() + 1))
      }
    }
  }
}
