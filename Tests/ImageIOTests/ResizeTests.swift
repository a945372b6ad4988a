import ImageIO
import Testing

@Suite struct ResizeTests {
  @Test func everyFilterEqualsPillow() throws {
    let cases = try Fixture.index().resize
    #expect(cases.count == 56)
    for resize in cases {
      let filter = try #require(ResizeFilter(rawValue: resize.filter))
      let image = try Fixture.expected(resize.source)
        .resized(to: resize.width, resize.height, filter: filter)
      expectSame(image, try Fixture.expected(resize.expected), resize.expected)
    }
  }

  @Test(arguments: ResizeFilter.allCases)
  func flatColoursStayFlat(_ filter: ResizeFilter) {
    let color = RGB(13, 200, 255)
    for size in [[1, 1], [7, 40], [100, 3]] {
      let image = Image(width: 31, height: 17, color: color)
        .resized(to: size[0], size[1], filter: filter)
      #expect(image == Image(width: size[0], height: size[1], color: color))
    }
  }

  @Test func sameSizeIsTheSamePicture() {
    #expect(noise(9, 5).resized(to: 9, 5) == noise(9, 5))
  }

  @Test func boxByTwoIsTheMeanOfFour() {
    let image = Image(width: 2, height: 2, pixels: [0, 0, 9, 10, 0, 9, 20, 0, 9, 30, 4, 9])
    #expect(image.resized(to: 1, 1, filter: .box).pixels == [15, 1, 9])
  }
}
