/// A picture file and the texts that describe it.
public struct CaptionedPicture: Equatable, Hashable, Sendable {
  /// Path that opens the file.
  public let path: String
  /// Path from the scanned folder, with slashes.
  public let name: String
  /// At least one text, the main one first; an empty text means that nothing is known.
  public let captions: [String]
  /// How often an epoch has the picture, at least 1.
  public let repeats: Int
  /// Where the captions are from.
  public let captionSource: CaptionSource

  /// Describes a picture file.
  public init(
    path: String, name: String, captions: [String], repeats: Int = 1,
    captionSource: CaptionSource = .none
  ) {
    precondition(repeats >= 1, "CaptionedPicture: repeats must be at least 1, got \(repeats)")
    self.path = path
    self.name = name
    self.captions = captions.isEmpty ? [""] : captions
    self.repeats = repeats
    self.captionSource = captionSource
  }

  /// The main text.
  public var caption: String { captions[0] }

  /// The text for one sample: the main one half of the time, else any of the alternatives.
  ///
  /// - Parameter seed: such as `stepSeed(seed, sample, .captions)`; it decides alone.
  /// - Returns: one of `captions`.
  public func caption(seed: UInt64) -> String {
    var generator = SplitMix64(seed: seed)
    guard captions.count > 1, generator.unit() < 0.5 else { return captions[0] }
    return captions[1 + generator.below(captions.count - 1)]
  }
}

/// Where the captions of a picture are from, first choice first.
public enum CaptionSource: String, CaseIterable, Sendable {
  /// `metadata.jsonl` or `metadata.csv`.
  case metadata
  /// A `.txt` or `.caption` file beside the picture.
  case sidecar
  /// The name of the folder: `10_sks dog` or a class.
  case folder
  /// The name of the picture.
  case fileName
  /// Nothing says anything; the caption is empty.
  case none
}
