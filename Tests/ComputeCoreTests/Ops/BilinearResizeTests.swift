import ComputeCore
import TestSupport
import Testing

@Suite struct BilinearResizeTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("bilinear").cases {
      let size = item.int("size")
      expectClose(
        bilinearResized(try item.tensor("x"), height: size, width: size), try item.tensor("y"))
    }
  }
}
