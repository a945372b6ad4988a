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

  /// Rows, inputs, and half the outputs: below and above a panel, and more than is computed together.
  @Test(
    arguments: [[1, 3, 5], [7, 33, 32], [300, 40, 96], [530, 40, 1_280], [65, 2_000, 64]],
    MatmulPrecision.allCases)
  func productAndGateAreThoseOfTheTwoSteps(_ sizes: [Int], _ precision: MatmulPrecision) throws {
    let x = Noise.tensor([1, sizes[0], sizes[1]], seed: 1)
    let weight = Noise.tensor([2 * sizes[2], sizes[1]], seed: 2)
    let bias = Noise.tensor([2 * sizes[2]], seed: 3)
    for bias in [bias, nil] {
      let results = [1, 2].map { threads in
        Compute.with {
          $0.precision = precision
          $0.threads = threads
        } _: {
          linearGEGLU(x, weight: weight, bias: bias)
        }
      }
      let expected = Compute.with {
        $0.precision = precision
      } _: {
        geglu(linear(x, weight: weight, bias: bias, output: Compute.factorType))
      }
      for result in results {
        #expect(result.shape == expected.shape && result.dtype == expected.dtype)
        #expect(result.values == expected.values)
      }
    }
    let variable = x.asVariable()
    let y = linearGEGLU(variable, weight: weight, bias: bias)
    let expected = gradients(of: geglu(linear(variable, weight: weight, bias: bias)))
    #expect(try #require(gradients(of: y)[variable]).values == #require(expected[variable]).values)
  }
}
