import ImageIO

/// How light and colour are distributed over a photo.
struct Exposure: Equatable, Sendable {
  /// What is wrong with it.
  enum Problem: Equatable, Sendable {
    case oneColor(RGB)
    case tooDark
    case tooBright
  }

  let problem: Problem?

  init(_ image: Image, _ luma: Luma) {
    let spread = Self.spread(image)
    let mean = spread.mean
    let sorted = luma.values.sorted()
    let low = sorted[sorted.count / 20]
    let high = sorted[sorted.count - 1 - sorted.count / 20]
    if spread.deviation < Self.leastDeviation {
      problem = .oneColor(mean)
    } else if high < Self.dark {
      problem = .tooDark
    } else if low > Self.bright {
      problem = .tooBright
    } else {
      problem = nil
    }
  }

  /// Deviation of the colours, in grey levels, below which a photo shows nothing.
  private static let leastDeviation = 3.0
  /// 95 of 100 pixels darker than this is too dark.
  private static let dark: Float = 32
  /// 95 of 100 pixels brighter than this is too bright; graphics on white have more that is not.
  private static let bright: Float = 236

  /// The mean colour, and the root mean square distance of a channel from it.
  private static func spread(_ image: Image) -> (mean: RGB, deviation: Double) {
    var sums = [0, 0, 0]
    var squares = 0
    for i in stride(from: 0, to: image.pixels.count, by: 3) {
      for channel in 0..<3 {
        let value = Int(image.pixels[i + channel])
        sums[channel] += value
        squares += value * value
      }
    }
    let count = Double(image.pixels.count / 3)
    let means = sums.map { Double($0) / count }
    let variance = Double(squares) / count - means.reduce(0) { $0 + $1 * $1 }
    let levels = means.map { UInt8($0.rounded()) }
    return (RGB(levels[0], levels[1], levels[2]), (max(0, variance) / 3).squareRoot())
  }
}
