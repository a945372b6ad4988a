import ComputeCore
import TestSupport
import Testing

@Suite struct PixelSelectionTests {
  @Test func pixelsComeFromTheirRowsAndColumns() {
    let x = Tensor((0..<12).map(Float.init), [2, 2, 3, 1])
    let y = selectedPixels(x, rows: [1, 0, 0, 0], columns: [2, 1, 0, 0, 0, 1])
    #expect(y.shape == [2, 2, 3, 1])
    #expect(y.values == [5, 4, 3, 2, 1, 0, 6, 6, 7, 6, 6, 7])
  }

  @Test func gradientMatchesFiniteDifferences() {
    expectGradient(
      of: { selectedPixels($0[0], rows: [2, 0, 0, 1], columns: [3, 3, 1, 0, 1, 2]) },
      shapes: [[2, 3, 4, 2]])
  }

  @Test func gradientsOfGradientsFlow() {
    let x = Tensor([1, 2, 3], [1, 1, 3, 1]).asVariable()
    let y = square(selectedPixels(x, rows: [0], columns: [2, 0, 2])).sum()
    let first = recordedGradients(of: y, by: [x])[0]
    #expect(first?.values == [2, 0, 12])
    #expect(first.flatMap { gradients(of: $0)[x]?.values } == [2, 0, 4])
  }
}
