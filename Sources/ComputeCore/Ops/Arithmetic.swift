import CKernels

extension Tensor {
  /// Sum, elementwise with broadcasting.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.recordedShape, b.recordedShape)
    return binary(CK_ADD, a, b).recorded(from: [a, b]) { dy, _ in
      [shapeA.map { dy.summed(to: $0) }, shapeB.map { dy.summed(to: $0) }]
    }
  }

  /// Difference, elementwise with broadcasting.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.recordedShape, b.recordedShape)
    return binary(CK_SUBTRACT, a, b).recorded(from: [a, b]) { dy, _ in
      [shapeA.map { dy.summed(to: $0) }, shapeB.map { -dy.summed(to: $0) }]
    }
  }

  /// Product, elementwise with broadcasting.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.recordedShape, b.recordedShape)
    let factorA = b.isRecorded ? a : nil
    let factorB = a.isRecorded ? b : nil
    return binary(CK_MULTIPLY, a, b).recorded(from: [a, b]) { dy, wanted in
      [
        wanted[0] ? shapeA.flatMap { s in factorB.map { (dy * $0).summed(to: s) } } : nil,
        wanted[1] ? shapeB.flatMap { s in factorA.map { (dy * $0).summed(to: s) } } : nil,
      ]
    }
  }

  /// Quotient, elementwise with broadcasting.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.recordedShape, b.recordedShape)
    let y = binary(CK_DIVIDE, a, b)
    let saved = b.isRecorded ? y : nil
    let divisor = b.detached()
    return y.recorded(
      from: [a, b],
      recordedVJP: { dy, wanted in
        let quotient = dy / b
        return [
          wanted[0] ? quotient.summed(to: a.shape) : nil,
          wanted[1] ? -(quotient * (a / b)).summed(to: b.shape) : nil,
        ]
      },
      vjp: { dy in
        let quotient = dy / divisor
        return [
          shapeA.map { quotient.summed(to: $0) },
          shapeB.flatMap { shape in saved.map { -(quotient * $0).summed(to: shape) } },
        ]
      }
    )
  }

  /// Every element plus `b`.
  public static func + (a: Tensor, b: Float) -> Tensor { affine(a, scale: 1, shift: b) }

  /// Every element plus `a`.
  public static func + (a: Float, b: Tensor) -> Tensor { affine(b, scale: 1, shift: a) }

  /// Every element minus `b`.
  public static func - (a: Tensor, b: Float) -> Tensor { affine(a, scale: 1, shift: -b) }

  /// `a` minus every element.
  public static func - (a: Float, b: Tensor) -> Tensor { affine(b, scale: -1, shift: a) }

  /// Every element times `b`.
  public static func * (a: Tensor, b: Float) -> Tensor { affine(a, scale: b, shift: 0) }

  /// Every element times `a`.
  public static func * (a: Float, b: Tensor) -> Tensor { affine(b, scale: a, shift: 0) }

  /// Every element divided by `b`.
  public static func / (a: Tensor, b: Float) -> Tensor {
    a.mapped { ck_divide_scalar_f32($0, $1, b, $2) }.recorded(from: [a]) { dy, _ in [dy / b] }
  }

  /// `a` divided by every element.
  public static func / (a: Float, b: Tensor) -> Tensor {
    let y = b.mapped { ck_reciprocal_f32($0, a, $1, $2) }
    let divisor = b.detached()
    return y.recorded(
      from: [b], recordedVJP: { dy, _ in [-(dy * (a / b) / b)] },
      vjp: { dy in [-(dy * y / divisor)] }
    )
  }

  /// Every element with the other sign.
  public static prefix func - (x: Tensor) -> Tensor { affine(x, scale: -1, shift: 0) }

  /// The shape, when a gradient by this tensor is wanted.
  private var recordedShape: Shape? { isRecorded ? shape : nil }

  /// The sum of this tensor over the axes along which `target` was broadcast to its shape.
  func summed(to target: Shape) -> Tensor {
    if target == shape { return self }
    let offset = rank - target.count
    let axes = shape.indices.filter { axis in
      axis < offset || (target[axis - offset] == 1 && shape[axis] != 1)
    }
    return sum(axes: axes, keepDims: true).reshaped(target)
  }

  /// A tensor of this shape, computed piece by piece: `body(y, x, count)`.
  func mapped(
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    let result = Tensor(uninitialized: shape)
    let (y, x) = (result.pointer, pointer)
    parallelChunks(count) { body(y + $0.lowerBound, x + $0.lowerBound, $0.count) }
    return result
  }
}

/// The shape that `a` and `b` broadcast to by NumPy's rule, or `nil` when they do not fit.
func broadcastShape(_ a: Shape, _ b: Shape) -> Shape? {
  var result = a.count >= b.count ? a : b
  let shorter = a.count >= b.count ? b : a
  let offset = result.count - shorter.count
  for (axis, size) in shorter.enumerated() where result[offset + axis] != size {
    if result[offset + axis] == 1 {
      result[offset + axis] = size
    } else if size != 1 {
      return nil
    }
  }
  return result
}

/// `a op b` with broadcasting, not recorded.
private func binary(
  _ operation: ck_binary_t, _ a: Tensor, _ b: Tensor, of function: StaticString = #function
) -> Tensor {
  let span = profiled(function)
  defer { span?.end() }
  guard let shape = broadcastShape(a.shape, b.shape) else {
    preconditionFailure("shapes \(a.shape) and \(b.shape) do not broadcast")
  }
  let result = Tensor(uninitialized: shape)
  let (y, pa, pb) = (result.pointer, a.pointer, b.pointer)
  if a.shape == b.shape {
    parallelChunks(result.count) { range in
      let start = range.lowerBound
      ck_binary_f32(
        y + start, ck_operand_t(x: pa + start, row: 0, col: 1),
        ck_operand_t(x: pb + start, row: 0, col: 1), operation, 1, range.count)
    }
    return result
  }
  let (ys, sa, sb) = (
    shape.strides, broadcastStrides(a.shape, to: shape), broadcastStrides(b.shape, to: shape)
  )
  let nest = LoopNest(
    shape.indices.map { LoopNest.Axis(size: shape[$0], y: ys[$0], a: sa[$0], b: sb[$0]) })
  let (rowAxis, colAxis) = (nest.rowAxis, nest.colAxis)
  nest.forEachPiece { offset, offsetA, offsetB, rows, cols in
    ck_binary_f32(
      y + offset, ck_operand_t(x: pa + offsetA, row: rowAxis.a, col: colAxis.a),
      ck_operand_t(x: pb + offsetB, row: rowAxis.b, col: colAxis.b), operation, rows, cols)
  }
  return result
}

/// Strides of `shape` seen under the larger shape `target`: 0 along broadcast axes.
private func broadcastStrides(_ shape: Shape, to target: Shape) -> [Int] {
  let own = shape.strides
  let offset = target.count - shape.count
  return target.indices.map { axis in
    axis < offset || shape[axis - offset] == 1 ? 0 : own[axis - offset]
  }
}

/// `scale · x + shift`, elementwise.
private func affine(
  _ x: Tensor, scale: Float, shift: Float, of function: StaticString = #function
) -> Tensor {
  let span = profiled(function)
  defer { span?.end() }
  return x.mapped { ck_affine_f32($0, $1, scale, shift, $2) }
    .recorded(from: [x], operation: function) { dy, _ in
      [scale == 1 ? dy : affine(dy, scale: scale, shift: 0)]
    }
}
