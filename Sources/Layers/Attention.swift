import ComputeCore

/// Multi-head attention between the positions of one sequence, or from one sequence to another.
///
/// Source: Vaswani et al. 2017, arXiv:1706.03762; keys as in diffusers
/// `models/attention_processor.py`, `Attention`.
public final class Attention: Module {
  /// Projects the queries' input, `[heads · headDim, queryDim]`.
  public let toQ: Linear
  /// Projects the context to keys.
  public let toK: Linear
  /// Projects the context to values.
  public let toV: Linear
  /// Projects back to the queries' size.
  public let toOut: Linear
  /// Number of heads.
  public let heads: Int

  /// Checkpoints keep the output projection in a list, before a dropout.
  public static let keyOverrides = ["toOut": "to_out.0"]

  /// - Parameters:
  ///   - queryDim: channels of the queries' sequence and of the result.
  ///   - contextDim: channels of the other sequence; those of the queries for self-attention.
  ///   - heads: number of heads.
  ///   - headDim: channels of each head.
  ///   - bias: whether queries, keys and values have biases; the output always has.
  public init(
    _ queryDim: Int, contextDim: Int? = nil, heads: Int, headDim: Int, bias: Bool = false
  ) {
    let inner = heads * headDim
    toQ = Linear(queryDim, inner, bias: bias)
    toK = Linear(contextDim ?? queryDim, inner, bias: bias)
    toV = Linear(contextDim ?? queryDim, inner, bias: bias)
    toOut = Linear(inner, queryDim)
    self.heads = heads
  }

  /// - Parameters:
  ///   - x: `[N, T, queryDim]`.
  ///   - context: `[N, S, contextDim]`; `x` itself when left out.
  ///   - mask: `[N, S]`, 1 where a position of the context counts and 0 where not.
  ///   - residual: `[N, T, queryDim]`, added to the result.
  /// - Returns: `[N, T, queryDim]`.
  public func callAsFunction(
    _ x: Tensor, context: Tensor? = nil, mask: Tensor? = nil, adding residual: Tensor? = nil
  ) -> Tensor {
    let (context, type) = (context ?? x, Compute.factorType)
    let (q, k, v) = (
      toQ(x, output: type), toK(context, output: type), toV(context, output: type)
    )
    return toOut(attention(q, k, v, heads: heads, mask: mask), adding: residual)
  }
}
