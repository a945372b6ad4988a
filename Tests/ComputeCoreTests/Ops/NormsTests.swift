import ComputeCore
import TestSupport
import Testing

@Suite struct NormsTests {
  @Test func groupNormMatchesTorch() throws {
    for item in try Fixture("group_norm").cases {
      let eps = try item.float("eps")
      // In groups of two numbers the terms of the gradient, about rstd large, cancel to almost 0.
      let floor = item.name == "single_pixel" ? 100.0 : 1
      try expectMatch(item, inputs: ["x", "weight", "bias"], tolerance: 1e-5, floor: floor) {
        groupNorm($0[0], groups: item.int("groups"), weight: $0[1], bias: $0[2], eps: eps)
      }
    }
  }

  /// Shapes that are done item by item, piece by piece, and in several pieces of several items.
  @Test(arguments: [
    [9, 5, 7, 8], [1, 40, 40, 96], [3, 33, 33, 64], [2, 1, 1, 4], [10, 1_500, 64],
  ])
  func fusedSiluEqualsSiluAfterwards(_ shape: Shape) {
    var generator = TorchGenerator(seed: 4)
    let channels = [shape[shape.count - 1]]
    let x = Tensor.randn(shape, using: &generator).asVariable()
    let weight = Tensor.randn(channels, using: &generator).asVariable()
    let bias = Tensor.randn(channels, using: &generator).asVariable()
    let dy = Tensor.randn(shape, using: &generator)
    let fused = groupNorm(x, groups: 4, weight: weight, bias: bias, eps: 1e-5, activation: .silu)
    let apart = silu(groupNorm(x, groups: 4, weight: weight, bias: bias, eps: 1e-5))
    expectClose(fused, apart)
    let (found, expected) = (gradients(of: fused, seed: dy), gradients(of: apart, seed: dy))
    for variable in [x, weight, bias] {
      guard let a = found[variable], let b = expected[variable] else {
        Issue.record("a gradient is missing")
        continue
      }
      expectClose(a, b, tolerance: 5e-6)
    }
    expectThreadIndependence {
      let y = groupNorm(x, groups: 2, weight: weight, bias: bias, eps: 1e-5, activation: .silu)
      let slopes = gradients(of: y, seed: dy)
      return [y] + [x, weight, bias].compactMap { slopes[$0] }
    }
  }

  @Test func groupNormOfManyPiecesMatchesFloat64() {
    var generator = TorchGenerator(seed: 6)
    let x = Tensor.randn([2, 3_000, 48], using: &generator) * 0.5 + 20
    let y = groupNorm(x, groups: 3, weight: .ones([48]), bias: .zeros([48]), eps: 1e-6)
    let values = x.values.map(Double.init)
    var expected = values
    for item in 0..<2 {
      for group in 0..<3 {
        let indices = (0..<3_000).flatMap { row in
          (0..<16).map { (item * 3_000 + row) * 48 + group * 16 + $0 }
        }
        let mean = indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
        let variance =
          indices.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) }
          / Double(indices.count)
        for index in indices {
          expected[index] = (values[index] - mean) / (variance + 1e-6).squareRoot()
        }
      }
    }
    expectClose(y, expected, tolerance: 5e-6)
  }

  @Test(arguments: [NormActivation.none, .silu])
  func groupNormGradientMatchesFiniteDifferences(_ activation: NormActivation) {
    expectGradient(
      of: {
        groupNorm($0[0], groups: 2, weight: $0[1], bias: $0[2], eps: 1e-3, activation: activation)
      }, shapes: [[2, 3, 2, 6], [6], [6]], seed: 1)
  }

  @Test func layerNormMatchesTorch() throws {
    for item in try Fixture("layer_norm").cases {
      let eps = try item.float("eps")
      try expectMatch(item, inputs: ["x", "weight", "bias"], tolerance: 1e-5, floor: 1) {
        layerNorm($0[0], weight: $0[1], bias: $0[2], eps: eps)
      }
    }
  }

  @Test(arguments: [3, 7, 17, 33])
  func layerNormGradientMatchesFiniteDifferences(_ width: Int) {
    expectGradient(
      of: { layerNorm($0[0], weight: $0[1], bias: $0[2], eps: 1e-3) },
      shapes: [[3, width], [width], [width]], seed: 2)
  }

  @Test func layerNormDoesNotDependOnThreads() {
    var generator = TorchGenerator(seed: 8)
    let x = Tensor.randn([2_000, 129], using: &generator).asVariable()
    let weight = Tensor.randn([129], using: &generator).asVariable()
    let bias = Tensor.randn([129], using: &generator).asVariable()
    expectThreadIndependence {
      let y = layerNorm(x, weight: weight, bias: bias)
      let slopes = gradients(of: y, seed: y.detached())
      return [y] + [x, weight, bias].compactMap { slopes[$0] }
    }
  }

  @Test func batchNormMatchesTorch() throws {
    for item in try Fixture("batch_norm").cases {
      let eps = try item.float("eps")
      let isTraining: Bool = try item.parameter("training")
      let mean = try item.tensor("running_mean")
      let variance = try item.tensor("running_var")
      try expectMatch(item, inputs: ["x", "weight", "bias"], tolerance: 1e-5, floor: 1) {
        guard isTraining else {
          return batchNorm(
            $0[0], weight: $0[1], bias: $0[2], mean: mean, variance: variance, eps: eps)
        }
        let result = batchNormTraining($0[0], weight: $0[1], bias: $0[2], eps: eps)
        let rows = Float($0[0].count / mean.count)
        expectClose(mean * 0.9 + result.mean * 0.1, try item.tensor("running_mean_after"))
        expectClose(
          variance * 0.9 + result.variance * (0.1 * rows / (rows - 1)),
          try item.tensor("running_var_after"))
        return result.y
      }
    }
  }

  @Test func batchNormGradientMatchesFiniteDifferences() {
    let shapes = [[3, 2, 2, 5], [5], [5]]
    expectGradient(
      of: { batchNormTraining($0[0], weight: $0[1], bias: $0[2], eps: 1e-3).y }, shapes: shapes)
    let statistics = Tensor([0.5, 1, 2, 0.1, 3], [5])
    expectGradient(
      of: {
        batchNorm($0[0], weight: $0[1], bias: $0[2], mean: statistics, variance: statistics)
      }, shapes: shapes)
  }

  @Test func onlyWantedGradientsAreComputed() {
    let x = Tensor.ones([9, 2, 2, 4]).asVariable()
    let (weight, bias) = (Tensor.ones([4]), Tensor.zeros([4]))
    let y = groupNorm(x, groups: 2, weight: weight, bias: bias, eps: 1e-5)
    #expect(gradients(of: y)[x] != nil)
    let scale = weight.asVariable()
    let z = groupNorm(x.detached(), groups: 2, weight: scale, bias: bias, eps: 1e-5)
    #expect(gradients(of: z)[scale]?.shape == [4])
    let u = layerNorm(x.detached(), weight: scale, bias: bias)
    #expect(gradients(of: u)[scale]?.shape == [4])
  }
}
