import ArgumentParser

/// A size such as `512x768`: width, then height.
struct PictureSize {
  let width: Int
  let height: Int

  /// Reads a size.
  init(parsing argument: String) throws {
    let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
      (1...16_384).contains(width), (1...16_384).contains(height)
    else {
      throw ValidationError("expected width x height in pixels, such as 512x768")
    }
    (self.width, self.height) = (width, height)
  }
}
