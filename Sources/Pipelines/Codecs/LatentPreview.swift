import ComputeCore

/// Colours of latents without decoding them.
enum LatentPreview {
  /// What red, green and blue take of each of the four channels of Stable Diffusion's scaled latents.
  ///
  /// Source: ComfyUI `comfy/latent_formats.py`, `SD15.latent_rgb_factors`, a least-squares fit of
  /// decoded pictures to their latents; used there for its previews.
  private static let factors: [Float] = [
    0.3512, 0.2297, 0.3227,
    0.3250, 0.4974, 0.2350,
    -0.2829, 0.1762, 0.2721,
    -0.2120, -0.2616, -0.7177,
  ]

  /// Scaled latents `[N, h, w, 4]` → about the pictures `[N, h, w, 3]`, in [-1, 1]; `nil` for other
  /// numbers of channels, whose meaning is not known.
  static func colors(of latents: Tensor) -> Tensor? {
    guard latents.shape[3] == 4 else { return nil }
    let weight = Tensor(factors, [4, 3]).transposed([1, 0])
    return Compute.with {
      $0.precision = .float32
    } _: {
      linear(latents, weight: weight)
    }
  }
}
