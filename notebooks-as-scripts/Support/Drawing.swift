import ComputeCore
import Datasets
import Foundation
import ImageIO
import Plots

/// Pictures for the eye: pixels repeated until a side has about `side` pixels.
///
/// - Parameters:
///   - batch: `[N, H, W, C]` in -1…1, one channel (grey) or three.
///   - side: of each picture.
/// - Returns: N pictures.
package func images(_ batch: Tensor, side: Int = 56) -> [Image] {
  let set = PictureSet(name: "pictures", made: batch.detached())
  return (0..<set.count).map { enlarged(set.image($0), side: side) }
}

/// A picture whose pixels are repeated until a side has about `side` pixels.
package func enlarged(_ image: Image, side: Int) -> Image {
  let factor = max(1, side / max(image.width, image.height))
  return image.resized(to: image.width * factor, image.height * factor, filter: .box)
}

/// Numbers as colours, from dark blue (low) over green to yellow (high), with a dot in the middle.
///
/// - Parameters:
///   - values: `[rows][columns]`, the first row on top; what is not finite is grey.
///   - range: what is dark blue and what is yellow; what lies outside looks like the nearer end.
///   - cell: pixels of a number's square.
/// - Returns: a picture of `cell` times as many pixels as there are numbers.
package func heatMap(_ values: [[Float]], range: ClosedRange<Float>, cell: Int = 12) -> Image {
  let columns = values.first?.count ?? 0
  precondition(columns > 0, "heatMap: no numbers")
  var canvas = Canvas(width: columns * cell, height: values.count * cell)
  let side = Double(cell)
  let width = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
  for (row, line) in values.enumerated() {
    for (column, value) in line.enumerated() {
      let share = Double((value - range.lowerBound) / width)
      canvas.fill(
        Rectangle(Double(column) * side, Double(row) * side, side, side),
        share.isFinite ? heat(max(0, min(1, share))) : RGB(160, 160, 160))
    }
  }
  let middle = Point(Double(columns) * side / 2, Double(values.count) * side / 2)
  canvas.stroke([[middle]], thickness: side * 0.6, .white)
  return canvas.image
}

/// Heat maps of the logarithms of positive numbers, all in the same colours.
///
/// - Parameters:
///   - maps: `[maps][rows][columns]`; what is not positive counts as 1e-6.
///   - side: of each picture, about, in pixels.
/// - Returns: a picture for each of `maps`; the lowest number of all is dark blue, the highest yellow.
package func logarithmicHeatMaps(_ maps: [[[Float]]], side: Int) -> [Image] {
  let logarithms = maps.map { $0.map { $0.map { log(max($0, 1e-6)) } } }
  let all = logarithms.joined().joined().filter(\.isFinite)
  let low = all.min() ?? 0
  let range = low...(all.max() ?? low)
  return logarithms.map { heatMap($0, range: range, cell: max(2, side / $0.count)) }
}

/// A colour for 0…1 that gets lighter throughout, so that the order shows without colours too.
private func heat(_ share: Double) -> RGB {
  let stops: [(Double, Double, Double)] = [
    (38, 28, 92), (45, 92, 150), (36, 150, 140), (120, 200, 92), (252, 228, 60),
  ]
  let place = share * Double(stops.count - 1)
  let index = min(stops.count - 2, Int(place))
  let part = place - Double(index)
  func mixed(_ a: Double, _ b: Double) -> UInt8 { UInt8((a + (b - a) * part).rounded()) }
  let (a, b) = (stops[index], stops[index + 1])
  return RGB(mixed(a.0, b.0), mixed(a.1, b.1), mixed(a.2, b.2))
}

/// Numbers with a sign as colours: red above zero, blue below, white at zero.
///
/// - Parameters:
///   - values: `[height · width]`, row by row.
///   - width: of the picture.
///   - limit: what is fully red, and its negative fully blue.
/// - Returns: a picture with a pixel per number.
package func signMap(_ values: [Float], width: Int, limit: Float) -> Image {
  let pixels = values.flatMap { value -> [UInt8] in
    let share = limit > 0 ? max(-1, min(1, value / limit)) : 0
    let faded = UInt8((255 * (1 - Swift.abs(share))).rounded())
    return share >= 0 ? [255, faded, faded] : [faded, faded, 255]
  }
  return Image(width: width, height: values.count / width, pixels: pixels)
}

/// Pictures of equal height next to each other on white.
package func sideBySide(_ images: [Image], gap: Int = 4) -> Image {
  contactSheet(images, columns: images.count, padding: gap)
}
