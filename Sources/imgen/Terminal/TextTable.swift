/// Lines of aligned columns, which can be printed one by one because widths are given.
struct TextTable {
  /// A column's title and the least width of its cells.
  struct Column {
    let title: String
    let width: Int
    /// Whether cells are aligned to the right.
    var isNumber = true
  }

  let columns: [Column]

  /// The titles.
  var header: String { line(columns.map(\.title)) }

  /// One line; a cell that is wider than its column moves the rest.
  func line(_ cells: [String]) -> String {
    let padded = zip(columns, cells).map { column, cell in
      let spaces = String(
        repeating: " ", count: max(0, max(column.width, column.title.count) - cell.count))
      return column.isNumber ? spaces + cell : cell + spaces
    }
    let text = padded.joined(separator: "  ")
    return String(text.reversed().drop { $0 == " " }.reversed())
  }
}
