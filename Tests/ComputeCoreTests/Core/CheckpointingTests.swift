import ComputeCore
import TestSupport
import Testing

@Suite struct CheckpointingTests {
  private static func noise(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var generator = TorchGenerator(seed: seed)
    return Tensor.randn(shape, using: &generator)
  }

  @Test func gradientsAreThoseOfTheBlockItself() throws {
    let x = CheckpointingTests.noise([3, 4], 1).asVariable()
    let w = CheckpointingTests.noise([5, 4], 2).asVariable()
    func block(_ x: Tensor) -> Tensor { silu(linear(x, weight: w)) * linear(x, weight: w) }
    let plain = gradients(of: block(x * 2))
    let y = checkpointed([x * 2], using: [w]) { block($0[0]) }
    #expect(y.values == block(x * 2).values)
    let found = gradients(of: y)
    #expect(found[x]?.values == plain[x]?.values)
    #expect(found[w]?.values == plain[w]?.values)
    #expect(found[x] != nil && found[w] != nil)
  }

  @Test func anInputGivenTwiceGetsBothGradients() {
    let x = Tensor([2, 3], [2]).asVariable()
    let y = checkpointed([x, x], using: []) { $0[0] * $0[1] + $0[1] }
    #expect(gradients(of: y)[x]?.values == [5, 7])
    let z = checkpointed([x], using: [x]) { $0[0] * x }
    #expect(gradients(of: z)[x]?.values == [4, 6])
  }

  @Test func inputsThatAreNotRecordedStayOut() {
    let (x, constant) = (Tensor([2], [1]).asVariable(), Tensor([5], [1]))
    let y = checkpointed([constant, x], using: []) { $0[0] * $0[1] }
    let found = gradients(of: y)
    #expect(found[x]?.values == [5])
    #expect(found[constant] == nil)
    #expect(!checkpointed([constant], using: []) { $0[0] * 2 }.isRecorded)
  }

  @Test func inputsThatAreNotUsedGetNoGradient() {
    let (x, unused) = (Tensor([2], [1]).asVariable(), Tensor([5], [1]).asVariable())
    let found = gradients(of: checkpointed([x, unused], using: [unused]) { $0[0] * 3 })
    #expect(found[x]?.values == [3])
    #expect(found[unused] == nil)
  }

  /// Gradients by what `using` lists go on to what it was computed from.
  @Test func listedTensorsMayThemselvesBeComputed() {
    let (x, w) = (Tensor([2], [1]).asVariable(), Tensor([5], [1]).asVariable())
    let scaled = w * 3
    let y = checkpointed([x], using: [scaled]) { $0[0] * scaled } + scaled
    let found = gradients(of: y)
    #expect(found[x]?.values == [15])
    #expect(found[w]?.values == [9])
  }

  @Test func blocksNest() {
    let (x, w) = (Tensor([2], [1]).asVariable(), Tensor([5], [1]).asVariable())
    let y = checkpointed([x], using: [w]) { outer in
      checkpointed([outer[0] * 2], using: [w]) { $0[0] * $0[0] * w } * w
    }
    let found = gradients(of: y)
    #expect(found[x]?.values == [400])  // 4 x² w²
    #expect(found[w]?.values == [160])
  }

  @Test func variablesThatAreNotListedStop() async {
    await #expect(processExitsWith: .failure) {
      let (x, w) = (Tensor([2], [1]).asVariable(), Tensor([5], [1]).asVariable())
      _ = gradients(of: checkpointed([x], using: []) { $0[0] * w })
    }
  }

  @Test func nothingIsRecordedWithoutRecording() {
    let x = Tensor([2], [1]).asVariable()
    let y = Compute.withoutRecording { checkpointed([x], using: []) { $0[0] * $0[0] } }
    #expect(!y.isRecorded)
    #expect(y.values == [4])
  }
}
