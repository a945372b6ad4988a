import CKernels

/// Rows of a table, picked by number.
///
/// - Parameters:
///   - ids: row numbers, in row-major order of `shape`.
///   - shape: how the ids are arranged.
///   - weight: the table, `[V, C]`.
/// - Returns: `shape + [C]`.
public func embedding(ids: [Int32], shape: Shape, weight: Tensor) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(weight.rank == 2, "embedding: the table must be [V, C], got \(weight.shape)")
  precondition(
    ids.count == shape.reduce(1, *), "embedding: \(ids.count) ids do not fill shape \(shape)")
  let (rows, width) = (weight.shape[0], weight.shape[1])
  precondition(
    ids.allSatisfy { (0..<rows).contains(Int($0)) },
    "embedding: ids must lie in 0..<\(rows), got \(ids.min() ?? 0)...\(ids.max() ?? 0)")
  let result = Tensor(uninitialized: shape + [width])
  let (y, table) = (result.pointer, weight.pointer)
  parallelRows(ids.count, width: width) { range in
    for index in range {
      (y + index * width).update(from: table + Int(ids[index]) * width, count: width)
    }
  }
  return result.recorded(from: [weight]) { dy in [embeddingVJP(dy, ids, [rows, width])] }
}

/// Adds each row of `dy` to the row it came from, in their order.
private func embeddingVJP(_ dy: Tensor, _ ids: [Int32], _ shape: Shape) -> Tensor {
  let width = shape[1]
  let result = Tensor.zeros(shape)
  let (table, d) = (result.pointer, dy.pointer)
  for (index, id) in ids.enumerated() {
    let row = table + Int(id) * width
    ck_add_f32(row, row, d + index * width, width)
  }
  return result
}
