import ComputeCore
import TestSupport
import Testing

/// Operations that take or give `bfloat16` tensors, against the same in `float32`.
@Suite struct BFloat16Tests {
  /// Random numbers that `bfloat16` holds exactly.
  private func numbers(_ shape: Shape, seed: UInt64) -> Tensor {
    Noise.tensor(shape, seed: seed).cast(to: .bfloat16)
  }

  private func doubles(_ x: Tensor) -> [Double] { x.values.map(Double.init) }

  @Test(arguments: [[1, 2], [3, 34], [5, 2 * 300], [2, 7, 2 * 17]])
  func gegluAgreesWithFloat32(_ shape: Shape) throws {
    let x = numbers(shape, seed: 1).asVariable()
    let wide = x.cast(to: .float32).detached().asVariable()
    let (y, expected) = (geglu(x), geglu(wide))
    #expect(y.dtype == .bfloat16)
    expectClose(y, doubles(expected), tolerance: 4e-3, "y")
    let dy = numbers(expected.shape, seed: 2)
    let dx = try #require(gradients(of: y, seed: dy)[x])
    let expectedGradient = gradients(of: expected, seed: dy.cast(to: .float32))[wide]
    #expect(dx.dtype == .bfloat16)
    expectClose(dx, doubles(try #require(expectedGradient)), tolerance: 4e-3, "dx")
  }

  @Test(arguments: [[1, 5], [3, 40], [70, 300]])
  func layerNormRoundsItsResult(_ shape: Shape) throws {
    let x = Noise.tensor(shape, seed: 1).asVariable()
    let (weight, bias) = (Noise.tensor([shape[1]], seed: 2), Noise.tensor([shape[1]], seed: 3))
    let y = layerNorm(x, weight: weight, bias: bias, output: .bfloat16)
    let exact = layerNorm(x, weight: weight, bias: bias)
    #expect(y.dtype == .bfloat16)
    expectClose(y, doubles(exact), tolerance: 4e-3, "y")
    let dy = numbers(shape, seed: 4)
    let dx = try #require(gradients(of: y, seed: dy)[x])
    let expected = try #require(gradients(of: exact, seed: dy.cast(to: .float32))[x])
    #expect(dx.dtype == .float32)
    #expect(dx.values == expected.values)
  }

  /// Rows, inputs and outputs; odd ones, more rows than a portion has.
  static let sizes = [
    [1, 1, 1], [7, 17, 31], [33, 77, 40], [5, 8, 3], [1_030, 36, 24], [2_100, 5, 9],
    [64, 320, 130],
  ]

  @Test(arguments: sizes, MatmulPrecision.allCases)
  func linearTakesAndGivesEitherType(_ size: [Int], _ precision: MatmulPrecision) throws {
    let (rows, inputs, outputs) = (size[0], size[1], size[2])
    let x = numbers([rows, inputs], seed: 1).asVariable()
    let wide = x.cast(to: .float32).detached().asVariable()
    let weight = Noise.tensor([outputs, inputs], seed: 2).asVariable()
    let bias = Noise.tensor([outputs], seed: 3).asVariable()
    let dy = numbers([rows, outputs], seed: 4)
    let narrow = try Compute.with {
      $0.precision = precision
    } _: {
      let y = linear(x, weight: weight, bias: bias, output: .bfloat16)
      let found = gradients(of: y, seed: dy)
      return (y, try #require(found[x]), try #require(found[weight]), try #require(found[bias]))
    }
    let exact = linear(wide, weight: weight, bias: bias)
    let expected = gradients(of: exact, seed: dy.cast(to: .float32))
    #expect(narrow.0.dtype == .bfloat16 && narrow.1.dtype == .bfloat16)
    #expect(narrow.2.dtype == .float32 && narrow.3.dtype == .float32)
    expectClose(narrow.0, doubles(exact), tolerance: 1.5e-2, "y")
    expectClose(narrow.1, doubles(try #require(expected[wide])), tolerance: 1.5e-2, "dx")
    expectClose(narrow.2, doubles(try #require(expected[weight])), tolerance: 1.5e-2, "dw")
    expectClose(narrow.3, doubles(try #require(expected[bias])), tolerance: 1e-5, "db")
  }

  @Test func gradientsOfBothTypesAddUp() throws {
    let x = numbers([40, 3], seed: 1).asVariable()
    let wide = x.cast(to: .float32)
    let y = wide * 2 + wide * wide.detached() + x.cast(to: .float32)
    let dx = try #require(gradients(of: y)[x])
    expectClose(dx, x.values.map { 3 + Double($0) }, tolerance: 4e-3, "dx")
  }

  @Test(arguments: [NormActivation.none, .silu])
  func groupNormRoundsItsResult(_ activation: NormActivation) throws {
    let x = Noise.tensor([2, 5, 3, 300], seed: 1).asVariable()
    let (weight, bias) = (Noise.tensor([300], seed: 2), Noise.tensor([300], seed: 3))
    func norm(_ output: DType) -> Tensor {
      groupNorm(
        x, groups: 6, weight: weight, bias: bias, eps: 1e-5, activation: activation,
        output: output)
    }
    let (y, exact) = (norm(.bfloat16), norm(.float32))
    #expect(y.dtype == .bfloat16)
    expectClose(y, doubles(exact), tolerance: 4e-3, "y")
    let dy = numbers(x.shape, seed: 4)
    let dx = try #require(gradients(of: y, seed: dy)[x])
    let expected = try #require(gradients(of: exact, seed: dy.cast(to: .float32))[x])
    #expect(dx.dtype == .float32)
    #expect(dx.values == expected.values)
  }

  /// Numbers that come in 16 bits give the same as when they are widened first; the gradient by them
  /// is rounded.
  @Test(arguments: [NormActivation.none, .silu], [[2, 5, 3, 300], [9, 4, 4, 24]])
  func groupNormTakesEitherType(_ activation: NormActivation, _ shape: Shape) throws {
    let c = shape[3]
    let x = numbers(shape, seed: 1).asVariable()
    let wide = x.cast(to: .float32).detached().asVariable()
    let weight = Noise.tensor([c], seed: 2).asVariable()
    let bias = Noise.tensor([c], seed: 3).asVariable()
    func norm(_ x: Tensor) -> Tensor {
      groupNorm(x, groups: 6, weight: weight, bias: bias, eps: 1e-5, activation: activation)
    }
    let (y, expectedY, dy) = (norm(x), norm(wide), Noise.tensor(shape, seed: 4))
    #expect(y.values == expectedY.values)
    let (found, expected) = (gradients(of: y, seed: dy), gradients(of: expectedY, seed: dy))
    let dx = try #require(found[x])
    #expect(dx.dtype == .bfloat16)
    let widened = try #require(expected[wide]).cast(to: .bfloat16)
    #expect(dx.values == widened.values)
    #expect(found[weight]?.values == expected[weight]?.values)
    #expect(found[bias]?.values == expected[bias]?.values)
  }

  /// A frozen weight's gradient by the input is made from what the forward product read.
  @Test(arguments: convolutions + [[1, 16, 16, 40, 72, 3], [2, 5, 6, 33, 70, 1]], [1, 2])
  func gradientsPassFrozenWeightsAsTheyPassOthers(_ size: [Int], _ stride: Int) throws {
    let (inputs, outputs, kernel) = (size[3], size[4], size[5])
    let weight = Noise.tensor([outputs, kernel, kernel, inputs], seed: 2)
    func gradient(_ weight: Tensor) throws -> Tensor {
      try Compute.with {
        $0.precision = .bfloat16
      } _: {
        let x = Noise.tensor(Array(size[0..<4]), seed: 1).asVariable()
        let y = conv2d(x, weight: weight, stride: stride, padding: Padding(kernel / 2))
        return try #require(gradients(of: y, seed: Noise.tensor(y.shape, seed: 3))[x])
      }
    }
    let (frozen, other) = (try gradient(weight), try gradient(weight.asVariable()))
    // Winograd's sums of three taps may be added in another order before they are rounded.
    expectClose(frozen, doubles(other), tolerance: 2e-4, "dx")
  }

  /// Where "high" has no faster way, which is when weights are being learnt, it is `float32`.
  @Test func highPrecisionIsFloat32ForLearntWeights() {
    let x = Noise.tensor([9, 40], seed: 1)
    let weight = Noise.tensor([7, 40], seed: 2).asVariable()
    func product(_ precision: MatmulPrecision) -> [Float] {
      Compute.with({ $0.precision = precision }, { linear(x, weight: weight).values })
    }
    #expect(product(.high) == product(.float32))
    #expect(MatmulPrecision(rawValue: "high")?.inEffect == .float32)
  }

  /// A bias of its own for every picture is what is added to its pixels afterwards.
  @Test(arguments: convolutions, MatmulPrecision.allCases)
  func biasesMayDifferFromPictureToPicture(_ size: [Int], _ precision: MatmulPrecision) throws {
    let (n, inputs, outputs, kernel) = (size[0], size[3], size[4], size[5])
    let x = Noise.tensor(Array(size[0..<4]), seed: 1)
    let weight = Noise.tensor([outputs, kernel, kernel, inputs], seed: 2)
    let bias = Noise.tensor([n, outputs], seed: 3).asVariable()
    try Compute.with {
      $0.precision = precision
    } _: {
      let padding = Padding(kernel / 2)
      let plain = conv2d(x, weight: weight, padding: padding) + bias.unsqueezed(1, 2)
      for output in [DType.float32, .bfloat16] {
        let y = conv2d(x, weight: weight, bias: bias, padding: padding, output: output)
        #expect(y.dtype == output)
        // "high" may compute one of them from split factors.
        let tolerance = output == .bfloat16 ? 4e-3 : precision == .high ? 8e-6 : 1e-6
        expectClose(y, doubles(plain), tolerance: tolerance, "y")
        let dy = Noise.tensor(y.shape, seed: 4).cast(to: output)
        let found = try #require(gradients(of: y, seed: dy)[bias])
        let expected = dy.cast(to: .float32).sum(axes: [1, 2])
        expectClose(found, doubles(expected), tolerance: 1e-5, "gradient by the bias")
      }
    }
  }

  /// Something added in the pass of the product is what is added afterwards.
  @Test(arguments: [1, 3], MatmulPrecision.allCases)
  func residualsAreAdded(_ kernel: Int, _ precision: MatmulPrecision) throws {
    let x = Noise.tensor([2, 9, 8, 20], seed: 1)
    let weight = Noise.tensor([37, kernel, kernel, 20], seed: 2)
    let bias = Noise.tensor([37], seed: 3)
    let residual = Noise.tensor([2, 9, 8, 37], seed: 4).asVariable()
    for isStrided in [false, true] {
      try Compute.with {
        $0.precision = precision
      } _: {
        let stride = isStrided ? 2 : 1
        let padding = Padding(kernel / 2)
        let plain = conv2d(x, weight: weight, bias: bias, stride: stride, padding: padding)
        // Sliced anew for each use, because a tape can be run once.
        func part() -> Tensor {
          residual.sliced(axis: 1, 0..<plain.shape[1]).sliced(axis: 2, 0..<plain.shape[2])
        }
        let y = conv2d(
          x, weight: weight, bias: bias, stride: stride, padding: padding, adding: part())
        expectClose(y, doubles(plain + part()), tolerance: 1e-6, "y")
        let narrow = conv2d(
          x, weight: weight, bias: bias, stride: stride, padding: padding, adding: part(),
          output: .bfloat16)
        expectClose(narrow, doubles(y), tolerance: 4e-3, "rounded y")
        let dy = Noise.tensor(y.shape, seed: 5)
        let found = try #require(gradients(of: y, seed: dy)[residual])
        let expected = try #require(gradients(of: plain + part(), seed: dy)[residual])
        #expect(found.values == expected.values)
      }
    }
  }

  static let convolutions = [
    [4, 6, 5, 16, 16, 3], [1, 4, 4, 3, 5, 1], [2, 9, 9, 20, 17, 3], [2, 16, 17, 23, 33, 3],
  ]

  @Test(arguments: convolutions, MatmulPrecision.allCases)
  func convolutionsTakeAndGiveEitherType(_ size: [Int], _ precision: MatmulPrecision) throws {
    let (inputs, outputs, kernel) = (size[3], size[4], size[5])
    let x = numbers(Array(size[0..<4]), seed: 1).asVariable()
    let wide = x.cast(to: .float32).detached().asVariable()
    let weight = Noise.tensor([outputs, kernel, kernel, inputs], seed: 2).asVariable()
    let padding = Padding(kernel / 2)
    let exact = conv2d(wide, weight: weight, padding: padding)
    let dy = numbers(exact.shape, seed: 3)
    let expected = gradients(of: exact, seed: dy.cast(to: .float32))
    let (y, found) = Compute.with {
      $0.precision = precision
    } _: {
      let y = conv2d(x, weight: weight, padding: padding, output: .bfloat16)
      return (y, gradients(of: y, seed: dy))
    }
    #expect(y.dtype == .bfloat16)
    let tolerance = precision == .bfloat16 ? 1.5e-2 : 4e-3
    expectClose(y, doubles(exact), tolerance: tolerance, "y")
    expectClose(
      try #require(found[x]), doubles(try #require(expected[wide])), tolerance: tolerance, "dx")
    expectClose(
      try #require(found[weight]), doubles(try #require(expected[weight])), tolerance: tolerance,
      "dw")
  }
}
