import ComputeCore
import TestSupport
import Testing

@Suite struct EmbeddingTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("embedding").cases {
      let ids = try item.integers("ids")
      let shape = try #require(item.shape("ids"))
      try expectMatch(item, inputs: ["weight"]) {
        embedding(ids: ids, shape: shape, weight: $0[0])
      }
    }
  }

  @Test func gradientMatchesFiniteDifferences() {
    expectGradient(
      of: { embedding(ids: [1, 3, 1, 1, 0], shape: [5, 1], weight: $0[0]) }, shapes: [[4, 3]])
  }

  @Test func noIdsGiveAnEmptyResult() {
    #expect(embedding(ids: [], shape: [2, 0], weight: .ones([4, 3])).shape == [2, 0, 3])
  }
}
