import ComputeCore
import TestSupport
import Testing

@Suite struct SoftmaxTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("softmax").cases {
      try expectMatch(item, inputs: ["x"]) { softmax($0[0]) }
    }
  }

  @Test(arguments: [1, 7, 17, 33])
  func gradientMatchesFiniteDifferences(_ width: Int) {
    expectGradient(of: { softmax($0[0]) }, shapes: [[2, width]], seed: 3)
  }

  @Test func emptyInputsAndThreadsAreFine() {
    #expect(softmax(Tensor([], [0, 4])).shape == [0, 4])
    #expect(softmax(Tensor([], [4, 0])).shape == [4, 0])
    var generator = TorchGenerator(seed: 1)
    let x = Tensor.randn([700, 77], using: &generator)
    expectThreadIndependence { [softmax(x)] }
  }
}

@Suite struct GEGLUTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("geglu").cases {
      try expectMatch(item, inputs: ["x"]) { geglu($0[0]) }
    }
  }

  @Test func gradientMatchesFiniteDifferences() {
    expectGradient(of: { geglu($0[0]) }, shapes: [[3, 34]], seed: 3)
  }

  @Test func doesNotDependOnThreads() {
    var generator = TorchGenerator(seed: 1)
    let x = Tensor.randn([700, 66], using: &generator).asVariable()
    expectThreadIndependence {
      let y = geglu(x)
      return [y] + [gradients(of: y)[x]].compactMap { $0 }
    }
  }
}
