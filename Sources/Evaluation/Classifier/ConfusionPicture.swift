import ImageIO
import Plots

extension ConfusionMatrix {
  /// The matrix as a picture: a row per class, a column per class it was taken for.
  ///
  /// Cells are shaded by their share of the row; the diagonal is blue, mistakes are orange. Numbers
  /// are written into the cells of up to 30 classes.
  public func picture(title: String = "") -> Image {
    let drawing = ConfusionDrawing(self, title: title)
    return drawing.drawn()
  }
}

/// Sizes and places of one picture of a matrix.
private struct ConfusionDrawing {
  private static let ink = RGB(40, 44, 52)
  private static let label = RGB(98, 104, 114)
  private static let right = RGB(31, 97, 186)
  private static let wrong = RGB(226, 107, 10)
  private static let textSize = 9.0
  private static let margin = 16.0

  private let matrix: ConfusionMatrix
  private let title: String
  private let cell: Double
  /// Room for the names beside and above the cells.
  private let names: Double
  private let left: Double
  private let top: Double
  private let showsNumbers: Bool

  init(_ matrix: ConfusionMatrix, title: String) {
    (self.matrix, self.title) = (matrix, title)
    let count = matrix.classNames.count
    showsNumbers = count <= 30
    cell = showsNumbers ? 46 : max(4, (1_200 / Double(count)).rounded(.down))
    let measure = Canvas(width: 1, height: 1)
    let longest = matrix.classNames.reduce(0.0) {
      max($0, measure.textWidth($1, size: Self.textSize))
    }
    names = showsNumbers ? min(220, longest.rounded(.up)) : 0
    left = Self.margin + 20 + names + 8
    top = Self.margin + (title.isEmpty ? 0 : 26) + 20 + names + 8
  }

  func drawn() -> Image {
    let side = cell * Double(matrix.classNames.count)
    var canvas = Canvas(
      width: Int(left + side + Self.margin), height: Int(top + side + Self.margin))
    if !title.isEmpty {
      canvas.drawText(title, at: Point(Self.margin, Self.margin + 13), size: 13, Self.ink)
    }
    canvas.drawText(
      "taken for", at: Point(left + side / 2, top - names - 16), size: Self.textSize, Self.label,
      anchor: .middle)
    canvas.drawText(
      "is", at: Point(Self.margin + 9, top + side / 2), size: Self.textSize, Self.label,
      anchor: .middle, isUpward: true)
    for (row, counts) in matrix.counts.enumerated() {
      let total = max(1, counts.reduce(0, +))
      for (column, count) in counts.enumerated() {
        drawCell(&canvas, row, column, count, share: Double(count) / Double(total))
      }
    }
    if showsNumbers { drawNames(&canvas) }
    return canvas.image
  }

  private func drawCell(
    _ canvas: inout Canvas, _ row: Int, _ column: Int, _ count: Int, share: Double
  ) {
    let (x, y) = (left + Double(column) * cell, top + Double(row) * cell)
    let gap = showsNumbers ? 1.0 : 0
    let area = Rectangle(x, y, cell - gap, cell - gap)
    canvas.fill(area, RGB(244, 245, 247))
    // Roots, so that rare mistakes can be seen.
    let opacity = row == column ? share : share.squareRoot()
    if count > 0 {
      canvas.fill(area, row == column ? Self.right : Self.wrong, opacity: min(1, opacity))
    }
    guard showsNumbers, count > 0 else { return }
    canvas.drawText(
      "\(count)", at: Point(x + cell / 2, y + cell / 2 + Self.textSize / 2), size: Self.textSize,
      opacity > 0.55 ? .white : Self.ink, anchor: .middle)
  }

  private func drawNames(_ canvas: inout Canvas) {
    for (index, name) in matrix.classNames.enumerated() {
      let middle = (Double(index) + 0.5) * cell
      let text = shortened(name, canvas)
      canvas.drawText(
        text, at: Point(left - 8, top + middle + Self.textSize / 2), size: Self.textSize, Self.ink,
        anchor: .end)
      canvas.drawText(
        text, at: Point(left + middle + Self.textSize / 2, top - 8), size: Self.textSize, Self.ink,
        isUpward: true)
    }
  }

  /// The name, cut to what fits beside the cells.
  private func shortened(_ name: String, _ canvas: Canvas) -> String {
    var text = name
    while text.count > 1, canvas.textWidth(text, size: Self.textSize) > max(names, 1) {
      text.removeLast()
    }
    return text
  }
}
