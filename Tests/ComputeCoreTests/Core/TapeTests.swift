import ComputeCore
import Testing

@Suite struct TapeTests {
  @Test func gradientsOfATensorUsedTwiceAddUp() {
    let x = Tensor([2, -3], [2]).asVariable()
    #expect(gradients(of: x * x + x)[x]?.values == [5, -5])
    #expect(gradients(of: x * x * x)[x]?.values == [12, 27])
  }

  /// Every node of a ladder of diamonds is passed once, after all that was computed from it.
  @Test func diamondsArePassedOnce() {
    let x = Tensor([1], [1]).asVariable()
    var y = x
    for _ in 0..<20 { y = y + y * 1 }
    #expect(gradients(of: y)[x]?.values == [1_048_576])
  }

  @Test func branchesThatAreNotUsedGetNoGradient() {
    let x = Tensor([2], [1]).asVariable()
    let other = Tensor([3], [1]).asVariable()
    let trunk = x * 2
    let unused = trunk * other
    let found = gradients(of: x * 5)
    #expect(found[x]?.values == [5])
    #expect(found[other] == nil)
    #expect(gradients(of: unused)[x]?.values == [6])
  }

  @Test func theSeedWeightsTheResult() {
    let x = Tensor([1, 2, 3], [3]).asVariable()
    #expect(gradients(of: x * 2, seed: Tensor([1, 10, 100], [3]))[x]?.values == [2, 20, 200])
    #expect(gradients(of: x * 2)[x]?.values == [2, 2, 2])
  }

  @Test func aSeedOfAnotherShapeStops() async {
    await #expect(processExitsWith: .failure) {
      _ = gradients(of: Tensor.ones([3]).asVariable() * 2, seed: Tensor.ones([2]))
    }
  }

  @Test func aVariableIsItsOwnResult() {
    let x = Tensor([1, 2], [2]).asVariable()
    #expect(gradients(of: x)[x]?.values == [1, 1])
    #expect(gradients(of: x, seed: Tensor([3, 4], [2]))[x]?.values == [3, 4])
  }

  @Test func whatIsNotRecordedHasNoGradient() {
    let x = Tensor([1, 2], [2])
    #expect(gradients(of: x * 2)[x] == nil)
    let variable = x.asVariable()
    let y = Compute.withoutRecording { variable * 2 }
    #expect(!y.isRecorded)
    #expect(gradients(of: y)[variable] == nil)
    #expect(gradients(of: variable.detached() * 2 + variable)[variable]?.values == [1, 1])
  }

  @Test func aTapeRunsOnce() async {
    await #expect(processExitsWith: .failure) {
      let y = Tensor.ones([2]).asVariable() * 2
      _ = gradients(of: y)
      _ = gradients(of: y)
    }
    await #expect(processExitsWith: .failure) {
      let shared = Tensor.ones([2]).asVariable() * 2
      let (a, b) = (shared * 3, shared * 4)
      _ = gradients(of: a)
      _ = gradients(of: b)
    }
  }

  /// The variable of the first run is gone, so a new one may lie at its address.
  @Test func newVariablesDoNotInheritGradients() {
    func run() -> Gradients { gradients(of: Tensor([1], [1]).asVariable() * 2) }
    let found = run()
    let x = Tensor([1], [1])
    let variables = (0..<1_000).map { _ in x.asVariable() }
    #expect(variables.allSatisfy { found[$0] == nil })
  }

  @Test func longTapesCanBeRunAndReleased() async {
    await #expect(processExitsWith: .success) {
      func chain() -> Tensor {
        var y = Tensor([1], [1]).asVariable()
        for _ in 0..<200_000 { y = y + 1 }
        return y
      }
      _ = gradients(of: chain())
      _ = chain()
    }
  }
}
