/// Lays pictures out in a grid, row by row.
///
/// Every cell has the size of the largest picture; smaller ones are centred in theirs.
///
/// - Parameters:
///   - images: at least one, of any sizes.
///   - columns: pictures in a row; `nil` makes the grid as square as it can be.
///   - padding: pixels around and between the cells.
///   - background: what shows around the pictures.
/// - Returns: the sheet.
public func contactSheet(
  _ images: [Image], columns: Int? = nil, padding: Int = 4, background: RGB = .white
) -> Image {
  precondition(!images.isEmpty, "contactSheet: no pictures")
  precondition(padding >= 0, "contactSheet: padding must be >= 0, got \(padding)")
  let columns = columns ?? Int(Double(images.count).squareRoot().rounded(.up))
  precondition(columns > 0, "contactSheet: columns must be > 0, got \(columns)")
  let used = min(columns, images.count)
  let rows = (images.count + used - 1) / used
  let cellWidth = images.reduce(0) { max($0, $1.width) }
  let cellHeight = images.reduce(0) { max($0, $1.height) }
  var sheet = Image(
    width: padding + used * (cellWidth + padding),
    height: padding + rows * (cellHeight + padding), color: background)
  for (index, image) in images.enumerated() {
    let (row, column) = index.quotientAndRemainder(dividingBy: used)
    sheet.paste(
      image,
      padding + column * (cellWidth + padding) + (cellWidth - image.width) / 2,
      padding + row * (cellHeight + padding) + (cellHeight - image.height) / 2)
  }
  return sheet
}
