import Datasets
import ImageIO
import Plots

/// The wrongly classified pictures that the network was most sure of.
///
/// - Parameters:
///   - set: labelled pictures, their classes in the order of `classNames`.
///   - probabilities: `[N][K]`.
///   - count: pictures at most.
/// - Returns: a sheet that says under each picture what it is and what it was taken for; `nil` when
///   nothing is wrong.
public func mistakeSheet(
  _ set: PictureSet, probabilities: [[Float]], count: Int = 24
) -> Image? {
  guard let labels = set.labels else { return nil }
  var mistakes: [(index: Int, guess: Int, probability: Float)] = []
  for (index, row) in probabilities.enumerated() {
    let guess = row.indices.max { row[$0] < row[$1] } ?? 0
    if guess != labels[index] { mistakes.append((index, guess, row[guess])) }
  }
  guard !mistakes.isEmpty else { return nil }
  let shown = mistakes.sorted { $0.probability > $1.probability }.prefix(count)
  return captionedSheet(
    shown.map { enlarged(set.image($0.index)) },
    captions: shown.map { mistake in
      let percent = Int((100 * mistake.probability).rounded(.down))
      let (actual, guess) = (set.classNames[labels[mistake.index]], set.classNames[mistake.guess])
      return "\(actual), taken for \(guess) (\(percent) %)"
    })
}

/// Small pictures in whole multiples of their size, so that they can be seen.
func enlarged(_ image: Image) -> Image {
  let factor = max(1, 96 / max(image.width, image.height))
  return image.resized(to: image.width * factor, image.height * factor, filter: .box)
}
