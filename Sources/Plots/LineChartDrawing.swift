import ImageIO

/// The drawing of one `LineChart`: layout first, then back to front.
struct LineChartDrawing {
  private enum Ink {
    static let text = RGB(40, 44, 52)
    static let label = RGB(98, 104, 114)
    static let grid = RGB(230, 232, 236)
    static let axis = RGB(150, 155, 164)
  }

  private static let margin = 18.0
  private static let titleSize = 13.0
  private static let labelSize = 9.5
  private static let tickSize = 8.5

  private let chart: LineChart
  private var canvas: Canvas
  private let xAxis: Axis
  private let yAxis: Axis
  private var area: Rectangle

  init(_ chart: LineChart) {
    self.chart = chart
    canvas = Canvas(width: chart.width, height: chart.height)
    xAxis = Axis(
      values: chart.series.lazy.flatMap(\.x), scale: .linear, margin: 0,
      maxTicks: max(2, chart.width / 110))
    yAxis = Axis(
      values: chart.series.lazy.flatMap(\.y), scale: chart.yScale, margin: 0.05,
      maxTicks: max(2, chart.height / 70))
    let top = Self.margin + (chart.title.isEmpty ? 0 : Self.titleSize + 14)
    let legend = chart.series.contains { !$0.name.isEmpty } ? Self.labelSize + 14 : 0
    let bottom = Self.margin + Self.tickSize + 8 + (chart.xLabel.isEmpty ? 0 : Self.labelSize + 12)
    let tickWidth =
      yAxis.ticks.map { [canvas] in canvas.textWidth($0.label, size: Self.tickSize) }.max() ?? 0
    let left = Self.margin + tickWidth + 10 + (chart.yLabel.isEmpty ? 0 : Self.labelSize + 14)
    area = Rectangle(
      left.rounded(), (top + legend).rounded(),
      (Double(chart.width) - left - Self.margin - 6).rounded(),
      (Double(chart.height) - top - legend - bottom).rounded())
  }

  mutating func drawn() -> Image {
    drawGrid()
    for (index, series) in chart.series.enumerated() {
      drawSeries(series, color(index))
    }
    drawAxes()
    drawTitles()
    drawLegend()
    return canvas.image
  }

  private func color(_ index: Int) -> RGB {
    chart.series[index].color ?? LineChart.palette[index % LineChart.palette.count]
  }

  private func x(_ position: Double) -> Double { area.x + position * area.width }
  private func y(_ position: Double) -> Double { area.maxY - position * area.height }

  private mutating func drawGrid() {
    for tick in yAxis.ticks {
      guard let position = yAxis.position(tick.value) else { continue }
      let line = y(position).rounded(.down)
      canvas.fill(Rectangle(area.x, line, area.width, 1), Ink.grid)
      canvas.drawText(
        tick.label, at: Point(area.x - 9, line + 0.5 + Self.tickSize / 2), size: Self.tickSize,
        Ink.label, anchor: .end)
    }
    for tick in xAxis.ticks {
      guard let position = xAxis.position(tick.value) else { continue }
      let line = min(x(position).rounded(.down), area.maxX - 1)
      canvas.fill(Rectangle(line, area.y, 1, area.height), Ink.grid)
      canvas.fill(Rectangle(line, area.maxY, 1, 5), Ink.axis)
      canvas.drawText(
        tick.label, at: Point(line + 0.5, area.maxY + 9 + Self.tickSize), size: Self.tickSize,
        Ink.label, anchor: .middle)
    }
  }

  private mutating func drawAxes() {
    canvas.fill(Rectangle(area.x - 1, area.y, 1, area.height + 1), Ink.axis)
    canvas.fill(Rectangle(area.x - 1, area.maxY, area.width + 1, 1), Ink.axis)
  }

  private mutating func drawSeries(_ series: LineChart.Series, _ color: RGB) {
    guard let weight = series.smoothing else {
      return drawLine(series.x, series.y, color, thickness: 1.8, opacity: 1)
    }
    drawLine(series.x, series.y, color, thickness: 1.1, opacity: 0.28)
    let average = exponentialMovingAverage(series.y, weight: weight)
    drawLine(series.x, average, color, thickness: 2.2, opacity: 1)
  }

  private mutating func drawLine(
    _ xs: [Double], _ ys: [Double], _ color: RGB, thickness: Double, opacity: Double
  ) {
    var lines: [[Point]] = [[]]
    for (xValue, yValue) in zip(xs, ys) {
      if let px = xAxis.position(xValue), let py = yAxis.position(yValue) {
        lines[lines.count - 1].append(Point(x(px), y(py)))
      } else if lines.last?.isEmpty == false {
        lines.append([])
      }
    }
    let clip = Rectangle(area.x, area.y - 2, area.width + 3, area.height + 4)
    canvas.stroke(
      lines.filter { !$0.isEmpty }.map(thinned), thickness: thickness, color, opacity: opacity,
      clip: clip)
  }

  /// Keeps of all points in one column of pixels the first, the lowest, the highest and the last.
  private func thinned(_ line: [Point]) -> [Point] {
    guard Double(line.count) > 4 * area.width else { return line }
    var result: [Point] = []
    var start = 0
    while start < line.count {
      let column = line[start].x.rounded(.down)
      let end = line[start...].firstIndex { $0.x.rounded(.down) != column } ?? line.count
      let low = line[start..<end].indices.min { line[$0].y < line[$1].y } ?? start
      let high = line[start..<end].indices.max { line[$0].y < line[$1].y } ?? start
      result += Set([start, low, high, end - 1]).sorted().map { line[$0] }
      start = end
    }
    return result
  }

  private mutating func drawTitles() {
    canvas.drawText(
      chart.title, at: Point(Self.margin, Self.margin + Self.titleSize), size: Self.titleSize,
      Ink.text, weight: 0.165)
    canvas.drawText(
      chart.xLabel, at: Point(area.x + area.width / 2, Double(chart.height) - Self.margin),
      size: Self.labelSize, Ink.text, anchor: .middle)
    canvas.drawText(
      chart.yLabel, at: Point(Self.margin + Self.labelSize, area.y + area.height / 2),
      size: Self.labelSize, Ink.text, anchor: .middle, isUpward: true)
  }

  /// A row of names above the chart, as many as there is room for.
  private mutating func drawLegend() {
    var left = area.x
    let baseline = area.y - 12
    for (index, series) in chart.series.enumerated() where !series.name.isEmpty {
      let width = canvas.textWidth(series.name, size: Self.labelSize)
      guard left + 28 + width <= area.maxX else { return }
      let middle = baseline - Self.labelSize / 2
      canvas.stroke(
        [[Point(left + 2, middle), Point(left + 18, middle)]], thickness: 3, color(index))
      canvas.drawText(
        series.name, at: Point(left + 28, baseline), size: Self.labelSize, Ink.text)
      left += 28 + width + 26
    }
  }
}
