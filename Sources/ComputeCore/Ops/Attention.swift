import CKernels

/// Multi-head scaled dot-product attention, `softmax(q · kᵀ / √d) · v` per head.
///
/// Scores exist only for a panel of queries and a block of keys at a time, whose sums are corrected
/// when a larger score turns up; the backward pass computes them again from the saved logarithms.
/// Sources: Vaswani et al. 2017, arXiv:1706.03762; Dao et al. 2022, arXiv:2205.14135; numerically as
/// `torch.nn.functional.scaled_dot_product_attention`. A query that may see no key gives zeros.
/// Where products have `bfloat16` factors and all three tensors are of that type, so is all that is
/// written: the result and the gradients. Sums and probabilities are `float32` before they are
/// rounded as factors.
///
/// - Parameters:
///   - q: queries `[N, T, heads · d]`, heads side by side.
///   - k: keys `[N, S, heads · d]`.
///   - v: values `[N, S, heads · d]`.
///   - heads: number of heads.
///   - mask: `[N, S]`, 0 where a key must not be seen.
///   - isCausal: whether query i sees keys 0…i only.
/// - Returns: `[N, T, heads · d]`, of the queries' type.
public func attention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, mask: Tensor? = nil, isCausal: Bool = false
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(q.rank == 3 && k.rank == 3 && k.shape == v.shape, "attention: q, k, v are [N, T, C]")
  precondition(
    q.shape[0] == k.shape[0] && q.shape[2] == k.shape[2] && q.shape[2] % heads == 0,
    "attention: \(q.shape) and \(k.shape) do not fit \(heads) heads")
  precondition(
    mask == nil || mask?.shape == [k.shape[0], k.shape[1]], "attention: mask must be [N, S]")
  let call = AttentionCall(
    n: q.shape[0], queries: q.shape[1], keys: k.shape[1], heads: heads,
    headDim: q.shape[2] / heads, isCausal: isCausal, visible: mask.map(VisibleKeys.init),
    type: FactorType.current)
  let stored: DType =
    call.type == .bfloat16 && [q, k, v].allSatisfy { $0.dtype == .bfloat16 } ? .bfloat16 : .float32
  let saved = (q: q.cast(to: stored), k: k.cast(to: stored), v: v.cast(to: stored))
  let (y, logSums) = attentionForward(saved.q, saved.k, saved.v, call)
  return y.cast(to: q.dtype).recorded(from: [q, k, v]) { dy in
    let (dq, dk, dv) = attentionVJP(
      dy.cast(to: stored), saved.q, saved.k, saved.v, y, logSums, call)
    return zip([q, k, v], [dq, dk, dv]).map { x, dx in
      x.isRecorded ? dx.cast(to: x.dtype) : nil
    }
  }
}

/// The keys of every batch item that its mask leaves.
private struct VisibleKeys {
  private let storage: Storage
  private let counts: [Int]
  private let length: Int

  /// Those where `mask` `[N, S]` is not 0.
  init(_ mask: Tensor) {
    let (n, s) = (mask.shape[0], mask.shape[1])
    storage = Storage(byteCount: n * s * MemoryLayout<Int32>.stride)
    length = s
    let values = mask.values
    let indices = storage.pointer.assumingMemoryBound(to: Int32.self)
    counts = (0..<n).map { item in
      var count = 0
      for j in 0..<s where values[item * s + j] != 0 {
        indices[item * s + count] = Int32(j)
        count += 1
      }
      return count
    }
  }

  func count(_ item: Int) -> Int { counts[item] }

  func indices(_ item: Int) -> UnsafePointer<Int32> {
    UnsafePointer(storage.pointer.assumingMemoryBound(to: Int32.self) + item * length)
  }
}

/// Sizes and settings of one call.
private struct AttentionCall {
  let n: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let headDim: Int
  let isCausal: Bool
  let visible: VisibleKeys?
  let type: FactorType

  var channels: Int { heads * headDim }

  /// Neighbouring heads that a work item goes through together, for the sake of memory: as many as
  /// divide the heads, leave 16 items and keep `floats` per head within the second-level cache.
  func headsPerItem(floats: Int) -> Int {
    let limit = min(4, (96 << 10) / max(1, floats), n * heads / 16)
    return (1...max(1, limit)).last { heads % $0 == 0 } ?? 1
  }

  /// What the kernels need to know about heads from `head` on of batch item `item`.
  func description(
    _ item: Int, _ head: Int, count: Int, _ q: Tensor, _ k: Tensor, _ v: Tensor
  ) -> ck_attention_t {
    let keyOffset = offset(item, head, length: keys)
    return ck_attention_t(
      heads: count, queries: queries, keys: visible?.count(item) ?? keys, head_dim: headDim,
      stride: channels, q: UnsafeRawPointer(q.address(offset(item, head, length: queries))),
      k: UnsafeRawPointer(k.address(keyOffset)), v: UnsafeRawPointer(v.address(keyOffset)),
      key_index: visible?.indices(item), is_causal: isCausal ? 1 : 0,
      is_bfloat16: type == .bfloat16 ? 1 : 0, is_stored_bfloat16: q.isBFloat16,
      scale: 1 / Float(headDim).squareRoot())
  }

  /// Where head `head` of batch item `item` starts in a tensor of `length` tokens.
  func offset(_ item: Int, _ head: Int, length: Int) -> Int {
    item * length * channels + head * headDim
  }
}

/// The result, of the tensors' type, and the logarithms `[N, heads, T]`; a work item is some queries
/// of some heads.
private func attentionForward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ call: AttentionCall)
  -> (y: Tensor, logSums: Tensor)
{
  let y = Tensor(uninitialized: q.shape, dtype: q.dtype)
  let logSums = Tensor(uninitialized: [call.n, call.heads, call.queries])
  let group = call.headsPerItem(floats: call.keys * call.headDim)
  let groups = call.heads / group
  let wanted = 4 * Compute.current.threads / max(1, call.n * groups)
  let length = forwardLength(queries: call.queries, parts: wanted)
  let parts = (call.queries + length - 1) / length
  ThreadPool.shared.run(items: call.n * groups * parts) { item in
    let (n, head) = (item / parts / groups, item / parts % groups * group)
    let start = item % parts * length
    var heads = call.description(n, head, count: group, q, k, v)
    let scratch = Storage(byteCount: ck_attention_forward_bytes(&heads))
    ck_attention_forward(
      &heads, y.address(call.offset(n, head, length: call.queries)),
      logSums.pointer + (n * call.heads + head) * call.queries, start,
      min(call.queries, start + length), scratch.pointer)
    withExtendedLifetime(scratch) {}
  }
  return (y, logSums)
}

/// Queries of a work item where `parts` are wanted, but enough that packing the keys costs little.
///
/// Results do not depend on it.
private func forwardLength(queries: Int, parts: Int) -> Int {
  let panel = Int(CK_ATTENTION_QUERIES)
  let length = max(256, (queries + max(1, parts) - 1) / max(1, parts))
  return (length + panel - 1) / panel * panel
}

/// Gradients by `q`, `k` and `v`, of their one type.
///
/// A work item is some keys of some heads and goes through all queries, so that every sum has one
/// order. Where there are few heads, the keys are split, and the parts of `dq` added at the end.
private func attentionVJP(
  _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ y: Tensor, _ logSums: Tensor,
  _ call: AttentionCall
) -> (q: Tensor, k: Tensor, v: Tensor) {
  let (dk, dv) = (keyGradient(k, call), keyGradient(v, call))
  let group = call.headsPerItem(floats: 4 * call.keys * call.headDim)
  let groups = call.heads / group
  let parts = keyParts(call)
  let dq = (0..<parts).map { _ in Tensor(uninitialized: q.shape, dtype: q.dtype) }
  ThreadPool.shared.run(items: call.n * groups * parts) { item in
    let (part, n, head) = (item % parts, item / parts / groups, item / parts % groups * group)
    var heads = call.description(n, head, count: group, q, k, v)
    let queryOffset = call.offset(n, head, length: call.queries)
    let keyOffset = call.offset(n, head, length: call.keys)
    var gradients = ck_attention_gradients_t(
      dy: UnsafeRawPointer(dy.address(queryOffset)), y: UnsafeRawPointer(y.address(queryOffset)),
      log_sums: logSums.pointer + (n * call.heads + head) * call.queries,
      dq: dq[part].address(queryOffset), dk: dk.address(keyOffset), dv: dv.address(keyOffset))
    let length = (Int(heads.keys) + 2 * parts - 1) / (2 * parts) * 2
    let start = min(Int(heads.keys), part * length)
    let scratch = Storage(byteCount: ck_attention_backward_bytes(&heads))
    ck_attention_backward(
      &heads, &gradients, start, min(Int(heads.keys), start + length), scratch.pointer)
    withExtendedLifetime(scratch) {}
  }
  withExtendedLifetime((q, k, v, dy, y, logSums)) {}
  let sum =
    parts == 1
    ? dq[0] : dq.dropFirst().reduce(dq[0].cast(to: .float32)) { $0 + $1.cast(to: .float32) }
  return (sum.cast(to: q.dtype), dk, dv)
}

/// Memory for a gradient by keys or values: zeros where a mask leaves out keys.
private func keyGradient(_ x: Tensor, _ call: AttentionCall) -> Tensor {
  call.visible == nil
    ? Tensor(uninitialized: x.shape, dtype: x.dtype) : Tensor.zeros(x.shape).cast(to: x.dtype)
}

/// Parts that a head's keys are split into, which depends on sizes only, because it changes rounding.
private func keyParts(_ call: AttentionCall) -> Int {
  let pairs = call.n * call.heads
  guard pairs > 0, pairs < 8 else { return 1 }
  return max(1, min(4, 8 / pairs, call.keys / 256))
}
