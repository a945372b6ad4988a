import CKernels

/// Multi-head scaled dot-product attention, `softmax(q · kᵀ / √d) · v` per head.
///
/// Scores exist only for a block of queries at a time; the backward pass computes them again.
/// Source: Vaswani et al. 2017, arXiv:1706.03762; numerically as
/// `torch.nn.functional.scaled_dot_product_attention`. A query that may see no key gives zeros.
///
/// - Parameters:
///   - q: queries `[N, T, heads · d]`, heads side by side.
///   - k: keys `[N, S, heads · d]`.
///   - v: values `[N, S, heads · d]`.
///   - heads: number of heads.
///   - mask: `[N, S]`, 0 where a key must not be seen.
///   - isCausal: whether query i sees keys 0…i only.
/// - Returns: `[N, T, heads · d]`.
public func attention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, mask: Tensor? = nil, isCausal: Bool = false
) -> Tensor {
  precondition(q.rank == 3 && k.rank == 3 && k.shape == v.shape, "attention: q, k, v are [N, T, C]")
  precondition(
    q.shape[0] == k.shape[0] && q.shape[2] == k.shape[2] && q.shape[2] % heads == 0,
    "attention: \(q.shape) and \(k.shape) do not fit \(heads) heads")
  precondition(
    mask == nil || mask?.shape == [k.shape[0], k.shape[1]], "attention: mask must be [N, S]")
  let call = AttentionCall(
    n: q.shape[0], queries: q.shape[1], keys: k.shape[1], heads: heads,
    headDim: q.shape[2] / heads, isCausal: isCausal, keyBias: mask.map(hidingBias),
    type: FactorType.current)
  let (y, logSums) = attentionForward(q, k, v, call)
  return y.recorded(from: [q, k, v]) { dy in attentionVJP(dy, q, k, v, y, logSums, call) }
}

/// 0 where `mask` is not 0, else minus infinity.
private func hidingBias(_ mask: Tensor) -> Tensor {
  Tensor(mask.values.map { $0 == 0 ? -.infinity : 0 }, mask.shape)
}

/// Sizes and settings of one call.
private struct AttentionCall {
  let n: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let headDim: Int
  let isCausal: Bool
  let keyBias: Tensor?
  let type: FactorType

  var channels: Int { heads * headDim }
  var scale: Float { 1 / Float(headDim).squareRoot() }
  /// Queries whose scores fit the second-level cache, at least 32.
  var blockLength: Int { min(queries, max(32, min(256, 65_536 / max(1, keys)))) }

  func bias(_ item: Int) -> UnsafePointer<Float>? {
    keyBias.map { UnsafePointer($0.pointer + item * keys) }
  }

  /// Where head `head` of batch item `item` starts in a tensor of `length` tokens.
  func offset(_ item: Int, _ head: Int, length: Int, token: Int = 0) -> Int {
    (item * length + token) * channels + head * headDim
  }
}

/// Left and right factors of small products, made in memory of one work item.
private struct FactorScratch {
  let storage: Storage
  let type: FactorType

  init(elements: Int, _ type: FactorType) {
    storage = Storage(byteCount: elements * type.byteCount)
    self.type = type
  }

  /// Room for a right factor of `k` rows.
  init(k: Int, columns: Int, _ type: FactorType) {
    storage = Storage(
      byteCount: PackedFactor.byteCount(k: type.padded(k), columns: columns, type: type))
    self.type = type
  }

  /// Rows of `x` `[count, k]`, `stride` apart: in place for `float32`, else converted.
  func rows(_ x: UnsafePointer<Float>, stride: Int, count: Int, k: Int) -> FactorRows {
    guard type == .bfloat16 else {
      return FactorRows(
        pointer: UnsafeRawPointer(x), type: type, rowStride: stride, rowsPerLine: count,
        segmentLength: k)
    }
    let padded = type.padded(k)
    ck_rows_to_bf16(
      storage.pointer.assumingMemoryBound(to: UInt16.self), padded, x, stride, count, k)
    return FactorRows(
      pointer: UnsafeRawPointer(storage.pointer), type: type, rowStride: padded,
      rowsPerLine: count, segmentLength: padded)
  }

  /// Columns of `x` `[k, count]`, `stride` between its rows, as rows.
  func transposedRows(_ x: UnsafePointer<Float>, stride: Int, k: Int, count: Int) -> FactorRows {
    let padded = type.padded(k)
    switch type {
    case .float32:
      ck_transpose_f32(
        storage.pointer.assumingMemoryBound(to: Float.self), padded, x, stride, k, count)
    case .bfloat16:
      ck_transpose_bf16(
        storage.pointer.assumingMemoryBound(to: UInt16.self), padded, x, stride, k, count)
    }
    return FactorRows(
      pointer: UnsafeRawPointer(storage.pointer), type: type, rowStride: padded,
      rowsPerLine: count, segmentLength: padded)
  }

  /// Packs the right factor with element (i, j) at `x[i·kStride + j·nStride]`.
  func pack(_ x: UnsafePointer<Float>, k: Int, columns: Int, kStride: Int, nStride: Int)
    -> UnsafeRawPointer
  {
    PackedFactor.pack(
      FactorPiece(pointer: x, kOffset: 0, k: k, kStride: kStride, nStride: nStride),
      into: storage.pointer, k: type.padded(k), columns: columns, type: type,
      panels: 0..<panelCount(columns))
    return UnsafeRawPointer(storage.pointer)
  }
}

private func attentionForward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ call: AttentionCall)
  -> (y: Tensor, logSums: Tensor)
{
  let y = Tensor(uninitialized: q.shape)
  let logSums = Tensor(uninitialized: [call.n, call.heads, call.queries])
  let (d, s, c) = (call.headDim, call.keys, call.channels)
  let block = call.blockLength
  let blocks = block == 0 ? 0 : (call.queries + block - 1) / block
  ThreadPool.shared.run(items: call.n * call.heads * blocks) { item in
    let (pair, start) = (item / blocks, item % blocks * block)
    let (n, head) = (pair / call.heads, pair % call.heads)
    let rows = min(block, call.queries - start)
    let keyOffset = call.offset(n, head, length: s)
    let queryOffset = call.offset(n, head, length: call.queries, token: start)
    let scores = FactorScratch(elements: rows * s, .float32)
    let p = scores.storage.pointer.assumingMemoryBound(to: Float.self)
    let left = FactorScratch(elements: rows * call.type.padded(max(s, d)), call.type)
    let right = FactorScratch(k: d, columns: s, call.type)
    product(
      left.rows(q.pointer + queryOffset, stride: c, count: rows, k: d),
      right.pack(k.pointer + keyOffset, k: d, columns: s, kStride: 1, nStride: c), columns: s,
      into: ProductTarget(pointer: p, stride: s))
    ck_attention_softmax_f32(
      p, s, rows, s, call.scale, call.bias(n), call.isCausal ? start : -1,
      logSums.pointer + pair * call.queries + start)
    let values = FactorScratch(k: s, columns: d, call.type)
    product(
      left.rows(p, stride: s, count: rows, k: s),
      values.pack(v.pointer + keyOffset, k: s, columns: d, kStride: c, nStride: 1), columns: d,
      into: ProductTarget(pointer: y.pointer + queryOffset, stride: c))
    withExtendedLifetime((scores, left, right, values)) {}
  }
  return (y, logSums)
}

/// Gradients by `q`, `k` and `v`, whose probabilities are computed again.
///
/// With P the probabilities: `dv = Pᵀ·dy`, `dS = P ∘ (dy·vᵀ − rowsum(dy ∘ y)) / √d`, `dq = dS·k`,
/// `dk = dSᵀ·q`. A work item is one head, so that its sums over queries have one order.
private func attentionVJP(
  _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ y: Tensor, _ logSums: Tensor,
  _ call: AttentionCall
) -> [Tensor?] {
  let dq = Tensor(uninitialized: q.shape)
  let dk = call.queries == 0 ? Tensor.zeros(k.shape) : Tensor(uninitialized: k.shape)
  let dv = call.queries == 0 ? Tensor.zeros(v.shape) : Tensor(uninitialized: v.shape)
  let (d, s, c, type) = (call.headDim, call.keys, call.channels, call.type)
  let block = call.blockLength
  ThreadPool.shared.run(items: call.n * call.heads) { pair in
    let (n, head) = (pair / call.heads, pair % call.heads)
    let keyOffset = call.offset(n, head, length: s)
    let keysAcross = FactorScratch(k: d, columns: s, type)
    let valuesAcross = FactorScratch(k: d, columns: s, type)
    let keysDown = FactorScratch(k: s, columns: d, type)
    let packedKeys = keysAcross.pack(
      k.pointer + keyOffset, k: d, columns: s, kStride: 1, nStride: c)
    let packedValues = valuesAcross.pack(
      v.pointer + keyOffset, k: d, columns: s, kStride: 1, nStride: c)
    let packedKeysDown = keysDown.pack(
      k.pointer + keyOffset, k: s, columns: d, kStride: c, nStride: 1)
    let probabilities = FactorScratch(elements: block * s, .float32)
    let gradients = FactorScratch(elements: block * s, .float32)
    let dots = FactorScratch(elements: block, .float32)
    let left = FactorScratch(elements: max(block, s) * type.padded(max(block, s, d)), type)
    let right = FactorScratch(k: block, columns: d, type)
    let p = probabilities.storage.pointer.assumingMemoryBound(to: Float.self)
    let ds = gradients.storage.pointer.assumingMemoryBound(to: Float.self)
    let rowDots = dots.storage.pointer.assumingMemoryBound(to: Float.self)
    for start in stride(from: 0, to: call.queries, by: max(1, block)) {
      let rows = min(block, call.queries - start)
      let queryOffset = call.offset(n, head, length: call.queries, token: start)
      let (queries, upstream) = (q.pointer + queryOffset, dy.pointer + queryOffset)
      product(
        left.rows(queries, stride: c, count: rows, k: d), packedKeys, columns: s,
        into: ProductTarget(pointer: p, stride: s))
      ck_attention_probabilities_f32(
        p, s, rows, s, call.scale, call.bias(n), call.isCausal ? start : -1,
        logSums.pointer + pair * call.queries + start)
      product(
        left.rows(upstream, stride: c, count: rows, k: d), packedValues, columns: s,
        into: ProductTarget(pointer: ds, stride: s))
      ck_row_dots_f32(rowDots, upstream, y.pointer + queryOffset, c, rows, d)
      ck_attention_backward_f32(ds, p, s, rows, s, call.scale, rowDots)
      product(
        left.rows(ds, stride: s, count: rows, k: s), packedKeysDown, columns: d,
        into: ProductTarget(pointer: dq.pointer + queryOffset, stride: c))
      product(
        left.transposedRows(p, stride: s, k: rows, count: s),
        right.pack(upstream, k: rows, columns: d, kStride: c, nStride: 1), columns: d,
        into: ProductTarget(
          pointer: dv.pointer + keyOffset, stride: c, accumulates: start > 0))
      product(
        left.transposedRows(ds, stride: s, k: rows, count: s),
        right.pack(queries, k: rows, columns: d, kStride: c, nStride: 1), columns: d,
        into: ProductTarget(
          pointer: dk.pointer + keyOffset, stride: c, accumulates: start > 0))
    }
    withExtendedLifetime((keysAcross, valuesAcross, keysDown)) {}
    withExtendedLifetime((probabilities, gradients, dots, left, right)) {}
  }
  return [q.isRecorded ? dq : nil, k.isRecorded ? dk : nil, v.isRecorded ? dv : nil]
}
