import ComputeCore
import Glibc

/// Sines and cosines of a timestep at geometrically spaced frequencies.
///
/// Source: Ho et al. 2020, arXiv:2006.11239; numerically as in diffusers `models/embeddings.py`,
/// `get_timestep_embedding`, in 32 bits.
public struct Timesteps: Sendable {
  /// Channels of the result.
  public let channels: Int
  /// Whether cosines come before sines.
  public let flipSinToCos: Bool
  /// Subtracted from the number of frequencies when spacing them.
  public let freqShift: Float

  /// The embedding that a U-Net's config describes.
  public init(_ channels: Int, flipSinToCos: Bool, freqShift: Float) {
    self.channels = channels
    self.flipSinToCos = flipSinToCos
    self.freqShift = freqShift
  }

  /// `timesteps`, N of them, which may be fractional → `[N, channels]`.
  public func callAsFunction(_ timesteps: [Float]) -> Tensor {
    let half = channels / 2
    let frequencies = (0..<half).map { index in
      expf(-logf(10_000) * Float(index) / (Float(half) - freqShift))
    }
    var values: [Float] = []
    for timestep in timesteps {
      let sines = frequencies.map { sinf(timestep * $0) }
      let cosines = frequencies.map { cosf(timestep * $0) }
      values += flipSinToCos ? cosines + sines : sines + cosines
      if channels % 2 == 1 { values.append(0) }
    }
    return Tensor(values, [timesteps.count, channels])
  }
}

/// Two linear layers with SiLU between them, from sinusoids to the blocks' time embedding.
public final class TimestepEmbedding: Module {
  /// From sinusoids.
  public let linear1: Linear
  /// To the embedding.
  public let linear2: Linear

  /// Checkpoints put an underscore before the number.
  public static let keyOverrides = ["linear1": "linear_1", "linear2": "linear_2"]

  /// From `inChannels` sinusoids to `channels`.
  public init(_ inChannels: Int, _ channels: Int) {
    linear1 = Linear(inChannels, channels)
    linear2 = Linear(channels, channels)
  }

  /// `x` `[N, in]` → `[N, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    linear2(silu(linear1(x)))
  }
}
