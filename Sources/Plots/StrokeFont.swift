import Foundation

/// A position in pixels, x to the right, y down, (0, 0) the outer corner of the top left pixel.
package struct Point: Equatable, Sendable {
  package var x: Double
  package var y: Double

  package init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// A proportional font of strokes for printable ASCII, drawn at any size.
package struct StrokeFont: Sendable {
  private struct Glyph {
    let width: Double
    /// Polylines in the units of `strokeFontGlyphs`.
    let strokes: [[Point]]
  }

  /// Height of capitals and space between glyphs, in the units of `strokeFontGlyphs`.
  private static let capHeight = 10.0
  private static let gap = 2.5

  private let glyphs: [Character: Glyph]

  package init() {
    glyphs = Dictionary(
      uniqueKeysWithValues: strokeFontGlyphs.map { glyph in
        (glyph.character, Glyph(width: glyph.width, strokes: Self.strokes(of: glyph.strokes)))
      })
  }

  /// The width of a line of text whose capitals are `size` pixels high.
  package func width(of text: String, size: Double) -> Double {
    let widths = Self.printable(text).map { (glyphs[$0]?.width ?? 0) + Self.gap }
    return max(0, widths.reduce(0, +) - Self.gap) * size / Self.capHeight
  }

  /// The strokes of a line of text that starts at (0, 0) on the baseline.
  package func strokes(of text: String, size: Double) -> [[Point]] {
    let scale = size / Self.capHeight
    var x = 0.0
    var result: [[Point]] = []
    for character in Self.printable(text) {
      guard let glyph = glyphs[character] else { continue }
      result += glyph.strokes.map { $0.map { Point((x + $0.x) * scale, -$0.y * scale) } }
      x += glyph.width + Self.gap
    }
    return result
  }

  /// Accents are dropped, typographic quotes and dashes replaced; what is left over becomes `?`.
  package static func printable(_ text: String) -> [Character] {
    let replacements: [Unicode.Scalar: String] = [
      "\u{2018}": "'", "\u{2019}": "'", "\u{201C}": "\"", "\u{201D}": "\"", "\u{2013}": "-",
      "\u{2014}": "-", "\u{2026}": "...", "\u{D7}": "x", "\u{A0}": " ", "\n": " ", "\t": " ",
      "\u{DF}": "ss",
    ]
    var result: [Character] = []
    for scalar in text.decomposedStringWithCanonicalMapping.unicodeScalars {
      if (32...126).contains(scalar.value) {
        result.append(Character(scalar))
      } else if let replacement = replacements[scalar] {
        result += replacement
      } else if !scalar.properties.isDiacritic
        && scalar.properties.generalCategory != .nonspacingMark
      {
        result.append("?")
      }
    }
    return result
  }

  private static func strokes(of commands: String) -> [[Point]] {
    var tokens = commands.split(separator: " ")[...]
    var strokes: [[Point]] = []
    func point() -> Point {
      let numbers = tokens.prefix(2).map { Double($0) ?? 0 }
      tokens = tokens.dropFirst(2)
      return numbers.count == 2 ? Point(numbers[0], numbers[1]) : Point(0, 0)
    }
    func append(_ points: [Point]) {
      guard !strokes.isEmpty else { return }
      strokes[strokes.count - 1] += points
    }
    while let command = tokens.popFirst() {
      let current = strokes.last?.last ?? Point(0, 0)
      switch command {
      case "m": strokes.append([point()])
      case "l": append([point()])
      case "q": append(quadratic(current, point(), point()))
      case "h":
        let end = point()
        append(quarter(current, center: Point(current.x, end.y), end))
      case "v":
        let end = point()
        append(quarter(current, center: Point(end.x, current.y), end))
      case "o": strokes.append(ellipse(point(), point()))
      default: break
      }
    }
    return strokes
  }

  private static let subdivisions = 8

  private static func quadratic(_ start: Point, _ control: Point, _ end: Point) -> [Point] {
    (1...subdivisions).map { step in
      let t = Double(step) / Double(subdivisions)
      let weights = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t]
      return Point(
        weights[0] * start.x + weights[1] * control.x + weights[2] * end.x,
        weights[0] * start.y + weights[1] * control.y + weights[2] * end.y)
    }
  }

  private static func quarter(_ start: Point, center: Point, _ end: Point) -> [Point] {
    (1...subdivisions).map { step in
      let angle = Double(step) / Double(subdivisions) * .pi / 2
      return Point(
        center.x + (start.x - center.x) * cos(angle) + (end.x - center.x) * sin(angle),
        center.y + (start.y - center.y) * cos(angle) + (end.y - center.y) * sin(angle))
    }
  }

  private static func ellipse(_ center: Point, _ radii: Point) -> [Point] {
    (0...4 * subdivisions).map { step in
      let angle = Double(step) / Double(subdivisions) * .pi / 2
      return Point(center.x + radii.x * sin(angle), center.y + radii.y * cos(angle))
    }
  }
}
