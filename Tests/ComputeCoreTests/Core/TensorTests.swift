import ComputeCore
import Testing

@Suite struct TensorTests {
  @Test func reshapingWorksOutOneSize() {
    let x = Tensor((0..<12).map(Float.init), [3, 4])
    #expect(x.reshaped([2, -1]).shape == [2, 6])
    #expect(x.reshaped([-1]).shape == [12])
    #expect(x.reshaped([2, -1, 3]).values == x.values)
    #expect(Tensor.zeros([0, 5]).reshaped([-1, 5]).shape == [0, 5])
    #expect(Tensor.zeros([0, 5]).reshaped([7, 0, -1]).shape == [7, 0, 0])
    #expect(Tensor(3).reshaped([1, -1]).item == 3)
  }

  @Test func reshapingToAnotherCountStops() async {
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([7]).reshaped([2, -1]) }
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([6]).reshaped([-2, -3]) }
  }

  @Test func reshapingPassesGradients() {
    let x = Tensor([1, 2, 3, 4, 5, 6], [2, 3]).asVariable()
    let y = x.reshaped([3, 2])
    #expect(y.isRecorded)
    let dx = gradients(of: y, seed: Tensor([6, 5, 4, 3, 2, 1], [3, 2]))[x]
    #expect(dx?.shape == [2, 3])
    #expect(dx?.values == [6, 5, 4, 3, 2, 1])
  }

  /// IEEE 754 round to nearest even at 8 bits of mantissa, and what is not a number.
  @Test func bfloat16RoundsToNearestEven() {
    let cases: [(UInt32, UInt32)] = [
      (0x3F80_0000, 0x3F80_0000),  // 1
      (0x3F80_7FFF, 0x3F80_0000), (0x3F80_8000, 0x3F80_0000),  // half way: to even, down
      (0x3F80_8001, 0x3F81_0000), (0x3F81_8000, 0x3F82_0000),  // half way: to even, up
      (0xBF81_8000, 0xBF82_0000), (0x3FFF_FFFF, 0x4000_0000),  // into the next exponent
      (0x7F7F_FFFF, 0x7F80_0000), (0xFF7F_FFFF, 0xFF80_0000),  // the largest becomes infinite
      (0x7F80_0000, 0x7F80_0000), (0xFF80_0000, 0xFF80_0000),  // infinities
      (0x0000_0000, 0x0000_0000), (0x8000_0000, 0x8000_0000),  // zeros
      (0x0000_8001, 0x0001_0000), (0x0000_8000, 0x0000_0000),  // subnormal
    ]
    // Repeated so that whole vectors and the numbers left over are both seen.
    let many = (0..<10).flatMap { _ in cases }
    let x = Tensor(many.map { Float(bitPattern: $0.0) }, [many.count])
    let y = x.cast(to: .bfloat16)
    #expect(y.dtype == .bfloat16)
    #expect(y.values.map(\.bitPattern) == many.map(\.1))
    let notNumbers: [UInt32] = [0x7FC0_0000, 0x7F80_0001, 0x7FFF_FFFF, 0xFF80_0001, 0xFFFF_FFFF]
    let z = Tensor(notNumbers.map { Float(bitPattern: $0) }, [5]).cast(to: .bfloat16)
    #expect(z.values.allSatisfy { $0.isNaN })
  }

  @Test func bfloat16KeepsGradientsAndSingleNumbers() {
    let x = Tensor([1.5, -2], [2]).asVariable()
    let y = x.cast(to: .bfloat16).cast(to: .float32) * 3
    #expect(gradients(of: y)[x]?.values == [3, 3])
    #expect(Tensor(0.25).cast(to: .bfloat16).item == 0.25)
    #expect(x.cast(to: .float32).values == [1.5, -2])
  }
}
