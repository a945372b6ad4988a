import Datasets
import ImageIO
import Plots

/// Made pictures, each with the one of another set beside it that is most like it.
///
/// - Parameters:
///   - made: pictures.
///   - chosen: which of them to show; at least one.
///   - candidates: the set that was searched.
///   - nearest: what was found for each of `made`.
/// - Returns: a sheet of pairs, made on the left, with the distance under them.
public func nearestSheet(
  _ made: PictureSet, showing chosen: [Int], beside candidates: PictureSet,
  _ nearest: [NearestPicture]
) -> Image {
  precondition(
    made.count == nearest.count && !chosen.isEmpty,
    "nearestSheet: \(made.count) pictures, \(nearest.count) results, \(chosen.count) to show")
  let pairs = chosen.map { index in
    contactSheet(
      [enlarged(made.image(index)), enlarged(candidates.image(nearest[index].index))], columns: 2,
      padding: 2)
  }
  let captions = chosen.map { "\((nearest[$0].distance * 100).rounded() / 100)" }
  return captionedSheet(pairs, captions: captions, columns: 6)
}
