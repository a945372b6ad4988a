import ComputeCore
import Layers
import TestSupport
import Testing
import Training

@Suite struct AdamWTests {
  private static let names = ["weight", "bias", "kernel"]

  /// torch decays every parameter, so each is updated by itself here.
  @Test func stepsEqualTorch() throws {
    for item in try Fixture("adamw").cases {
      let rates = try item.tensor("learning_rates").values
      let betas: [Double] = try item.parameter("betas")
      for name in Self.names {
        var value = try item.tensor("\(name).initial")
        let gradients = try item.tensor("\(name).grads")
        let expected = try item.tensor("\(name).after")
        let (first, second) = (Tensor.zeros(value.shape), Tensor.zeros(value.shape))
        for (index, rate) in rates.enumerated() {
          var step = AdamWStep(learningRate: rate, index: index + 1)
          (step.beta1, step.beta2) = (Float(betas[0]), Float(betas[1]))
          step.eps = try item.float("eps")
          step.weightDecay = try item.float("weight_decay")
          value = adamW(
            value, gradient: row(gradients, index), firstMoment: first, secondMoment: second,
            average: nil, step)
          expectClose(value, row(expected, index), "\(item.name).\(name) step \(index)")
        }
        expectClose(first, try item.tensor("\(name).exp_avg"), floor: 1e-4, "\(name).exp_avg")
        // 1 - beta2 in 32 bits is off by up to 3e-8 / 0.001; the correction is off by as much.
        expectClose(
          second, try item.tensor("\(name).exp_avg_sq"), tolerance: 3e-5, floor: 1e-6,
          "\(name).exp_avg_sq")
      }
    }
  }

  @Test func optimizerEqualsTorchForMatrices() throws {
    for item in try Fixture("adamw").cases {
      let names = ["weight", "kernel"]
      let parameters = try names.map { name in
        let initial = try item.tensor("\(name).initial")
        let parameter = Parameter(initial.shape, .zeros)
        parameter.value = initial
        return (key: name, parameter: parameter)
      }
      let betas: [Double] = try item.parameter("betas")
      var config = AdamW.Config()
      (config.beta1, config.beta2) = (Float(betas[0]), Float(betas[1]))
      config.eps = try item.float("eps")
      config.weightDecay = try item.float("weight_decay")
      (config.maxGradientNorm, config.emaDecay) = (nil, nil)
      let optimizer = AdamW(parameters, config)
      for (index, rate) in try item.tensor("learning_rates").values.enumerated() {
        // Twice the gradient at half the scale, as accumulating two batches gives.
        let gradients = try names.map { row(try item.tensor("\($0).grads"), index) * 2 }
        _ = optimizer.update(gradients, learningRate: rate, scale: 0.5)
      }
      for (key, parameter) in parameters {
        let after = try item.tensor("\(key).after")
        expectClose(parameter.value, row(after, after.shape[0] - 1), "\(item.name).\(key)")
      }
    }
  }

  @Test func vectorsAreNotDecayed() {
    let (bias, matrix) = (Parameter([2], .ones), Parameter([2, 1], .ones))
    var config = AdamW.Config()
    (config.weightDecay, config.emaDecay) = (0.5, nil)
    let optimizer = AdamW([("bias", bias), ("matrix", matrix)], config)
    _ = optimizer.update([Tensor.zeros([2]), Tensor.zeros([2, 1])], learningRate: 0.1)
    #expect(bias.value.values == [1, 1])
    expectClose(matrix.value, [0.95, 0.95])
  }

  @Test func parametersWithoutGradientStay() {
    let parameter = Parameter([2, 2], .ones)
    let optimizer = AdamW([("weight", parameter)], AdamW.Config())
    #expect(optimizer.update([nil], learningRate: 0.1) == 0)
    #expect(parameter.value.values == [1, 1, 1, 1])
  }

  @Test func clippingEqualsTorch() throws {
    for item in try Fixture("clip_grad_norm").cases {
      let gradients = try Self.names.map { try item.tensor("\($0).grad") }
      let norm = globalNorm(gradients)
      expectClose(Tensor([norm], [1]), try item.tensor("total_norm"), "\(item.name).total_norm")
      let scale = clippingScale(norm: norm, maxNorm: try item.float("max_norm"))
      for (name, gradient) in zip(Self.names, gradients) {
        expectClose(gradient * scale, try item.tensor("\(name).clipped"), "\(item.name).\(name)")
      }
    }
    #expect(clippingScale(norm: 1e9, maxNorm: nil) == 1)
  }

  @Test func updateReportsTheNormBeforeClipping() {
    let parameter = Parameter([2], .zeros)
    let optimizer = AdamW([("bias", parameter)], AdamW.Config())
    #expect(optimizer.update([Tensor([30, 40], [2])], learningRate: 0.1, scale: 0.5) == 25)
  }

  @Test func averagesEqualDiffusers() throws {
    for item in try Fixture("ema").cases where item.name.hasPrefix("plain") {
      let decay = try item.float("decay")
      let steps = try item.integers("steps")
      let decays = try item.tensor("decays").values
      for (step, expected) in zip(steps, decays) {
        let found = averageDecay(decay, updates: Int(step))
        #expect(abs(found - expected) < 1e-6, "\(item.name), update \(step)")
      }
      let (values, shadows) = (try item.tensor("values"), try item.tensor("shadows"))
      let average = Tensor(try item.tensor("initial").values, try item.tensor("initial").shape)
      let zeros = Tensor.zeros(average.shape)
      for index in 0..<values.shape[0] {
        var step = AdamWStep(learningRate: 0, index: index + 1)
        step.emaDecay = averageDecay(decay, updates: index + 1)
        _ = adamW(
          row(values, index), gradient: zeros, firstMoment: Tensor.zeros(average.shape),
          secondMoment: Tensor.zeros(average.shape), average: average, step)
        expectClose(average, row(shadows, index), "\(item.name) after update \(index + 1)")
      }
    }
  }

  @Test func averagesTakeThePlaceOfParametersForAWhile() throws {
    let parameter = Parameter([2, 1], .ones)
    let optimizer = AdamW([("weight", parameter)], AdamW.Config())
    for _ in 0..<5 { _ = optimizer.update([Tensor.ones([2, 1])], learningRate: 0.1) }
    let trained = parameter.value.values
    let averaged = optimizer.withAverages { parameter.value.values }
    #expect(averaged == optimizer.averages[0].values)
    #expect(averaged != trained)
    #expect(parameter.value.values == trained)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try optimizer.withAverages { throw Stop() } }
    #expect(parameter.value.values == trained)
    _ = optimizer.update([Tensor.ones([2, 1])], learningRate: 0.1)
    #expect(parameter.value.values != trained)
  }

  /// Row `index` of a stack of tensors, with memory of its own.
  private func row(_ stack: Tensor, _ index: Int) -> Tensor {
    let shape = Array(stack.shape.dropFirst())
    let size = shape.reduce(1, *)
    return Tensor(Array(stack.values[index * size..<(index + 1) * size]), shape)
  }
}
