import ComputeCore
import Diffusion
import Models
import Pipelines

/// Clean latents and the texts they belong to.
package struct DiffusionBatch {
  /// `[N, h, w, c]`.
  package let latents: Tensor
  /// States of N texts.
  package let conditioning: Conditioning

  package init(latents: Tensor, conditioning: Conditioning) {
    (self.latents, self.conditioning) = (latents, conditioning)
  }
}

/// How errors at different noise levels count, in terms of the clean picture's squared error.
package enum LossWeighting: String, Codable, Sendable, CaseIterable {
  /// The plain error of what the model puts out.
  case constant
  /// `min(SNR, 5)`. Source: Hang et al. 2023, arXiv:2303.09556.
  case minSNR = "min-snr"
  /// `min(SNR + 1, 5)`: as min-SNR, but the noisiest levels, where composition is decided, keep a
  /// weight of 1. The +1 is the weight that learning the velocity implies (arXiv:2202.00512).
  /// Models that put out noise get min-SNR's weights: theirs would grow without bound.
  case minVelocitySNR = "min-velocity-snr"
}

/// The loss of a denoiser on one batch.
///
/// Timesteps are stratified over the batch, which is unbiased and less noisy than independent
/// ones. Source: Kingma et al. 2021, arXiv:2107.00630 appendix I.1.
package struct DiffusionObjective {
  private let schedule: NoiseSchedule
  private let prediction: PredictionType
  private let weighting: LossWeighting
  private static let gamma: Float = 5

  package init(_ config: SchedulerConfig, _ weighting: LossWeighting) throws(SamplerError) {
    schedule = try NoiseSchedule(config)
    prediction = config.predictionType
    self.weighting = weighting
  }

  /// The loss, a single number, with everything random drawn from `generator`.
  package func loss(
    _ unet: UNet2DConditionModel, _ batch: DiffusionBatch, using generator: inout TorchGenerator
  ) -> Tensor {
    let count = batch.latents.shape[0]
    let timesteps = timesteps(count, using: &generator)
    let noise = Tensor.randn(batch.latents.shape, using: &generator)
    let output = unet(
      schedule.addNoise(batch.latents, noise, timesteps: timesteps),
      timesteps: timesteps.map(Float.init), encoderHiddenStates: batch.conditioning.states,
      encoderAttentionMask: batch.conditioning.mask)
    let target = schedule.target(prediction, batch.latents, noise, timesteps: timesteps)
    return meanSquaredError(
      output, target, weights: Tensor(weights(timesteps), [count, 1, 1, 1]))
  }

  /// `count` timesteps, ascending: one of each `count`-th part of the schedule, at the same place
  /// in all of them.
  package func timesteps(_ count: Int, using generator: inout TorchGenerator) -> [Int] {
    let offset = unitNumber(generator.next())
    return (0..<count).map { index in
      let place = (Double(index) + offset) / Double(count)
      return min(schedule.count - 1, Int(place * Double(schedule.count)))
    }
  }

  /// One weight per timestep, for the squared error of what the model puts out.
  package func weights(_ timesteps: [Int]) -> [Float] {
    switch weighting {
    case .constant: timesteps.map { _ in 1 }
    case .minSNR: schedule.minSNRWeights(timesteps, gamma: Self.gamma, prediction: prediction)
    case .minVelocitySNR:
      timesteps.map { timestep in
        let snr = schedule.snr(timestep)
        let weight = min(snr + 1, Self.gamma)
        return switch prediction {
        case .sample: weight
        case .v: weight / (snr + 1)
        case .flow: weight / ((snr.squareRoot() + 1) * (snr.squareRoot() + 1))
        case .epsilon: snr > 0 ? min(snr, Self.gamma) / snr : 1
        }
      }
    }
  }
}
