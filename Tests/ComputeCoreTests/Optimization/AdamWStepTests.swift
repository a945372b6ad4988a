import ComputeCore
import Foundation
import TestSupport
import Testing

@Suite struct AdamWStepTests {
  /// Three updates against algorithm 2 of Loshchilov & Hutter in 64 bits.
  @Test(arguments: [1, 17, 70_001])
  func followsThePaper(_ count: Int) {
    var generator = TorchGenerator(seed: 1)
    var x = Tensor.randn([count], using: &generator)
    let (m, v) = (Tensor.zeros([count]), Tensor.zeros([count]))
    let average = Tensor(x.values, [count])
    var (ex, ea) = (x.values.map(Double.init), x.values.map(Double.init))
    var (em, ev) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for index in 1...3 {
      let gradient = Tensor.randn([count], using: &generator)
      var step = AdamWStep(learningRate: 1e-2, index: index)
      (step.weightDecay, step.gradientScale, step.emaDecay) = (0.1, 0.5, 0.9)
      x = adamW(x, gradient: gradient, firstMoment: m, secondMoment: v, average: average, step)
      for (i, g) in gradient.values.enumerated() {
        let g = Double(g) * 0.5
        em[i] = 0.9 * em[i] + 0.1 * g
        ev[i] = 0.999 * ev[i] + 0.001 * g * g
        let mean = em[i] / (1 - pow(0.9, Double(index)))
        let root = (ev[i] / (1 - pow(0.999, Double(index)))).squareRoot()
        ex[i] -= 1e-2 * 0.1 * ex[i] + 1e-2 * mean / (root + 1e-8)
        ea[i] = 0.9 * ea[i] + 0.1 * ex[i]
      }
    }
    expectClose(x, ex, tolerance: 2e-6, "parameter")
    expectClose(m, em, tolerance: 2e-6, "first moment")
    expectClose(v, ev, tolerance: 2e-5, floor: 1e-3, "second moment")
    expectClose(average, ea, tolerance: 2e-6, "average")
  }

  @Test func shapesMustAgree() async {
    await #expect(processExitsWith: .failure) {
      let x = Tensor.ones([4])
      _ = adamW(
        x, gradient: x, firstMoment: Tensor.zeros([4]), secondMoment: Tensor.zeros([2]),
        average: nil, AdamWStep(learningRate: 1, index: 1))
    }
    await #expect(processExitsWith: .failure) {
      let x = Tensor.ones([4])
      _ = adamW(
        x, gradient: x, firstMoment: Tensor.zeros([4]), secondMoment: Tensor.zeros([4]),
        average: nil, AdamWStep(learningRate: 1, index: 0))
    }
  }

  @Test func normIsOfAllNumbersTogether() {
    var generator = TorchGenerator(seed: 2)
    let tensors = [[3], [0], [70_000], [2, 5]].map { Tensor.randn($0, using: &generator) }
    let expected = tensors.flatMap(\.values).reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(Double(globalNorm(tensors)) - expected.squareRoot()) < 1e-4)
    #expect(globalNorm([]) == 0)
    #expect(globalNorm([Tensor([.infinity], [1])]) == .infinity)
    #expect(globalNorm([Tensor([.nan, 1], [2])]).isNaN)
    expectThreadIndependence { [Tensor(globalNorm(tensors))] }
  }
}
