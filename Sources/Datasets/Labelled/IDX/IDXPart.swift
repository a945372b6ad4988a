/// A file of pictures and the file of their labels, if there is one.
struct IDXPart: Equatable, Sendable {
  /// Path of the file of pictures, `[N, H, W]` or `[N, H, W, C]`.
  let images: String
  /// Path of the file of labels, `[N]`.
  let labels: String?

  /// The pictures with the numbers of their classes.
  func read() throws(DatasetError) -> (images: IDXFile, labels: [Int]?) {
    let expected = "[pictures, height, width] or [pictures, height, width, 1 or 3 channels]"
    let file = try IDXFile(images, ranks: 3...4, expected: expected)
    guard file.shape.count == 3 || file.shape[3] == 1 || file.shape[3] == 3 else {
      throw .pictureSet(
        .wrongShape(path: images, found: "the shape \(file.shape)", expected: expected))
    }
    let numbers = try readLabels()
    if let numbers, let labels, numbers.count != file.shape[0] {
      throw .pictureSet(
        .countsDisagree(
          images: images, imageCount: file.shape[0], labels: labels, labelCount: numbers.count))
    }
    return (file, numbers)
  }

  /// The numbers of the classes.
  func readLabels() throws(DatasetError) -> [Int]? {
    guard let labels else { return nil }
    return try IDXFile(labels, ranks: 1...1, expected: "one axis, [labels]").bytes.map(Int.init)
  }
}
