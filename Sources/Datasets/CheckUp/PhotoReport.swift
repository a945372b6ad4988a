import ImageIO

/// What a check-up found out about a folder of photos.
public struct PhotoReport: Sendable {
  /// The folder that was checked.
  public let path: String
  /// The photos to train on, by name.
  public let kept: [CheckedPhoto]
  /// The photos left out, by name.
  public let skipped: [SkippedPhoto]
  /// What is not quite right with photos that are kept, by name.
  public let warnings: [PhotoWarning]
  /// How many readable photos were turned upright as their EXIF data say.
  public let turnedCount: Int

  /// How many picture files the folder has.
  public var foundCount: Int { kept.count + skipped.count }

  /// One line of numbers: `37 photos: 33 used, 4 left out (1 unreadable, 3 near-duplicates)`.
  public var summary: String {
    let counts = PhotoFault.Kind.allCases.compactMap { kind in
      let count = skipped.count { $0.fault.kind == kind }
      return count == 0 ? nil : "\(count) \(count == 1 ? kind.singular : kind.plural)"
    }
    let head = "\(foundCount) photo\(foundCount == 1 ? "" : "s"): \(kept.count) used"
    guard !counts.isEmpty else { return head }
    return "\(head), \(skipped.count) left out (\(counts.joined(separator: ", ")))"
  }

  /// The summary, then what was left out and why, then the warnings; for people to read.
  ///
  /// - Parameter limit: how many photos to name in each of the two lists.
  /// - Returns: lines without line ends.
  public func lines(limit: Int = 20) -> [String] {
    var lines = [summary]
    if turnedCount > 0 {
      let photos = turnedCount == 1 ? "1 photo was" : "\(turnedCount) photos were"
      lines.append("\(photos) turned upright as the camera noted")
    }
    lines += Self.shortened(skipped.map(\.description), limit)
    lines += Self.shortened(warnings.map { "warning: \($0.description)" }, limit)
    return lines
  }

  private static func shortened(_ lines: [String], _ limit: Int) -> [String] {
    guard lines.count > limit else { return lines }
    return lines.prefix(limit) + ["... and \(lines.count - limit) more"]
  }
}

/// A photo that passed the check-up.
public struct CheckedPhoto: Equatable, Hashable, Sendable {
  /// Path that opens the file.
  public let path: String
  /// Path from the folder, with slashes.
  public let name: String
  /// Width of the upright photo, in pixels.
  public let width: Int
  /// Height of the upright photo, in pixels.
  public let height: Int
}

/// A photo that is left out.
public struct SkippedPhoto: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// Path from the folder, with slashes.
  public let name: String
  /// Why it is left out.
  public let fault: PhotoFault

  /// The name and the reason, in one line.
  public var description: String { "\(name): \(fault)" }
}

/// Why a photo is left out.
public enum PhotoFault: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// It cannot be decoded; in the decoder's words.
  case unreadable(String)
  /// Its short side has fewer pixels than `minimum`.
  case tooSmall(width: Int, height: Int, minimum: Int)
  /// It shows nothing but one colour.
  case oneColor(RGB)
  /// All its pixels are those of the photo named.
  case copy(of: String)
  /// It shows the same as the photo named, which is sharper or larger.
  case nearDuplicate(of: String)
  /// It is out of focus or shaken, and most photos of the folder are not.
  case blurry

  /// The reason in words.
  public var description: String {
    switch self {
    case .unreadable(let detail): detail
    case .tooSmall(let width, let height, let minimum):
      "too small: \(width)x\(height), at least \(minimum) pixels per side are needed"
    case .oneColor(let color):
      "shows only one colour (\(color.red), \(color.green), \(color.blue))"
    case .copy(let name): "a copy of \(name)"
    case .nearDuplicate(let name): "nearly the same as \(name)"
    case .blurry: "blurry, unlike most of the photos"
    }
  }

  /// The faults without their details, in the order of a report.
  enum Kind: CaseIterable {
    case unreadable
    case tooSmall
    case oneColor
    case copy
    case nearDuplicate
    case blurry

    var singular: String {
      switch self {
      case .unreadable: "unreadable"
      case .tooSmall: "too small"
      case .oneColor: "of one colour"
      case .copy: "exact copy"
      case .nearDuplicate: "near-duplicate"
      case .blurry: "blurry"
      }
    }

    var plural: String {
      switch self {
      case .copy: "exact copies"
      case .nearDuplicate: "near-duplicates"
      default: singular
      }
    }
  }

  var kind: Kind {
    switch self {
    case .unreadable: .unreadable
    case .tooSmall: .tooSmall
    case .oneColor: .oneColor
    case .copy: .copy
    case .nearDuplicate: .nearDuplicate
    case .blurry: .blurry
    }
  }
}

/// Something to know about a photo that is kept, or about all of them.
public enum PhotoWarning: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// The photo is smaller than the pictures trained on and will be enlarged.
  case enlarged(name: String, width: Int, height: Int, trainingSide: Int)
  /// The photo is less sharp than most of the folder.
  case soft(name: String)
  /// Nearly all of the photo is black.
  case tooDark(name: String)
  /// Nearly all of the photo is white.
  case tooBright(name: String)
  /// Half of the photos are not sharp.
  case mostAreSoft

  /// The warning in words.
  public var description: String {
    switch self {
    case .enlarged(let name, let width, let height, let side):
      "\(name): \(width)x\(height) is enlarged to \(side) pixels per side and will look soft"
    case .soft(let name): "\(name): less sharp than most of the photos"
    case .tooDark(let name): "\(name): nearly black"
    case .tooBright(let name): "\(name): nearly white"
    case .mostAreSoft: "most of the photos are not sharp, and so will the results be"
    }
  }
}
