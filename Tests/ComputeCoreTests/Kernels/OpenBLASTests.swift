import COpenBLAS
import ComputeCore
import Testing

/// Products against OpenBLAS, at sizes where a loop in Float64 would take too long.
@Suite struct OpenBLASTests {
  @Test(arguments: [(257, 129, 300), (1024, 384, 1536), (4096, 320, 320), (3, 2560, 1281)])
  func linearLayersAgree(_ rows: Int, _ outputs: Int, _ inputs: Int) {
    let x = Noise.tensor([rows, inputs], seed: 1)
    let weight = Noise.tensor([outputs, inputs], seed: 2)
    let (a, b) = (x.values, weight.values)
    var expected = [Float](repeating: 0, count: rows * outputs)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs), blasint(inputs), 1,
      a, blasint(inputs), b, blasint(inputs), 0, &expected, blasint(outputs))
    let y = linear(x, weight: weight)
    #expect(Noise.distance(y.values, expected.map(Double.init)) < 4e-6)
  }
}
