import ComputeCore

/// A matrix of 64-bit numbers, column after column.
package struct Matrix: Sendable {
  /// Number of rows.
  package let rows: Int
  /// Number of columns.
  package let columns: Int
  /// Element (i, j) is at `j · rows + i`.
  package var values: [Double]

  /// Zero everywhere.
  package init(rows: Int, columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    values = [Double](repeating: 0, count: rows * columns)
  }

  /// A tensor's first axis against all others.
  package init(_ x: Tensor) {
    let rows = x.shape[0]
    let columns = x.count / max(1, rows)
    self.init(rows: rows, columns: columns)
    let source = x.values
    for i in 0..<rows {
      for j in 0..<columns { values[j * rows + i] = Double(source[i * columns + j]) }
    }
  }

  /// Row i, column j.
  package subscript(i: Int, j: Int) -> Double {
    get { values[j * rows + i] }
    set { values[j * rows + i] = newValue }
  }

  /// Rows and columns exchanged.
  package var transposed: Matrix {
    var y = Matrix(rows: columns, columns: rows)
    for j in 0..<columns {
      for i in 0..<rows { y[j, i] = self[i, j] }
    }
    return y
  }

  /// The first columns.
  package func prefix(columns count: Int) -> Matrix {
    var y = Matrix(rows: rows, columns: count)
    y.values = Array(values[..<(rows * count)])
    return y
  }

  /// The numbers row by row, in 32 bits.
  package func tensor(_ shape: Shape) -> Tensor {
    var numbers: [Float] = []
    numbers.reserveCapacity(values.count)
    for i in 0..<rows {
      for j in 0..<columns { numbers.append(Float(self[i, j])) }
    }
    return Tensor(numbers, shape)
  }

  /// The product of two matrices; sums run in the order of the rows of `b`.
  package static func * (a: Matrix, b: Matrix) -> Matrix {
    precondition(a.columns == b.rows, "matrices of \(a.columns) columns and \(b.rows) rows")
    var y = Matrix(rows: a.rows, columns: b.columns)
    let rows = a.rows
    y.values.withUnsafeMutableBufferPointer { target in
      a.values.withUnsafeBufferPointer { left in
        for j in 0..<b.columns {
          for k in 0..<a.columns {
            let factor = b[k, j]
            for i in 0..<rows { target[j * rows + i] += left[k * rows + i] * factor }
          }
        }
      }
    }
    return y
  }
}
