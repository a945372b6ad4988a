import ImageIO
import Plots
import Testing

@Suite struct LineChartTests {
  private let blue = RGB(0, 0, 255)

  /// How many pixels are nearly `color`.
  private func count(_ color: RGB, in image: Image) -> Int {
    (0..<image.height).reduce(0) { sum, y in
      sum + (0..<image.width).filter { isNear(image[$0, y], color) }.count
    }
  }

  private func isNear(_ a: RGB, _ b: RGB) -> Bool {
    abs(Int(a.red) - Int(b.red)) + abs(Int(a.green) - Int(b.green))
      + abs(Int(a.blue) - Int(b.blue)) < 60
  }

  @Test func lineRunsFromCornerToCorner() {
    let image = LineChart(
      [.init("", y: (0...50).map { Double($0) }, color: blue)], width: 400, height: 300
    ).image
    #expect([image.width, image.height] == [400, 300])
    var columns: [Int: [Int]] = [:]
    for x in 0..<400 {
      columns[x] = (0..<300).filter { isNear(image[x, $0], blue) }
    }
    let drawn = columns.filter { !$0.value.isEmpty }.keys.sorted()
    #expect(drawn.count > 300, "the line is not broken")
    let heights = drawn.map {
      Double(columns[$0]?.reduce(0, +) ?? 0) / Double(columns[$0]?.count ?? 1)
    }
    #expect(zip(heights, heights.dropFirst()).allSatisfy { $0 >= $1 - 0.5 }, "it only rises")
    #expect(heights.first ?? 0 > 240 && heights.last ?? 300 < 50)
  }

  @Test func missingValuesBreakTheLine() {
    let whole = LineChart([.init("", y: [1, 2, 1, 2, 1], color: blue)], width: 300, height: 200)
    let broken = LineChart(
      [.init("", y: [1, 2, .nan, 2, 1], color: blue)], width: 300, height: 200)
    let ratio = Double(count(blue, in: broken.image)) / Double(count(blue, in: whole.image))
    #expect(ratio > 0.4 && ratio < 0.6)
  }

  @Test func smoothingDrawsTheAverageStrongly() {
    let y = (0..<400).map { $0 % 2 == 0 ? 0.0 : 1.0 }
    let image = LineChart([.init("", y: y, smoothing: 0.98, color: blue)], width: 500, height: 300)
      .image
    let rows = (0..<300).filter { isNear(image[400, $0], blue) }
    #expect(rows.count >= 1 && rows.count <= 4, "only the average is strong")
    #expect(rows.allSatisfy { $0 > 100 && $0 < 180 }, "and in the middle")
  }

  @Test(arguments: AxisScale.allCases)
  func oddInputIsDrawn(_ scale: AxisScale) {
    let series: [[Double]] = [
      [], [1], [.nan], [3, 3, 3], [-1, 0], [1e300, 1e-300], [-1.7e308, 1.7e308], [.infinity, 2],
    ]
    for y in series {
      let chart = LineChart(
        [.init("name", y: y, smoothing: 0.9)], title: "title", yScale: scale, width: 200,
        height: 150)
      #expect(chart.image.width == 200)
    }
    #expect(LineChart([]).image.height == 540)
  }

  @Test func thinningKeepsSpikes() {
    var y = [Double](repeating: 0, count: 200_000)
    y[123_456] = 1
    let image = LineChart([.init("", y: y, color: blue)], width: 400, height: 300).image
    let peak = (0..<300).first { row in (0..<400).contains { isNear(image[$0, row], blue) } }
    #expect((peak ?? 300) < 60)
  }
}

@Suite struct AxisTests {
  private func labels(
    _ low: Double, _ high: Double, _ maxTicks: Int = 6, scale: AxisScale = .linear
  ) -> [String] {
    Axis(values: [low, high], scale: scale, margin: 0, maxTicks: maxTicks).ticks.map(\.label)
  }

  @Test func linearTicksAreNice() {
    #expect(labels(0, 1) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(0, 20_000, 4) == ["0", "5k", "10k", "15k", "20k"])
    #expect(labels(-3, 3) == ["-3", "-2", "-1", "0", "1", "2", "3"])
    #expect(labels(0, 2_500_000, 5) == ["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"])
    #expect(labels(0.0001, 0.0003, 2) == ["1e-04", "2e-04", "3e-04"])
    #expect(labels(1000, 5000, 4) == ["1000", "2000", "3000", "4000", "5000"])
  }

  @Test func logarithmicTicksArePowersOfTen() {
    #expect(labels(1, 10_000, scale: .logarithmic) == ["1", "10", "100", "1000", "10k"])
    #expect(labels(0.05, 1.2, scale: .logarithmic) == ["0.05", "0.1", "0.2", "0.5", "1"])
    #expect(labels(10, 14, 4, scale: .logarithmic) == ["10", "11", "12", "13", "14"])
  }

  @Test func positionsSpanZeroToOne() {
    let linear = Axis(values: [2, 6], scale: .linear, margin: 0, maxTicks: 5)
    #expect(linear.position(2) == 0 && linear.position(5) == 0.75 && linear.position(6) == 1)
    #expect(linear.position(.nan) == nil)
    let log = Axis(values: [1, 100, -4], scale: .logarithmic, margin: 0, maxTicks: 5)
    #expect(log.position(10) == 0.5 && log.position(0) == nil)
  }

  @Test func averageOfAConstantIsTheConstant() {
    let flat = exponentialMovingAverage([5, 5, .nan, 5], weight: 0.9)
    for index in [0, 1, 3] { #expect(abs(flat[index] - 5) < 1e-12) }
    #expect(flat[2].isNaN)
    // Closed form: (0.5 * (0.5 * 1) + 0.5 * 3) / (1 - 0.25).
    let two = exponentialMovingAverage([1, 3], weight: 0.5)
    #expect(two[0] == 1 && abs(two[1] - 1.75 / 0.75) < 1e-12)
    #expect(exponentialMovingAverage([1, 3], weight: 0) == [1, 3])
  }
}
