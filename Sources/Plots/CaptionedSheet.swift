import ImageIO

/// Lays pictures out in a grid with a caption under each.
///
/// Long captions are broken into at most three lines; what does not fit ends in `...`.
///
/// - Parameters:
///   - images: at least one, of any sizes; every cell has the size of the largest.
///   - captions: one for each picture, printable ASCII; accents are dropped.
///   - columns: pictures in a row; `nil` makes the grid as square as it can be.
///   - padding: pixels around and between the cells.
///   - textSize: height of capitals in pixels.
/// - Returns: the sheet, on white.
public func captionedSheet(
  _ images: [Image], captions: [String], columns: Int? = nil, padding: Int = 12,
  textSize: Double = 8.5
) -> Image {
  precondition(
    images.count == captions.count && !images.isEmpty,
    "captionedSheet: \(images.count) pictures, \(captions.count) captions")
  let cellWidth = images.reduce(0) { max($0, $1.width) }
  let cellHeight = images.reduce(0) { max($0, $1.height) }
  let font = StrokeFont()
  let lines = captions.map {
    brokenIntoLines($0, width: Double(cellWidth), maxLines: 3) {
      font.width(of: $0, size: textSize)
    }
  }
  let lineHeight = textSize * 1.75
  let lineCount = lines.reduce(0) { max($0, $1.count) }
  let captionHeight = lineCount == 0 ? 0 : Int((Double(lineCount) * lineHeight + 4).rounded(.up))
  let cells = zip(images, lines).map { image, lines in
    var cell = Canvas(width: cellWidth, height: cellHeight + captionHeight)
    cell.draw(image, (cellWidth - image.width) / 2, (cellHeight - image.height) / 2)
    for (index, line) in lines.enumerated() {
      let baseline = Double(cellHeight) + 6 + textSize + Double(index) * lineHeight
      cell.drawText(
        line, at: Point(Double(cellWidth) / 2, baseline), size: textSize, RGB(40, 44, 52),
        anchor: .middle)
    }
    return cell.image
  }
  return contactSheet(cells, columns: columns, padding: padding)
}

/// Breaks a text at spaces, or inside of words that are wider than a line.
///
/// - Parameters:
///   - text: runs of white space count as one space.
///   - width: of a line.
///   - maxLines: the last line ends in `...` when there is more text.
///   - measure: the width of a line of text.
/// - Returns: no more than `maxLines` lines, none wider than `width` unless `...` alone is.
package func brokenIntoLines(
  _ text: String, width: Double, maxLines: Int, measure: (String) -> Double
) -> [String] {
  var lines: [String] = []
  var words = text.split(whereSeparator: \.isWhitespace).map(String.init)[...]
  var line = ""
  while let word = words.first {
    let longer = line.isEmpty ? word : line + " " + word
    if measure(longer) <= width {
      line = longer
      words.removeFirst()
    } else if line.isEmpty {
      var head = word
      while head.count > 1 && measure(head) > width { head.removeLast() }
      lines.append(head)
      words[words.startIndex] = String(word.dropFirst(head.count))
      if word.count == head.count { words.removeFirst() }
    } else {
      lines.append(line)
      line = ""
    }
  }
  if !line.isEmpty { lines.append(line) }
  guard lines.count > maxLines else { return lines }
  var last = lines[maxLines - 1]
  while !last.isEmpty && measure(last + "...") > width { last.removeLast() }
  return lines[..<(maxLines - 1)] + [last + "..."]
}
