import Datasets
import Testing

@Suite struct CSVTests {
  @Test func quotesCommasAndLineEndsAreRead() throws {
    let rows = try parseCSV(
      "a,b\r\n\"x, y\",\"he said \"\"no\"\"\"\n\n\"two\nlines\",\n1,2", path: "f")
    #expect(
      rows == [
        CSVRow(line: 1, fields: ["a", "b"]), CSVRow(line: 2, fields: ["x, y", "he said \"no\""]),
        CSVRow(line: 4, fields: ["two\nlines", ""]), CSVRow(line: 6, fields: ["1", "2"]),
      ])
    #expect(try parseCSV("", path: "f").isEmpty)
  }

  @Test func brokenQuotesAreNamed() throws {
    let open = try datasetError { () throws(DatasetError) in
      _ = try parseCSV("a,b\nc,\"d\ne\n", path: "f")
    }
    #expect(
      open
        == .brokenMetadata(path: "f", line: 2, detail: "a quote is opened here and never closed"))
    let after = try datasetError { () throws(DatasetError) in
      _ = try parseCSV("a,\"b\"c", path: "f")
    }
    #expect(after.description.hasPrefix("f, line 1: \"c\" follows a closing quote"))
  }
}
