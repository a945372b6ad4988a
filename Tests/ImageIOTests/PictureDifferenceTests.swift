import Foundation
import ImageIO
import Testing

@Suite struct PictureDifferenceTests {
  private let picture = Image(width: 4, height: 2, pixels: (0..<24).map { UInt8($0 * 10) })

  @Test func equalPicturesDoNotDiffer() {
    let difference = PictureDifference(picture, picture)
    #expect((difference.worst, difference.mean, difference.differingPixels) == (0, 0, 0))
    #expect(difference.peakSignalToNoise == nil)
  }

  /// One grey level everywhere is 20 log10(255) dB by the formula, all of them 0 dB.
  @Test(arguments: [(1, 48.130803608679), (255, 0.0), (51, 13.979400086720)])
  func pictureOfOneLevelApartHasTheFormulasRatio(_ level: Int, _ decibels: Double) throws {
    let grey = RGB(UInt8(level), UInt8(level), UInt8(level))
    let difference = PictureDifference(
      Image(width: 3, height: 5, color: .black), Image(width: 3, height: 5, color: grey))
    #expect(difference.worst == level && difference.mean == Double(level))
    #expect(difference.differingShare == 1 && difference.pixels == 15)
    #expect(abs(try #require(difference.peakSignalToNoise) - decibels) < 1e-9)
  }

  @Test func aPixelCountsOnceWhateverItsChannelsDo() throws {
    var other = picture
    let color = picture[1, 1]
    other[1, 1] = RGB(color.red + 3, color.green - 1, color.blue)
    let difference = PictureDifference(other, picture)
    #expect(difference.worst == 3 && difference.differingPixels == 1)
    #expect(difference.mean == 4.0 / 24 && difference.differingShare == 1.0 / 8)
    let ratio = 10 * log10(255.0 * 255 * 24 / (9 + 1))
    #expect(abs(try #require(difference.peakSignalToNoise) - ratio) < 1e-9)
    #expect(PictureDifference(picture, other) == difference)
  }

  @Test func differencesAreMadeVisible() {
    var other = picture
    other[2, 0] = RGB(0, 255, 83)
    let shown = picture.difference(from: other, times: 20)
    #expect(shown[2, 0] == RGB(255, 255, 60))
    #expect(shown[1, 0] == .black)
  }
}
