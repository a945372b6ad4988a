/// A row of a CSV file and the line it starts on, counted from 1.
package struct CSVRow: Equatable {
  package let line: Int
  package let fields: [String]

  package init(line: Int, fields: [String]) {
    self.line = line
    self.fields = fields
  }
}

/// Splits comma-separated values into rows; rows without any text are left out.
///
/// Source: RFC 4180; line ends may be LF too, quoted fields may hold commas, line ends and doubled
/// quotes.
///
/// - Throws: `DatasetError.brokenMetadata` when a quote is never closed, or text follows its end.
package func parseCSV(_ text: String, path: String) throws(DatasetError) -> [CSVRow] {
  var parser = CSVParser(path: path)
  for scalar in text.unicodeScalars { try parser.take(scalar) }
  return try parser.finish()
}

private struct CSVParser {
  private enum State {
    case fieldStart
    case plain
    case quoted
    case quoteInQuoted
  }

  let path: String
  private var state = State.fieldStart
  private var rows: [CSVRow] = []
  private var fields: [String] = []
  private var field = String.UnicodeScalarView()
  private var line = 1
  private var rowLine = 1
  private var quoteLine = 1

  init(path: String) { self.path = path }

  mutating func take(_ scalar: Unicode.Scalar) throws(DatasetError) {
    defer { if scalar == "\n" { line += 1 } }
    switch (state, scalar) {
    case (.quoted, "\""): state = .quoteInQuoted
    case (.quoted, _): field.append(scalar)
    case (.quoteInQuoted, "\""):
      field.append(scalar)
      state = .quoted
    case (.fieldStart, "\""):
      state = .quoted
      quoteLine = line
    case (_, ","): endField()
    case (_, "\n"): endRow()
    case (_, "\r"): break
    case (.quoteInQuoted, _):
      throw .brokenMetadata(
        path: path, line: line,
        detail: "\"\(scalar)\" follows a closing quote; write a quote inside of a field twice")
    default:
      field.append(scalar)
      state = .plain
    }
  }

  mutating func finish() throws(DatasetError) -> [CSVRow] {
    if state == .quoted {
      throw .brokenMetadata(
        path: path, line: quoteLine, detail: "a quote is opened here and never closed")
    }
    endRow()
    return rows
  }

  private mutating func endField() {
    fields.append(String(field))
    field = String.UnicodeScalarView()
    state = .fieldStart
  }

  private mutating func endRow() {
    endField()
    if fields.contains(where: { !$0.isEmpty }) {
      rows.append(CSVRow(line: rowLine, fields: fields))
    }
    fields = []
    rowLine = line + 1
  }
}
