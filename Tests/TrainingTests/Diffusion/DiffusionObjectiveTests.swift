import ComputeCore
import Diffusion
import Foundation
import Models
import TestSupport
import Testing
import Training

@Suite struct DiffusionObjectiveTests {
  /// Signal-to-noise ratios in 64 bits, from the scaled linear schedule's definition.
  private let snrs: [Double] = {
    var product = 1.0
    return (0..<1000).map { index in
      let root =
        0.00085.squareRoot() + (0.012.squareRoot() - 0.00085.squareRoot())
        * Double(index) / 999
      product *= 1 - root * root
      return product / (1 - product)
    }
  }()

  @Test(arguments: PredictionType.allCases, LossWeighting.allCases)
  func weightsHaveTheirClosedForm(_ prediction: PredictionType, _ weighting: LossWeighting) throws {
    let timesteps = [0, 1, 10, 100, 200, 300, 500, 800, 999]
    let objective = try DiffusionObjective(scheduler(prediction), weighting)
    let expected = timesteps.map { timestep -> Double in
      let snr = snrs[timestep]
      return switch (weighting, prediction) {
      case (.constant, _): 1
      case (.minSNR, .sample): min(snr, 5)
      case (.minSNR, .epsilon), (.minVelocitySNR, .epsilon): min(snr, 5) / snr
      case (.minSNR, .v): min(snr, 5) / (snr + 1)
      case (.minVelocitySNR, .sample): min(snr + 1, 5)
      case (.minVelocitySNR, .v): min(snr + 1, 5) / (snr + 1)
      case (.minSNR, .flow): min(snr, 5) / ((snr.squareRoot() + 1) * (snr.squareRoot() + 1))
      case (.minVelocitySNR, .flow):
        min(snr + 1, 5) / ((snr.squareRoot() + 1) * (snr.squareRoot() + 1))
      }
    }
    for (found, expected) in zip(objective.weights(timesteps), expected) {
      #expect(abs(Double(found) - expected) < 1e-4 * expected, "\(weighting) of \(prediction)")
    }
  }

  /// At zero terminal SNR nothing of the picture is left, and the weights must still be numbers.
  @Test(arguments: PredictionType.allCases, LossWeighting.allCases)
  func weightsAreFiniteWithoutSignal(_ prediction: PredictionType, _ weighting: LossWeighting)
    throws
  {
    var config = scheduler(prediction)
    config.rescaleBetasZeroSnr = true
    let weight = try DiffusionObjective(config, weighting).weights([999])[0]
    #expect(weight.isFinite && weight >= 0)
    if weighting == .minVelocitySNR { #expect(weight == 1) }
  }

  @Test func everyPartOfTheScheduleHasOneTimestep() throws {
    let objective = try DiffusionObjective(scheduler(.sample), .constant)
    var generator = TorchGenerator(seed: 0)
    var counts = [Int](repeating: 0, count: 1000)
    for _ in 0..<2000 {
      let timesteps = objective.timesteps(8, using: &generator)
      #expect(timesteps.enumerated().allSatisfy { $0.offset == $0.element / 125 })
      for timestep in timesteps { counts[timestep] += 1 }
    }
    // 16 expected each, Poisson: 3.5 deviations below and 7 above.
    #expect(counts.allSatisfy { (2...44).contains($0) }, "timesteps are equally likely")
    #expect(objective.timesteps(3000, using: &generator).max() == 999)
  }

  @Test func aModelThatPutsOutItsTargetHasNoLoss() throws {
    let unet = try tinyUNet()
    makeConstant(unet, 0.25)
    let objective = try DiffusionObjective(scheduler(.sample), .minVelocitySNR)
    var generator = TorchGenerator(seed: 1)
    #expect(
      objective.loss(unet, ConstantBatches(value: 0.25).batch(0), using: &generator).item == 0)
    #expect(objective.loss(unet, ConstantBatches(value: 0.5).batch(0), using: &generator).item > 0)
  }

  /// A model that puts out zeros has the weighted mean square of its targets as loss.
  @Test(arguments: PredictionType.allCases, LossWeighting.allCases)
  func lossOfZerosHasItsClosedForm(_ prediction: PredictionType, _ weighting: LossWeighting) throws
  {
    let unet = try tinyUNet()
    makeConstant(unet, 0)
    let objective = try DiffusionObjective(scheduler(prediction), weighting)
    let batch = ConstantBatches(value: 0.5).batch(0)
    var generator = TorchGenerator(seed: 11)
    let found = objective.loss(unet, batch, using: &generator).item
    generator = TorchGenerator(seed: 11)
    let timesteps = objective.timesteps(2, using: &generator)
    let noise = Tensor.randn(batch.latents.shape, using: &generator).values.map(Double.init)
    let weights = objective.weights(timesteps).map(Double.init)
    let size = noise.count / 2
    let squares = noise.indices.map { index -> Double in
      let snr = snrs[timesteps[index / size]]
      let (alpha, sigma) = ((snr / (1 + snr)).squareRoot(), (1 / (1 + snr)).squareRoot())
      let target =
        switch prediction {
        case .sample: 0.5
        case .epsilon: noise[index]
        case .v: alpha * noise[index] - sigma * 0.5
        case .flow: noise[index] - 0.5
        }
      return weights[index / size] * target * target
    }
    let expected = squares.reduce(0, +) / Double(squares.count)
    #expect(abs(Double(found) - expected) < 1e-4 * expected)
  }

  @Test func sameGeneratorSameLoss() throws {
    let objective = try DiffusionObjective(scheduler(.v), .minSNR)
    let unet = try tinyUNet()
    func loss(_ seed: UInt64) -> Float {
      var generator = TorchGenerator(seed: seed)
      return objective.loss(unet, ConstantBatches(value: 0.5).batch(0), using: &generator).item
    }
    #expect(loss(1) == loss(1))
    #expect(loss(1) != loss(2))
  }
}
