import ComputeCore

/// Height and width of an activation.
package struct TileSize: Equatable {
  /// Rows.
  package let height: Int
  /// Columns.
  package let width: Int

  /// A size.
  package init(height: Int, width: Int) {
    (self.height, self.width) = (height, width)
  }

  /// The same change of both.
  func map(_ change: (Int) -> Int) -> TileSize {
    TileSize(height: change(height), width: change(width))
  }
}

/// A rectangle of pixels of an activation.
package struct TileRegion: Equatable {
  /// From the top.
  package let rows: Range<Int>
  /// From the left.
  package let columns: Range<Int>

  /// The same change of both ranges; told the range and the length it lies in.
  func map(in size: TileSize, _ change: (Range<Int>, Int) -> Range<Int>) -> TileRegion {
    TileRegion(rows: change(rows, size.height), columns: change(columns, size.width))
  }

  /// What a 3x3 convolution reads to make this region of an activation of `size`.
  func grown(in size: TileSize) -> TileRegion {
    map(in: size) { range, length in
      max(0, range.lowerBound - 1)..<min(length, range.upperBound + 1)
    }
  }

  /// Zeros that a 3x3 convolution needs around `grown(in:)`: only where the activation ends.
  func padding(in size: TileSize) -> Padding {
    Padding(
      top: rows.lowerBound == 0 ? 1 : 0, bottom: rows.upperBound == size.height ? 1 : 0,
      left: columns.lowerBound == 0 ? 1 : 0, right: columns.upperBound == size.width ? 1 : 0)
  }

  /// Regions of about the same size, at most `side` wide and high, that cover an activation.
  package static func tiles(of size: TileSize, side: Int) -> [TileRegion] {
    let columns = ranges(size.width, side)
    return ranges(size.height, side).flatMap { rows in
      columns.map { TileRegion(rows: rows, columns: $0) }
    }
  }

  /// Parts that begin at even places, as the tiles of Winograd's algorithm do.
  private static func ranges(_ length: Int, _ side: Int) -> [Range<Int>] {
    let side = max(2, side / 2 * 2)
    let count = (length + side - 1) / side
    func bound(_ index: Int) -> Int {
      index == count ? length : (length + 1) / 2 * index / count * 2
    }
    return (0..<count).map { bound($0)..<bound($0 + 1) }
  }
}

/// A region of an activation `[1, rows, columns, C]`.
struct Tile {
  let x: Tensor
  let region: TileRegion

  /// The part of it that is `smaller`, which must lie inside.
  func cropped(to smaller: TileRegion) -> Tensor {
    func part(_ inner: Range<Int>, _ outer: Range<Int>) -> Range<Int> {
      inner.lowerBound - outer.lowerBound..<inner.upperBound - outer.lowerBound
    }
    return x.sliced(axis: 1, part(smaller.rows, region.rows))
      .sliced(axis: 2, part(smaller.columns, region.columns))
  }
}
