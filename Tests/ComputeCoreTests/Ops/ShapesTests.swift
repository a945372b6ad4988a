import ComputeCore
import TestSupport
import Testing

@Suite struct ShapesTests {
  /// The numbers 0, 1, 2, … in a shape: every element tells where it came from.
  private func counting(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map(Float.init), shape)
  }

  @Test(arguments: [
    ([0, 1, 2, 3], [2, 3, 4, 5]), ([3, 2, 1, 0], [2, 3, 4, 5]), ([0, 3, 1, 2], [2, 17, 33, 7]),
    ([0, 2, 3, 1], [3, 7, 65, 66]), ([1, 0], [130, 257]), ([1, 0], [1, 5]),
    ([2, 0, 1], [5, 1, 7]),
    ([0, 2, 1, 3], [2, 9, 8, 40]), ([0], [4]), ([1, 0], [0, 3]), ([1, 0, 3, 2], [3, 5, 70, 80]),
  ])
  func transposedMovesEveryElement(_ permutation: [Int], _ shape: Shape) {
    let x = counting(shape).asVariable()
    let y = x.transposed(permutation)
    #expect(y.shape == permutation.map { shape[$0] })
    let strides = shape.indices.map { axis in shape[(axis + 1)...].reduce(1, *) }
    var expected: [Float] = []
    for index in 0..<y.count {
      var (rest, source) = (index, 0)
      for axis in y.shape.indices.reversed() {
        source += rest % y.shape[axis] * strides[permutation[axis]]
        rest /= y.shape[axis]
      }
      expected.append(Float(source))
    }
    #expect(y.values == expected)
    #expect(gradients(of: y, seed: y.detached())[x]?.values == x.values)
    expectThreadIndependence { [x.transposed(permutation)] }
  }

  @Test func axesOfSizeOneComeAndGo() {
    let x = counting([2, 3])
    #expect(x.unsqueezed(1, 2).shape == [2, 1, 1, 3])
    #expect(x.unsqueezed(0, -1).shape == [1, 2, 3, 1])
    #expect(x.unsqueezed(-1).squeezed(-1).shape == [2, 3])
    #expect(x.unsqueezed(0, 2).squeezed(0, 2).values == x.values)
  }

  @Test func concatenationMatchesTorch() throws {
    for item in try Fixture("concat").cases {
      let keys = (0..<item.int("count")).map { "x\($0)" }
      try expectMatch(item, inputs: keys, tolerance: 0) {
        concatenated($0, axis: item.int("axis"))
      }
    }
  }

  @Test(arguments: [0, 1, 2, -1])
  func splitUndoesConcatenation(_ axis: Int) {
    let sizes = [1, 4, 0, 33]
    let parts = sizes.map { size -> Tensor in
      var shape = [3, 5, 7]
      shape[axis < 0 ? axis + 3 : axis] = size
      return counting(shape) + Float(size)
    }
    let variables = parts.map { $0.asVariable() }
    let whole = concatenated(variables, axis: axis)
    let back = whole.split(axis: axis, sizes: sizes)
    for (part, found) in zip(parts, back) {
      #expect(part.shape == found.shape)
      #expect(part.values == found.values)
    }
    let found = gradients(of: back[1] + 0, seed: back[1].detached())
    #expect(found[variables[1]]?.values == parts[1].values)
    #expect(found[variables[3]]?.values.allSatisfy { $0 == 0 } == true)
    expectThreadIndependence { [concatenated(parts, axis: axis)] }
  }

  @Test func largeConcatenationKeepsRows() {
    let (a, b) = (counting([8_192, 17]), -counting([8_192, 33]))
    let y = concatenated([a, b]).values
    #expect(y[50 * 4_000 + 16] == Float(17 * 4_000 + 16))
    #expect(y[50 * 8_191 + 17] == -Float(33 * 8_191))
    #expect(concatenated([a, b]).sliced(axis: -1, 17..<50).values == b.values)
  }

  @Test func paddingPutsZerosAround() {
    let x = counting([1, 2, 2, 1]).asVariable()
    let y = x.padded([(0, 0), (1, 0), (0, 2), (0, 0)])
    #expect(y.shape == [1, 3, 4, 1])
    #expect(y.values == [0, 0, 0, 0, 0, 1, 0, 0, 2, 3, 0, 0])
    #expect(gradients(of: y, seed: counting(y.shape))[x]?.values == [4, 5, 8, 9])
    #expect(x.padded([(0, 0), (0, 0), (0, 0), (1, 2)]).sliced(axis: 3, 1..<2).values == x.values)
  }

  @Test func slicedGradientIsZeroElsewhere() {
    let x = counting([2, 5, 3]).asVariable()
    let y = x.sliced(axis: 1, 1..<3)
    #expect(y.values == [3, 4, 5, 6, 7, 8, 18, 19, 20, 21, 22, 23])
    let slope = gradients(of: y)[x]?.values
    #expect(slope == x.values.map { (3..<9).contains(Int($0) % 15) ? 1 : 0 })
    #expect(x.sliced(axis: 0, 1..<1).shape == [0, 5, 3])
  }

  @Test func blocksMatchTorch() throws {
    for item in try Fixture("space_to_depth").cases {
      try expectMatch(item, inputs: ["x"], tolerance: 0) {
        spaceToDepth($0[0], block: item.int("factor"))
      }
    }
    for item in try Fixture("depth_to_space").cases {
      try expectMatch(item, inputs: ["x"], tolerance: 0) {
        depthToSpace($0[0], block: item.int("factor"))
      }
    }
  }

  @Test func nearestUpsamplingMatchesTorch() throws {
    for item in try Fixture("upsample_nearest").cases {
      try expectMatch(item, inputs: ["x"]) {
        upsampledNearest($0[0], height: item.int("height"), width: item.int("width"))
      }
      let scale = item.int("scale")
      if scale > 0 {
        try expectMatch(item, inputs: ["x"]) { upsampledNearest($0[0], scale: scale) }
      }
    }
    expectGradient(
      of: { upsampledNearest($0[0], height: 7, width: 3) }, shapes: [[2, 3, 4, 3]])
    let x = counting([2, 40, 40, 9]).asVariable()
    expectThreadIndependence {
      let y = upsampledNearest(x, scale: 2)
      return [y] + [gradients(of: y, seed: y.detached())[x]].compactMap { $0 }
    }
  }
}
