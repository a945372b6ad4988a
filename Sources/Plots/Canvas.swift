import ImageIO

/// A rectangle in pixels.
package struct Rectangle: Equatable, Sendable {
  package var x: Double
  package var y: Double
  package var width: Double
  package var height: Double

  package init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  package var maxX: Double { x + width }
  package var maxY: Double { y + height }
}

/// Where on a line of text its given position lies.
package enum TextAnchor: Sendable {
  case start
  case middle
  case end
}

/// A picture that is being drawn: antialiased strokes, rectangles, text and other pictures.
package struct Canvas {
  package let width: Int
  package let height: Int
  /// `[height, width, 3]`, RGB.
  private var pixels: [UInt8]
  private let font = StrokeFont()

  package init(width: Int, height: Int, background: RGB = .white) {
    self.width = width
    self.height = height
    pixels = Image(width: width, height: height, color: background).pixels
  }

  /// What has been drawn so far.
  package var image: Image { Image(width: width, height: height, pixels: pixels) }

  /// Draws a picture with its top left corner at column `x`, row `y`; what is outside is cut off.
  package mutating func draw(_ image: Image, _ x: Int, _ y: Int) {
    for row in max(0, -y)..<max(0, -y, min(image.height, height - y)) {
      for column in max(0, -x)..<max(0, -x, min(image.width, width - x)) {
        let target = ((y + row) * width + x + column) * 3
        let source = (row * image.width + column) * 3
        for c in 0..<3 { pixels[target + c] = image.pixels[source + c] }
      }
    }
  }

  /// Fills a rectangle; edges between pixels are antialiased.
  package mutating func fill(_ area: Rectangle, _ color: RGB, opacity: Double = 1) {
    var mask = Mask(area, width, height)
    mask.eachPixel { x, y, coverage in
      let covered = Self.overlap(x, area.x, area.maxX) * Self.overlap(y, area.y, area.maxY)
      coverage = max(coverage, Float(covered))
    }
    blend(mask, color, opacity)
  }

  /// Draws polylines with round caps and joins; where they cross themselves nothing adds up.
  ///
  /// - Parameters:
  ///   - strokes: polylines; one of a single point is a dot.
  ///   - thickness: of the line, in pixels.
  ///   - color: of the line.
  ///   - opacity: 0...1.
  ///   - clip: what is outside of it is cut off.
  package mutating func stroke(
    _ strokes: [[Point]], thickness: Double, _ color: RGB, opacity: Double = 1,
    clip: Rectangle? = nil
  ) {
    let points = strokes.joined()
    guard let first = points.first else { return }
    var low = first
    var high = first
    for point in points {
      low = Point(min(low.x, point.x), min(low.y, point.y))
      high = Point(max(high.x, point.x), max(high.y, point.y))
    }
    let reach = thickness / 2 + 1
    let bounds = Rectangle(
      low.x - reach, low.y - reach, high.x - low.x + 2 * reach, high.y - low.y + 2 * reach)
    var mask = Mask(bounds, width, height, clip: clip)
    for line in strokes {
      for (start, end) in zip(line, line.count > 1 ? line[1...] : line[...]) {
        mask.addSegment(start, end, radius: thickness / 2)
      }
    }
    blend(mask, color, opacity)
  }

  /// Draws a line of text.
  ///
  /// - Parameters:
  ///   - text: printable ASCII; accents are dropped.
  ///   - position: of the anchor, on the baseline.
  ///   - size: height of capitals, in pixels.
  ///   - color: of the text.
  ///   - anchor: the part of the text that `position` names.
  ///   - weight: thickness of the strokes over `size`.
  ///   - isUpward: whether the text is turned to read from the bottom up.
  package mutating func drawText(
    _ text: String, at position: Point, size: Double, _ color: RGB, anchor: TextAnchor = .start,
    weight: Double = 0.14, isUpward: Bool = false
  ) {
    let length = font.width(of: text, size: size)
    let shift =
      switch anchor {
      case .start: 0.0
      case .middle: -length / 2
      case .end: -length
      }
    let strokes = font.strokes(of: text, size: size).map { line in
      line.map { point in
        isUpward
          ? Point(position.x + point.y, position.y - point.x - shift)
          : Point(position.x + point.x + shift, position.y + point.y)
      }
    }
    stroke(strokes, thickness: size * weight, color)
  }

  /// The width of a line of text, in pixels.
  package func textWidth(_ text: String, size: Double) -> Double {
    font.width(of: text, size: size)
  }

  /// The part of pixel `index` that lies in `low...high`.
  private static func overlap(_ index: Int, _ low: Double, _ high: Double) -> Double {
    max(0, min(Double(index) + 1, high) - max(Double(index), low))
  }

  private mutating func blend(_ mask: Mask, _ color: RGB, _ opacity: Double) {
    let channels = [color.red, color.green, color.blue].map { Float($0) }
    for row in 0..<mask.height {
      for column in 0..<mask.width {
        let alpha = min(1, mask.coverage[row * mask.width + column]) * Float(opacity)
        guard alpha > 0 else { continue }
        let target = ((mask.y + row) * width + mask.x + column) * 3
        for c in 0..<3 {
          let old = Float(pixels[target + c])
          pixels[target + c] = UInt8((old + (channels[c] - old) * alpha).rounded())
        }
      }
    }
  }
}

/// How much of each pixel of a part of the canvas is covered, 0...1.
private struct Mask {
  let x: Int
  let y: Int
  let width: Int
  let height: Int
  /// `[height, width]`, row by row.
  var coverage: [Float]

  /// The pixels that `bounds` touches, cut to the canvas and to `clip`.
  init(_ bounds: Rectangle, _ canvasWidth: Int, _ canvasHeight: Int, clip: Rectangle? = nil) {
    let clip = clip ?? Rectangle(0, 0, Double(canvasWidth), Double(canvasHeight))
    func pixel(_ position: Double, _ count: Int) -> Int {
      Int(min(max(position, 0), Double(count)))
    }
    x = pixel(max(bounds.x, clip.x).rounded(.down), canvasWidth)
    y = pixel(max(bounds.y, clip.y).rounded(.down), canvasHeight)
    width = max(0, pixel(min(bounds.maxX, clip.maxX).rounded(.up), canvasWidth) - x)
    height = max(0, pixel(min(bounds.maxY, clip.maxY).rounded(.up), canvasHeight) - y)
    coverage = [Float](repeating: 0, count: width * height)
  }

  mutating func eachPixel(_ body: (_ x: Int, _ y: Int, _ coverage: inout Float) -> Void) {
    for row in 0..<height {
      for column in 0..<width {
        body(x + column, y + row, &coverage[row * width + column])
      }
    }
  }

  /// Adds a line with round ends, by each pixel centre's distance from it.
  mutating func addSegment(_ start: Point, _ end: Point, radius: Double) {
    let dx = end.x - start.x
    let dy = end.y - start.y
    let lengthSquared = dx * dx + dy * dy
    // Lines thinner than a pixel keep their shape and lose strength.
    let strength = min(1, 2 * radius)
    let reach = max(radius, 0.5) + 0.5
    func range(_ a: Double, _ b: Double, _ origin: Int, _ count: Int) -> Range<Int> {
      let low = min(max((min(a, b) - reach).rounded(.down) - Double(origin), 0), Double(count))
      let high = min(max((max(a, b) + reach).rounded(.up) - Double(origin), low), Double(count))
      return Int(low)..<Int(high)
    }
    let columns = range(start.x, end.x, x, width)
    for row in range(start.y, end.y, y, height) {
      let py = Double(y + row) + 0.5 - start.y
      for column in columns {
        let px = Double(x + column) + 0.5 - start.x
        let t = lengthSquared > 0 ? min(max((px * dx + py * dy) / lengthSquared, 0), 1) : 0
        let distance = ((px - t * dx) * (px - t * dx) + (py - t * dy) * (py - t * dy)).squareRoot()
        let covered = Float(min(max(reach - distance, 0), 1) * strength)
        let index = row * width + column
        if covered > coverage[index] { coverage[index] = covered }
      }
    }
  }
}
