import Evaluation
import ImageIO
import Testing

@Suite struct ConfusionPictureTests {
  private func matrix(_ count: Int) -> ConfusionMatrix {
    var matrix = ConfusionMatrix(classNames: (0..<count).map { "class \($0)" })
    for index in 0..<count {
      for _ in 0..<9 { matrix.add(actual: index, predicted: index) }
    }
    matrix.add(actual: 0, predicted: 1)
    return matrix
  }

  @Test func rightIsBlueAndWrongIsOrange() {
    let picture = matrix(3).picture()
    let pixels = stride(from: 0, to: picture.pixels.count, by: 3).map {
      RGB(picture.pixels[$0], picture.pixels[$0 + 1], picture.pixels[$0 + 2])
    }
    let blue = pixels.count { Int($0.blue) > Int($0.red) + 100 }
    let orange = pixels.count { Int($0.red) > Int($0.blue) + 40 }
    // Three cells of 45x45, less the numbers, and one.
    #expect(blue > 3 * 45 * 45 * 3 / 4 && blue <= 3 * 45 * 45)
    #expect(orange > 45 * 45 * 3 / 4 && orange <= 45 * 45)
  }

  @Test(arguments: [1, 2, 30, 31, 1_000]) func anyNumberOfClassesFits(_ count: Int) {
    let picture = matrix(max(2, count)).picture(title: "Title")
    #expect(picture.width < 4_200 && picture.height < 4_200)
  }
}
