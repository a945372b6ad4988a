import ComputeCore
import TestSupport
import Testing

@Suite struct GroupMomentsTests {
  private let x: Tensor
  private let weight: Tensor
  private let bias: Tensor

  init() {
    var generator = TorchGenerator(seed: 11)
    // Parts whose means differ by more than their deviations.
    x =
      Tensor.randn([1, 60, 41, 24], using: &generator)
      + Tensor((0..<60).map { Float($0 / 20) * 8 }, [1, 60, 1, 1])
    weight = Tensor.randn([24], using: &generator)
    bias = Tensor.randn([24], using: &generator)
  }

  private func whole(_ x: Tensor) -> Tensor {
    groupNorm(x, groups: 6, weight: weight, bias: bias, eps: 1e-6, activation: .silu)
  }

  private func byParts(_ x: Tensor, rows: [Int]) -> Tensor {
    var moments = GroupMoments(groups: 6)
    let parts = x.split(axis: 1, sizes: rows)
    for part in parts { moments.add(part) }
    return concatenated(
      parts.map {
        groupNorm($0, by: moments, weight: weight, bias: bias, eps: 1e-6, activation: .silu)
      }, axis: 1)
  }

  @Test func onePartIsTheWhole() {
    #expect(byParts(x, rows: [60]).values == whole(x).values)
  }

  @Test(arguments: [[20, 20, 20], [1, 58, 1], [59, 1]])
  func partsHaveTheMomentsOfTheWhole(_ rows: [Int]) {
    expectClose(byParts(x, rows: rows), whole(x), tolerance: 2e-6)
    expectThreadIndependence { [byParts(x, rows: rows)] }
  }

  @Test func partsMayBeInBFloat16() {
    let rounded = x.cast(to: .bfloat16)
    var moments = GroupMoments(groups: 6)
    moments.add(rounded)
    expectClose(
      groupNorm(
        rounded, by: moments, weight: weight, bias: bias, eps: 1e-6, activation: .silu),
      whole(rounded), tolerance: 1e-7)
  }

  @Test func boxesMakeUpATensor() {
    let rows = x.split(axis: 1, sizes: [25, 35])
    let built = Tensor(assembling: x.shape, at: [[0, 25, 0, 0], [0, 0, 0, 0]]) { rows[1 - $0] }
    #expect(built.values == x.values)
  }
}
