import ImageIO
import Plots
import Testing

@Suite struct CanvasTests {
  /// The sum over all pixels of how dark they are, 1 for black.
  private func ink(_ canvas: Canvas) -> Double {
    canvas.image.pixels.reduce(0) { $0 + Double(255 - Int($1)) } / (3 * 255)
  }

  @Test(arguments: [0.0, 3.3, 17.0, 40.0])
  func strokesHaveTheirArea(_ rise: Double) {
    var canvas = Canvas(width: 80, height: 60)
    canvas.stroke([[Point(10, 8), Point(60, 8 + rise)]], thickness: 3, .black)
    let length = (50 * 50 + rise * rise).squareRoot()
    let area = 3 * length + Double.pi * 1.5 * 1.5
    #expect(abs(ink(canvas) - area) < 0.03 * area)
  }

  @Test func crossingStrokesDoNotAddUp() {
    var once = Canvas(width: 30, height: 30)
    once.stroke([[Point(5, 15), Point(25, 15)]], thickness: 4, .black, opacity: 0.5)
    var twice = Canvas(width: 30, height: 30)
    let line = [Point(5, 15), Point(25, 15), Point(5, 15)]
    twice.stroke([line], thickness: 4, .black, opacity: 0.5)
    #expect(once.image == twice.image)
  }

  @Test func rectanglesCoverPartsOfPixels() {
    var canvas = Canvas(width: 8, height: 8)
    canvas.fill(Rectangle(1.5, 2, 3, 2.25), .black)
    #expect(abs(ink(canvas) - 3 * 2.25) < 0.02)
  }

  @Test func whatIsOutsideIsCutOff() {
    var canvas = Canvas(width: 10, height: 10)
    canvas.stroke([[Point(-1e9, 5), Point(1e9, 5)], [Point(500, 500)]], thickness: 2, .black)
    canvas.fill(Rectangle(-5, -5, 3, 3), .black)
    canvas.drawText("far away", at: Point(100, -40), size: 9, .black)
    canvas.draw(Image(width: 4, height: 4, color: .black), -2, 8)
    canvas.draw(Image(width: 4, height: 4, color: .black), 40, -40)
    #expect(abs(ink(canvas) - 24) < 0.1)
  }

  @Test func everyPrintableCharacterIsDrawnWithinItsWidth() {
    for code in UInt8(33)...126 {
      let text = String(Unicode.Scalar(code))
      var canvas = Canvas(width: 60, height: 60)
      canvas.drawText(text, at: Point(20, 40), size: 20, .black)
      #expect(ink(canvas) > 5, "\(text)")
      let image = canvas.image
      let columns = (0..<60).filter { x in (0..<60).contains { image[x, $0].red < 200 } }
      let end = 20 + canvas.textWidth(text, size: 20)
      #expect((columns.first ?? 0) >= 17 && Double(columns.last ?? 60) <= end + 3, "\(text)")
    }
  }

  @Test func otherCharactersAreReplaced() {
    #expect(String(StrokeFont.printable("Zoë’s café – größe 猫\n!")) == "Zoe's cafe - grosse ? !")
  }
}

@Suite struct CaptionedSheetTests {
  private func broken(_ text: String, _ width: Int) -> [String] {
    brokenIntoLines(text, width: Double(width), maxLines: 3) { Double($0.count) }
  }

  @Test func linesAreBrokenAtSpaces() {
    #expect(broken("a red apple", 20) == ["a red apple"])
    #expect(broken("a  red\napple", 7) == ["a red", "apple"])
    #expect(broken("", 7).isEmpty)
    #expect(broken("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"].dropLast(2) + ["i..."])
    #expect(broken("one two three four five", 5) == ["one", "two", "th..."])
    #expect(broken("ab", 0) == ["a", "b"])
  }

  @Test func picturesStayAsTheyAre() {
    let red = Image(width: 40, height: 30, color: RGB(255, 0, 0))
    let sheet = captionedSheet([red, red, red], captions: ["one", "", "three"], columns: 2)
    #expect(sheet.width == 12 + 2 * 52)
    #expect(sheet.cropped(12, 12, 40, 30) == red)
    #expect(sheet.cropped(64, 12, 40, 30) == red)
    let below = sheet.cropped(12, 43, 40, 15)
    #expect(below.pixels.contains { $0 < 100 }, "the caption is under its picture")
    let plain = captionedSheet([red], captions: [""])
    #expect(plain.height == 54)
  }
}
