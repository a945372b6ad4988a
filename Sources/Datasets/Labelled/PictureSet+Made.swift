import ComputeCore

extension PictureSet {
  /// A set of made pictures, rounded to whole levels.
  ///
  /// - Parameters:
  ///   - name: what to call the set.
  ///   - pictures: `[N, H, W, C]` in -1…1; what lies outside is clamped.
  ///   - labels: a class number for each; `nil` for none.
  ///   - classNames: names of the classes.
  public init(name: String, made pictures: Tensor, labels: [Int]? = nil, classNames: [String] = [])
  {
    precondition(pictures.rank == 4, "PictureSet: pictures must be [N, H, W, C]")
    self.init(
      name: name, height: pictures.shape[1], width: pictures.shape[2],
      channels: pictures.shape[3],
      pixels: pictures.values.map { UInt8(max(0, min(255, (($0 + 1) * 127.5).rounded()))) },
      labels: labels, classNames: classNames)
  }
}
