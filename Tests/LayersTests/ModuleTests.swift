import ComputeCore
import Layers
import Testing

@Suite struct ModuleTests {
  private final class Leaf: Module {
    let weight = Parameter([2, 3], .zeros)
    let runningMean = Parameter([4], .zeros, role: .buffer)
  }

  private final class Tree: Module {
    let convIn = Leaf()
    let downBlocks = [Leaf(), Leaf()]
    let noBlocks: [Leaf] = []
    let linear1: Leaf? = Leaf()
    let absent: Leaf? = nil
    let toOut = Leaf()
    let count = 3
    let names = ["a"]
    static let keyOverrides = ["toOut": "to_out.0", "linear1": "linear_1"]
  }

  private final class Doubling: LinearAdapter {
    let scale = Parameter([1], .ones)
    var parameters: [Parameter] { [scale] }

    func callAsFunction(_ x: Tensor) -> Tensor { x * scale.value }
  }

  @Test func keysAreTheCheckpoints() {
    #expect(
      Tree().namedParameters().map(\.key) == [
        "conv_in.weight", "conv_in.running_mean", "down_blocks.0.weight",
        "down_blocks.0.running_mean", "down_blocks.1.weight", "down_blocks.1.running_mean",
        "linear_1.weight", "linear_1.running_mean", "to_out.0.weight", "to_out.0.running_mean",
      ])
  }

  @Test func modulesHavePaths() {
    #expect(
      Tree().namedModules().map(\.path)
        == ["", "conv_in", "down_blocks.0", "down_blocks.1", "linear_1", "to_out.0"])
  }

  @Test func buffersAreNotCountedNorTrained() {
    let tree = Tree()
    #expect(tree.parameterCount == 5 * 6)
    #expect(tree.trainableParameters().count == 5)
    tree.freeze()
    #expect(tree.trainableParameters().isEmpty)
    tree.unfreeze()
    #expect(tree.trainableParameters().count == 5)
  }

  @Test func adaptersAddToTheOutputAndAreTrainedAlone() {
    let linear = Linear(2, 2)
    linear.weight.value = Tensor([1, 2, 3, 4], [2, 2])
    linear.bias?.value = Tensor([10, 20], [2])
    linear.freeze()
    let x = Tensor([1, 1], [1, 2])
    #expect(linear(x).values == [13, 27])
    linear.adapters = [Doubling()]
    #expect(linear(x).values == [14, 28])
    #expect(linear.namedParameters().map(\.key) == ["weight", "bias"])
    #expect(linear.trainableParameters().count == 1)
  }
}
