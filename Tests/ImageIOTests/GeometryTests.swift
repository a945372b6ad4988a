import ImageIO
import Testing

/// A picture whose pixel (x, y) is (x, y, 7).
private func coordinates(_ width: Int, _ height: Int) -> Image {
  var image = Image(width: width, height: height)
  for y in 0..<height {
    for x in 0..<width { image[x, y] = RGB(UInt8(x), UInt8(y), 7) }
  }
  return image
}

@Suite struct GeometryTests {
  @Test func cropTakesTheNamedPixels() {
    let crop = coordinates(9, 6).cropped(2, 1, 4, 3)
    #expect([crop.width, crop.height] == [4, 3])
    #expect(crop[0, 0] == RGB(2, 1, 7))
    #expect(crop[3, 2] == RGB(5, 3, 7))
  }

  @Test func centerCropIsTheLargestOfItsAspect() {
    let wide = coordinates(90, 40).centerCropped(aspect: 1)
    #expect([wide.width, wide.height] == [40, 40])
    #expect(wide[0, 0] == RGB(25, 0, 7))
    let tall = coordinates(40, 90).centerCropped(aspect: 2)
    #expect([tall.width, tall.height] == [40, 20])
    #expect(tall[0, 0] == RGB(0, 35, 7))
    let extreme = coordinates(40, 90).centerCropped(aspect: 1e6)
    #expect([extreme.width, extreme.height] == [40, 1])
    let filled = coordinates(90, 40).resizedToFill(20, 20)
    #expect([filled.width, filled.height] == [20, 20])
  }

  @Test func flipsAndTurnsMovePixels() {
    let image = coordinates(5, 3)
    #expect(image.flippedHorizontally[0, 1] == RGB(4, 1, 7))
    #expect(image.flippedVertically[1, 0] == RGB(1, 2, 7))
    let turned = image.rotated(quarterTurns: 1)
    #expect([turned.width, turned.height] == [3, 5])
    #expect(turned[2, 0] == RGB(0, 0, 7), "the top left corner goes to the top right")
    #expect(image.rotated(quarterTurns: -1) == image.rotated(quarterTurns: 3))
    #expect(image.rotated(quarterTurns: 1).rotated(quarterTurns: 3) == image)
    #expect(image.rotated(quarterTurns: 2) == image.flippedHorizontally.flippedVertically)
  }

  @Test func everyOrientationHasItsInverse() {
    let image = noise(7, 4)
    let inverses = [1, 2, 3, 4, 5, 8, 7, 6].compactMap(EXIFOrientation.init(rawValue:))
    for (orientation, inverse) in zip(EXIFOrientation.allCases, inverses) {
      #expect(image.oriented(orientation).oriented(inverse) == image)
    }
  }

  @Test func contactSheetPlacesPicturesInRows() {
    let red = Image(width: 4, height: 4, color: RGB(255, 0, 0))
    let blue = Image(width: 2, height: 2, color: RGB(0, 0, 255))
    let sheet = contactSheet([red, red, blue], columns: 2, padding: 3, background: .black)
    #expect([sheet.width, sheet.height] == [17, 17])
    #expect(sheet[0, 0] == .black)
    #expect(sheet[3, 3] == RGB(255, 0, 0) && sheet[13, 6] == RGB(255, 0, 0))
    #expect(sheet[3, 10] == .black && sheet[4, 11] == RGB(0, 0, 255), "smaller ones are centred")
    #expect(sheet[13, 13] == .black)
    let square = contactSheet(Array(repeating: red, count: 5), padding: 0)
    #expect([square.width, square.height] == [12, 8])
  }
}

@Suite struct FloatsTests {
  @Test func everyByteSurvivesTheRoundTrip() {
    let image = Image(width: 256, height: 1, pixels: (0..<256 * 3).map { UInt8($0 / 3) })
    let floats = image.floats()
    #expect(floats.first == -1 && floats.last == 1)
    #expect(Image(width: 256, height: 1, floats: floats) == image)
  }

  @Test func roundsHalfUpAndClamps() {
    let values: [Float] = [-1, 1, 0, -5, 5, .nan, .infinity, -.infinity, -1 + 1.0 / 255]
    let image = Image(width: 3, height: 1, floats: values)
    #expect(image.pixels == [0, 255, 128, 0, 255, 0, 255, 0, 1])
  }
}
