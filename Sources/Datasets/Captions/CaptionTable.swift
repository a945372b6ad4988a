import Foundation

/// The captions that one metadata file gives, by the name of the picture.
struct CaptionTable {
  /// What a line says about a picture.
  struct Entry: Equatable {
    let line: Int
    let captions: [String]
    let repeats: Int?
  }

  /// The file names that are read, first choice first.
  static let fileNames = ["metadata.jsonl", "metadata.csv"]

  let path: String
  /// By the picture's name as seen from the metadata file's folder.
  private(set) var entries: [String: Entry] = [:]

  init(_ file: ListedFile) throws(DatasetError) {
    path = file.path
    let text = try readText(file.path)
    if file.fileExtension == "csv" { try readCSV(text) } else { try readJSONLines(text) }
  }

  private mutating func readJSONLines(_ text: String) throws(DatasetError) {
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, content) in lines.enumerated()
    where !content.allSatisfy(\.isWhitespace) {
      let line = index + 1
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let parsed: MetadataLine
      do {
        parsed = try decoder.decode(MetadataLine.self, from: Data(content.utf8))
      } catch {
        throw broken(line, Self.explain(error, in: content))
      }
      let alternatives = (parsed.captions ?? []).map(cleanCaption)
      let main = (parsed.text ?? parsed.caption).map { [cleanCaption($0)] } ?? []
      try add(parsed.fileName, main + alternatives, parsed.repeats, line: line)
    }
  }

  private mutating func readCSV(_ text: String) throws(DatasetError) {
    let rows = try parseCSV(text, path: path)
    guard let header = rows.first else {
      throw broken(1, "the file is empty; the first line must name the columns: file_name,text")
    }
    let names = header.fields.map { cleanCaption($0).lowercased() }
    guard let nameColumn = names.firstIndex(of: "file_name"),
      let textColumn = names.firstIndex(of: "text") ?? names.firstIndex(of: "caption")
    else {
      throw broken(
        header.line,
        "the columns are \(names.joined(separator: ", ")); \"file_name\" and \"text\" are needed")
    }
    let repeatsColumn = names.firstIndex(of: "repeats")
    for row in rows.dropFirst() {
      guard row.fields.count == names.count else {
        throw broken(
          row.line,
          "\(row.fields.count) fields, but \(names.count) columns;"
            + " put a text that contains commas in quotes")
      }
      var repeats: Int?
      if let field = repeatsColumn.map({ cleanCaption(row.fields[$0]) }), !field.isEmpty {
        guard let number = Int(field) else {
          throw broken(row.line, "\"repeats\" must be a whole number, found \"\(field)\"")
        }
        repeats = number
      }
      try add(
        row.fields[nameColumn], [cleanCaption(row.fields[textColumn])], repeats, line: row.line)
    }
  }

  private mutating func add(
    _ name: String, _ captions: [String], _ repeats: Int?, line: Int
  ) throws(DatasetError) {
    var parts: [Substring] = []
    for part in name.split(separator: "/") where part != "." {
      guard part != ".." else { throw broken(line, outside(name)) }
      parts.append(part)
    }
    guard !name.hasPrefix("/") else { throw broken(line, outside(name)) }
    guard !parts.isEmpty else { throw broken(line, "\"file_name\" is empty") }
    guard !captions.isEmpty else {
      throw broken(line, "\"text\" is missing; it holds the caption of \"\(name)\"")
    }
    if let repeats, !(1...FolderCaption.maxRepeats).contains(repeats) {
      throw broken(
        line, "\"repeats\" must be from 1 to \(FolderCaption.maxRepeats), found \(repeats)")
    }
    let key = parts.joined(separator: "/")
    if let earlier = entries[key] {
      throw broken(
        line,
        "\"\(name)\" was described on line \(earlier.line) already; delete one of the lines,"
          + " or list the texts in \"captions\"")
    }
    entries[key] = Entry(line: line, captions: captions.uniqued(), repeats: repeats)
  }

  private func outside(_ name: String) -> String {
    "\"\(name)\" is outside of the folder; \"file_name\" is a path inside of this file's folder"
  }

  private func broken(_ line: Int, _ detail: String) -> DatasetError {
    .brokenMetadata(path: path, line: line, detail: detail)
  }

  private static func explain(_ error: any Error, in content: Substring) -> String {
    let start = content.count > 60 ? "\(content.prefix(60))..." : String(content)
    let example = #"{"file_name": "a.png", "text": "a red apple"}"#
    switch error {
    case DecodingError.keyNotFound(let key, _):
      let name = key.stringValue == "fileName" ? "file_name" : key.stringValue
      return "\"\(name)\" is missing in \(start); a line looks like \(example)"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      switch context.codingPath.first?.stringValue {
      case nil: return "the line must be an object, found \(start); a line looks like \(example)"
      case "captions": return "\"captions\" must be a list of texts, found \(start)"
      case "repeats": return "\"repeats\" must be a whole number, found \(start)"
      case "fileName": return "\"file_name\" must be a text, found \(start)"
      case let key?: return "\"\(key)\" must be a text, found \(start)"
      }
    default:
      return "this is not a JSON object: \(start); a line looks like \(example)"
    }
  }
}

private struct MetadataLine: Decodable {
  let fileName: String
  let text: String?
  let caption: String?
  let captions: [String]?
  let repeats: Int?
}

/// Drops white space around a caption and makes every run of it inside one space.
func cleanCaption(_ text: some StringProtocol) -> String {
  text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

extension Array where Element: Hashable {
  /// The elements without later repetitions.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
