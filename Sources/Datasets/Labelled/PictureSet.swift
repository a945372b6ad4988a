/// Pictures of one size held in memory, with a class each if they have any.
public struct PictureSet: Sendable {
  /// What to call the set, such as `fashion-mnist`.
  public let name: String
  /// Rows of each picture.
  public let height: Int
  /// Columns of each picture.
  public let width: Int
  /// 1: grey, 3: red, green, blue.
  public let channels: Int
  /// `[N, H, W, C]`, 0…255.
  public let pixels: [UInt8]
  /// One class number per picture; `nil` when the pictures have none.
  public let labels: [Int]?
  /// Names of the classes, in the order of their numbers; empty without labels.
  public let classNames: [String]
  /// One line for each file that was left out when the set was read: its name and the reason.
  public let skipped: [String]

  /// A set of its parts, which must fit each other.
  public init(
    name: String, height: Int, width: Int, channels: Int, pixels: [UInt8], labels: [Int]? = nil,
    classNames: [String] = [], skipped: [String] = []
  ) {
    precondition(
      height > 0 && width > 0 && channels > 0 && pixels.count % (height * width * channels) == 0,
      "PictureSet: \(pixels.count) bytes are no pictures of \(height)x\(width)x\(channels)")
    let count = pixels.count / (height * width * channels)
    precondition(labels == nil || labels?.count == count, "PictureSet: one label per picture")
    precondition(
      labels?.allSatisfy(classNames.indices.contains) ?? true, "PictureSet: a label has no name")
    (self.name, self.height, self.width, self.channels) = (name, height, width, channels)
    (self.pixels, self.labels, self.classNames) = (pixels, labels, classNames)
    self.skipped = skipped
  }

  /// Number of pictures.
  public var count: Int { pixels.count / pictureSize }

  /// Bytes of one picture.
  public var pictureSize: Int { height * width * channels }
}
