import ImageIO

/// A chart of lines over common axes, such as the losses of a training run.
public struct LineChart: Sendable {
  /// One line.
  public struct Series: Sendable {
    /// What the legend calls it.
    public var name: String
    /// Positions along the x axis, ascending.
    public var x: [Double]
    /// As many values; the line is broken where they are not finite.
    public var y: [Double]
    /// The weight of an exponential moving average, 0 up to but not 1; `nil` for none.
    ///
    /// The line itself is then drawn faintly, its average strongly.
    public var smoothing: Double?
    /// The line's colour; `nil` takes the next of `LineChart.palette`.
    public var color: RGB?

    /// Makes a line of values at positions.
    public init(
      _ name: String, x: [Double], y: [Double], smoothing: Double? = nil, color: RGB? = nil
    ) {
      precondition(
        x.count == y.count, "LineChart.Series: \(x.count) positions for \(y.count) values")
      self.name = name
      self.x = x
      self.y = y
      self.smoothing = smoothing
      self.color = color
    }

    /// Makes a line of values at 0, 1, 2, ...
    public init(_ name: String, y: [Double], smoothing: Double? = nil, color: RGB? = nil) {
      self.init(
        name, x: y.indices.map { Double($0) }, y: y, smoothing: smoothing, color: color)
    }
  }

  /// Colours of series that have none; they differ in lightness too.
  public static let palette = [
    RGB(31, 97, 186), RGB(226, 107, 10), RGB(27, 145, 88), RGB(192, 42, 60), RGB(118, 75, 174),
    RGB(10, 150, 170), RGB(132, 94, 62), RGB(214, 92, 160),
  ]

  /// The lines, the last on top.
  public var series: [Series]
  /// Above the chart; empty for none.
  public var title: String
  /// Below the x axis; empty for none.
  public var xLabel: String
  /// Beside the y axis, reading upwards; empty for none.
  public var yLabel: String
  /// How the y values are spread.
  public var yScale: AxisScale
  /// Width of the picture in pixels, at least 200.
  public var width: Int
  /// Height of the picture in pixels, at least 150.
  public var height: Int

  /// Makes a chart; `image` draws it.
  public init(
    _ series: [Series], title: String = "", xLabel: String = "", yLabel: String = "",
    yScale: AxisScale = .linear, width: Int = 960, height: Int = 540
  ) {
    precondition(
      width >= 200 && height >= 150, "LineChart: at least 200x150 pixels, got \(width)x\(height)")
    self.series = series
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.yScale = yScale
    self.width = width
    self.height = height
  }

  /// The chart as a picture.
  public var image: Image {
    var drawing = LineChartDrawing(self)
    return drawing.drawn()
  }
}
