import ComputeCore
import ImageIO
import Testing

@Suite struct TensorsTests {
  @Test func batchesBecomePictures() {
    let pictures = (0..<3).map { index in
      Image(
        width: 4, height: 2, pixels: (0..<24).map { UInt8(($0 * 11 + index * 85) % 256) })
    }
    let batch = Tensor(pictures.flatMap { $0.floats() }, [3, 2, 4, 3])
    #expect(Image.pictures(of: batch) == pictures)
    #expect(Image.pictures(of: Tensor.zeros([0, 2, 4, 3])).isEmpty)
    #expect(Image.pictures(of: batch * 100)[0].pixels.allSatisfy { $0 == 0 || $0 == 255 })
  }

  @Test func otherShapesStop() async {
    await #expect(processExitsWith: .failure) {
      _ = Image.pictures(of: Tensor.zeros([1, 2, 4, 4]))
    }
  }
}
