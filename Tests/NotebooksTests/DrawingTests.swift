import ComputeCore
import ImageIO
import NotebookSupport
import Testing

@Suite struct DrawingTests {
  @Test func heatMapRunsFromDarkToLight() {
    let image = heatMap([[0, 1], [2, .nan]], range: 0...2, cell: 10)
    #expect((image.width, image.height) == (20, 20))
    #expect(image[1, 1] == RGB(38, 28, 92))
    #expect(image[18, 1] == RGB(36, 150, 140))
    #expect(image[1, 18] == RGB(252, 228, 60))
    #expect(image[18, 18] == RGB(160, 160, 160))
    #expect(image[10, 10] == .white)
  }

  @Test func heatMapOfEqualNumbersIsDark() {
    let image = heatMap([[3, 3, 3]], range: 3...3, cell: 4)
    #expect(image[0, 0] == RGB(38, 28, 92))
  }

  @Test func logarithmicMapsShareTheirColours() {
    let maps = logarithmicHeatMaps([[[1, 10]], [[100, 0.01]]], side: 4)
    #expect(maps.count == 2)
    // From 0.01 to 100 there are four powers of ten, one for each stop of the colours.
    #expect(maps[0][0, 0] == RGB(36, 150, 140))
    #expect(maps[0][6, 0] == RGB(120, 200, 92))
    #expect(maps[1][0, 0] == RGB(252, 228, 60))
    #expect(maps[1][6, 0] == RGB(38, 28, 92))
  }

  @Test func signsAreRedAndBlue() {
    let image = signMap([1, 0, -1, -5, 0.5, 0], width: 3, limit: 1)
    #expect((image.width, image.height) == (3, 2))
    #expect(image[0, 0] == RGB(255, 0, 0))
    #expect(image[1, 0] == .white)
    #expect(image[2, 0] == RGB(0, 0, 255))
    #expect(image[0, 1] == RGB(0, 0, 255))
    #expect(image[1, 1] == RGB(255, 128, 128))
  }

  @Test func picturesAreEnlargedByRepeatingPixels() {
    let batch = Tensor([-1, 1, 0, 3], [1, 2, 2, 1])
    let found = images(batch, side: 9)
    #expect(found.count == 1)
    #expect((found[0].width, found[0].height) == (8, 8))
    #expect(found[0][3, 3] == .black)
    #expect(found[0][4, 3] == .white)
    #expect(found[0][7, 7] == .white)
  }
}
