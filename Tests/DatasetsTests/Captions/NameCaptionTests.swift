import Datasets
import Testing

@Suite struct NameCaptionTests {
  @Test(arguments: [
    ("red_apple-03", "red apple"), ("RedApple2", "red apple"),
    ("golden retriever", "golden retriever"),
    ("HTMLPage", "html page"), ("IMG_1234", ""), ("DSC00012", ""), ("P1010101", ""),
    ("PXL_20230504_101112", ""), ("IMG-20230101-WA0001", ""), ("20230101_120000", ""),
    ("1f3a9b2c-8d7e-4a1b-9c0d-00112233aabb", ""), ("3d_printer", "3d printer"),
    ("it's a dog (2)", "it's a dog"), ("caf\u{E9}-au-lait", "caf\u{E9} au lait"), ("", ""),
    ("___", ""),
    ("a.red.apple", "a red apple"), ("bed12", "bed"),
  ])
  func wordsAreFound(_ name: String, _ expected: String) {
    #expect(caption(fromName: name) == expected)
  }
}
