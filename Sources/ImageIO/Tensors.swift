import ComputeCore

extension Image {
  /// The pictures of a batch of numbers from -1 (black) to 1.
  ///
  /// They are rounded and clamped as by `init(width:height:floats:)`.
  ///
  /// - Parameter batch: `[N, height, width, 3]`.
  /// - Returns: N pictures.
  public static func pictures(of batch: Tensor) -> [Image] {
    precondition(
      batch.rank == 4 && batch.shape[3] == 3,
      "Image: a batch must be [N, height, width, 3], got \(batch.shape)")
    let (height, width) = (batch.shape[1], batch.shape[2])
    let values = batch.values
    let size = height * width * 3
    return (0..<batch.shape[0]).map { index in
      Image(
        width: width, height: height, floats: Array(values[index * size..<(index + 1) * size]))
    }
  }
}
