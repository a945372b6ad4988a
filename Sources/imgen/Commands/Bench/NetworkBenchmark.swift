import ArgumentParser
import ComputeCore
import Diffusion
import Foundation
import Layers
import LoRA
import Models
import Pipelines
import Training

/// Times whole steps of a network with random weights on random data.
struct NetworkBenchmark {
  let network: BenchNetwork
  /// Pictures per step; the usual number of the work when `nil`.
  let batch: Int?
  /// Steps to time; as many as a few seconds hold when `nil`.
  let steps: Int?

  /// One denoising step, text and no text together.
  func unet() throws -> NetworkReport {
    let (unet, setup) = try prepared(isFrozen: true) { try UNet2DConditionModel(network.unet) }
    let batch = batch ?? 2
    let input = input(batch)
    let operations = try network.unet.operations(
      batch: batch, height: network.side, width: network.side, tokens: network.tokens)
    let timing = Timing(repeats) {
      _ = Compute.withoutRecording {
        unet(
          input.latents, timesteps: [500], encoderHiddenStates: input.conditioning.states)
      }
    }
    return report(.unet, unet, batch, setup, timing, operations: operations)
  }

  /// Decoding of latents to pictures.
  func vae() throws -> NetworkReport {
    guard let config = network.autoencoder else {
      throw ValidationError(
        "\(network.name) works on pixels and has no autoencoder; try --config sd15.")
    }
    let (vae, setup) = try prepared(isFrozen: true) { try AutoencoderKL(config) }
    let batch = batch ?? 1
    var generator = TorchGenerator(seed: 2)
    let latents = Tensor.randn(
      [batch, network.side, network.side, config.latentChannels], using: &generator)
    let timing = Timing(repeats) { _ = Compute.withoutRecording { vae.decode(latents) } }
    return report(
      .vae, vae, batch, setup, timing,
      operations: config.decodingOperations(
        batch: batch, height: network.side, width: network.side))
  }

  /// One training step of all parameters, with AdamW and a moving average.
  func train() throws -> NetworkReport {
    let (unet, setup) = try prepared(isFrozen: false) { try UNet2DConditionModel(network.unet) }
    let optimizer = AdamW(unet.namedParameters(), AdamW.Config())
    let batch = batch ?? 32
    return report(
      .train, unet, batch, setup, try trainingSteps(unet, optimizer, batch, defaultSteps: 10))
  }

  /// One training step of a LoRA of rank 16 on queries, keys, values and outputs of attention.
  func lora() throws -> NetworkReport {
    let (unet, setup) = try prepared(isFrozen: true) { try UNet2DConditionModel(network.unet) }
    var generator = TorchGenerator(seed: 2)
    let adapters = try LoRANetwork.attach(
      to: unet, rank: 16, targets: .attention, using: &generator)
    var config = AdamW.Config()
    config.emaDecay = nil
    let optimizer = AdamW(adapters.namedParameters, config)
    let batch = batch ?? 1
    return report(
      .lora, unet, batch, setup, try trainingSteps(unet, optimizer, batch, defaultSteps: 3))
  }

  private var repeats: Timing.Repeats {
    steps.map { .count($0) } ?? .seconds(5, atLeast: 3)
  }

  /// A model with random weights, and the seconds that took.
  private func prepared<M: Module>(
    isFrozen: Bool, _ make: () throws -> M
  ) throws -> (model: M, seconds: Double) {
    let start = Date()
    let model = try make()
    if isFrozen { model.freeze() }
    model.fillForTiming()
    let seconds = Date().timeIntervalSince(start)
    BufferCache.shared.resetPeak()
    ProcessMemory.resetPeak()
    return (model, seconds)
  }

  /// Random latents `[N, side, side, C]` and texts `[N, tokens, dim]`.
  private func input(_ batch: Int) -> DiffusionBatch {
    var generator = TorchGenerator(seed: 2)
    let latents = Tensor.randn(
      [batch, network.side, network.side, network.unet.inChannels], using: &generator)
    let states = Tensor.randn(
      [batch, network.tokens, network.unet.crossAttentionDim], using: &generator)
    return DiffusionBatch(
      latents: latents, conditioning: Conditioning(states: states, mask: nil))
  }

  /// Seconds of the trainer's steps, after two that warm up.
  private func trainingSteps(
    _ unet: UNet2DConditionModel, _ optimizer: AdamW, _ batch: Int, defaultSteps: Int
  ) throws -> Timing {
    let warmUp = 2
    let trainer = DiffusionTrainer(
      unet, try DiffusionObjective(SchedulerConfig(), .constant),
      RepeatedBatch(batch: input(batch)), optimizer,
      WarmupCosine(peak: 1e-4, warmup: 1, total: warmUp + (steps ?? defaultSteps)), seed: 1)
    var seconds: [Double] = []
    var last = Date()
    for step in trainer {
      guard step.loss.isFinite else { throw TrainingError.diverged(step: step.index) }
      let now = Date()
      seconds.append(now.timeIntervalSince(last))
      last = now
    }
    return Timing(seconds: Array(seconds.dropFirst(warmUp)))
  }

  private func report(
    _ work: BenchCommand.Work, _ model: some Module, _ batch: Int, _ setup: Double,
    _ timing: Timing, operations: Int? = nil
  ) -> NetworkReport {
    NetworkReport(
      work: work.rawValue, config: network.name,
      precision: Compute.current.precision.inEffect.rawValue, threads: Compute.current.threads,
      batch: batch, side: network.side, tokens: network.tokens, parameters: model.parameterCount,
      setupSeconds: setup, steps: timing.seconds.count, medianSecondsPerStep: timing.median,
      picturesPerSecond: work == .unet ? nil : Double(batch) / timing.median,
      teraflopsPerSecond: operations.map { Double($0) / timing.median / 1e12 },
      peakTensorBytes: BufferCache.shared.peakBytes, peakProcessBytes: ProcessMemory.peakBytes)
  }
}

/// The same batch in every step.
private struct RepeatedBatch: DiffusionBatches {
  let batch: DiffusionBatch

  func batch(_ index: Int) -> DiffusionBatch { batch }
}
