/// A photo that shows the same as another one, which is kept.
struct Duplicate: Equatable {
  let index: Int
  /// The photo that is kept instead.
  let original: Int
  /// Whether all pixels are equal.
  let isExact: Bool
}

/// Finds photos that show the same.
///
/// A photo joins the first group whose first photo it resembles: similar hash and, for hashes of
/// different photos may be close by chance, similar thumbnail. Photos are compared with a group's
/// first one only, so that no chain of small differences joins different photos.
///
/// - Returns: all photos but the best of each group, by index; the best is the largest one of
///   those that are about as sharp as the sharpest.
func findDuplicates(_ photos: [(index: Int, measure: PhotoMeasure)]) -> [Duplicate] {
  var groups: [[(index: Int, measure: PhotoMeasure)]] = []
  for photo in photos {
    if let group = groups.firstIndex(where: { resembles($0[0].measure, photo.measure) }) {
      groups[group].append(photo)
    } else {
      groups.append([photo])
    }
  }
  var duplicates: [Duplicate] = []
  for group in groups where group.count > 1 {
    let best = bestPhoto(group)
    for photo in group where photo.index != best.index {
      duplicates.append(
        Duplicate(
          index: photo.index, original: best.index,
          isExact: photo.measure.pixelHash == best.measure.pixelHash))
    }
  }
  return duplicates.sorted { $0.index < $1.index }
}

/// Bits of the hash that may differ.
///
/// On 49 photographs, re-encoding, scaling, brightening or blurring one changed at most 2 of the 64
/// bits; any two different ones differed in 16 or more.
private let maxHashDistance = 8
/// Correlation that thumbnails must have.
///
/// On the same photographs changed ones had at least 0.997, two different ones at most 0.8.
private let minCorrelation = 0.98
/// How much shapes may differ: by the rounding of a smaller copy's sides.
private let maxAspectRatio = 1.03
/// Part of the best acuity from which on size decides.
private let sharpEnough = 0.7

private func resembles(_ a: PhotoMeasure, _ b: PhotoMeasure) -> Bool {
  if a.pixelHash == b.pixelHash { return true }
  let aspects = (a.width * b.height, b.width * a.height)
  return a.hash.distance(to: b.hash) <= maxHashDistance
    && Double(max(aspects.0, aspects.1)) <= maxAspectRatio * Double(min(aspects.0, aspects.1))
    && a.correlation(with: b) >= minCorrelation
}

private func bestPhoto(
  _ group: [(index: Int, measure: PhotoMeasure)]
) -> (index: Int, measure: PhotoMeasure) {
  let sharpest = group.map { $0.measure.acuity ?? 0 }.max() ?? 0
  var best: (index: Int, measure: PhotoMeasure)?
  for photo in group where (photo.measure.acuity ?? 0) >= sharpEnough * sharpest {
    guard let current = best, photo.measure.pixelCount <= current.measure.pixelCount else {
      best = photo
      continue
    }
  }
  return best ?? group[0]
}
