import CKernels

/// A matrix of 64-bit numbers, for statistics whose differences matter.
package struct DoubleMatrix: Equatable, Sendable {
  /// Number of rows.
  package let rows: Int
  /// Number of columns.
  package let columns: Int
  /// `[rows, columns]`, row by row.
  package var values: [Double]

  /// A matrix of its elements, or of zeros.
  package init(rows: Int, columns: Int, values: [Double]? = nil) {
    precondition(
      values == nil || values?.count == rows * columns,
      "DoubleMatrix: \(values?.count ?? 0) values are no \(rows)x\(columns) matrix")
    (self.rows, self.columns) = (rows, columns)
    self.values = values ?? [Double](repeating: 0, count: rows * columns)
  }

  /// The element in row `row`, column `column`.
  package subscript(_ row: Int, _ column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// The sum of the diagonal.
  package var trace: Double {
    (0..<min(rows, columns)).reduce(0) { $0 + self[$1, $1] }
  }

  /// Rows and columns exchanged.
  package var transposed: DoubleMatrix {
    var result = DoubleMatrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { result[column, row] = self[row, column] }
    }
    return result
  }

  /// Adds `a · bᵀ`.
  ///
  /// - Parameters:
  ///   - a: `[rows, K]`.
  ///   - b: `[columns, K]`.
  ///   - isSymmetric: promises that the result equals its transpose, which saves half the work.
  package mutating func addProduct(
    _ a: DoubleMatrix, transposing b: DoubleMatrix, isSymmetric: Bool = false
  ) {
    precondition(
      a.rows == rows && b.rows == columns && a.columns == b.columns
        && (!isSymmetric || rows == columns),
      "DoubleMatrix: \(a.rows)x\(a.columns) times \(b.columns)x\(b.rows) is no \(rows)x\(columns)")
    let tiles = ProductTiles(rows: rows, columns: columns, inner: a.columns, isLower: isSymmetric)
    values.withUnsafeMutableBufferPointer { y in
      a.values.withUnsafeBufferPointer { a in
        b.values.withUnsafeBufferPointer { b in
          guard let y = y.baseAddress, let a = a.baseAddress, let b = b.baseAddress else { return }
          tiles.add(y, a, b)
        }
      }
    }
    if isSymmetric { mirrorLowerHalf() }
  }

  /// `a · bᵀ` of `[M, K]` and `[N, K]`.
  package static func product(
    _ a: DoubleMatrix, transposing b: DoubleMatrix, isSymmetric: Bool = false
  ) -> DoubleMatrix {
    var y = DoubleMatrix(rows: a.rows, columns: b.rows)
    y.addProduct(a, transposing: b, isSymmetric: isSymmetric)
    return y
  }

  private mutating func mirrorLowerHalf() {
    for row in 0..<rows {
      for column in 0..<row { self[column, row] = self[row, column] }
    }
  }
}

/// A product cut into tiles that fit the cache, each summed in one order by one thread.
private struct ProductTiles {
  private static let edge = 64
  private static let depth = 512

  let rows: Int
  let columns: Int
  let inner: Int
  /// Whether tiles right of the diagonal are left out.
  let isLower: Bool

  /// `y += a · bᵀ`.
  func add(
    _ y: UnsafeMutablePointer<Double>, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>
  ) {
    let across = (columns + Self.edge - 1) / Self.edge
    let down = (rows + Self.edge - 1) / Self.edge
    ThreadPool.shared.run(items: across * down) { item in
      let (row, column) = (item / across * Self.edge, item % across * Self.edge)
      guard !isLower || column <= row else { return }
      for start in stride(from: 0, to: inner, by: Self.depth) {
        ck_add_product_f64(
          y + row * columns + column, columns, a + row * inner + start, inner,
          b + column * inner + start, inner, min(Self.edge, rows - row),
          min(Self.edge, columns - column), min(Self.depth, inner - start))
      }
    }
  }
}
