import Evaluation
import Testing

@Suite struct ConfusionMatrixTests {
  /// sklearn.metrics on actual [0, 0, 0, 1, 1, 2] and predicted [0, 0, 1, 1, 2, 1].
  @Test func figuresOfKnownCounts() {
    var matrix = ConfusionMatrix(classNames: ["a", "b", "c"])
    for (actual, predicted) in zip([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 1]) {
      matrix.add(actual: actual, predicted: predicted)
    }
    #expect(matrix.total == 6 && matrix.accuracy == 0.5)
    #expect(matrix.precision(0) == 1 && abs(matrix.precision(1) - 1 / 3.0) < 1e-12)
    #expect(matrix.precision(2) == 0 && matrix.recall(2) == 0 && matrix.f1(2) == 0)
    #expect(abs(matrix.recall(0) - 2 / 3.0) < 1e-12 && matrix.recall(1) == 0.5)
    #expect(abs(matrix.f1(0) - 0.8) < 1e-12 && abs(matrix.f1(1) - 0.4) < 1e-12)
  }

  @Test func nothingCountedIsZero() {
    let matrix = ConfusionMatrix(classNames: ["a", "b"])
    #expect(matrix.accuracy == 0 && matrix.f1(1) == 0)
  }
}
