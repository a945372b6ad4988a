/// Times attention on random numbers, for comparison with other programs.
package struct AttentionBenchmark: Sendable {
  /// How much of it.
  package enum Pass: String, Sendable, CaseIterable {
    /// The result.
    case forward
    /// The result and its gradients by queries, keys and values.
    case training = "forward+backward"
  }

  /// Sizes of one call.
  package struct Size: Sendable {
    /// Batch items.
    package let n: Int
    /// Heads of each.
    package let heads: Int
    /// Queries, T.
    package let queries: Int
    /// Keys, S.
    package let keys: Int
    /// Numbers per head.
    package let headDim: Int

    /// A size.
    package init(n: Int, heads: Int, queries: Int, keys: Int, headDim: Int) {
      (self.n, self.heads, self.queries) = (n, heads, queries)
      (self.keys, self.headDim) = (keys, headDim)
    }

    /// Such as `2x8 4096x77 d40`: batch, heads, queries, keys and numbers per head.
    package var name: String { "\(n)x\(heads) \(queries)x\(keys) d\(headDim)" }

    /// Floating-point operations, a multiply-add being two: two products forward, and five more
    /// for the gradients.
    fileprivate func operations(_ pass: Pass) -> Double {
      let product = 2 * Double(n * heads) * Double(queries) * Double(keys) * Double(headDim)
      return product * (pass == .forward ? 2 : 7)
    }
  }

  /// The sizes of Stable Diffusion 1.5's levels at 512 pixels, and of a small network's.
  private static let sizes: [Size] = [
    Size(n: 2, heads: 8, queries: 4096, keys: 4096, headDim: 40),
    Size(n: 2, heads: 8, queries: 1024, keys: 1024, headDim: 80),
    Size(n: 2, heads: 8, queries: 4096, keys: 77, headDim: 40),
    Size(n: 2, heads: 8, queries: 256, keys: 256, headDim: 160),
    Size(n: 2, heads: 8, queries: 64, keys: 64, headDim: 160),
    Size(n: 32, heads: 4, queries: 256, keys: 256, headDim: 32),
    Size(n: 32, heads: 4, queries: 256, keys: 20, headDim: 32),
    Size(n: 32, heads: 4, queries: 256, keys: 256, headDim: 64),
    Size(n: 32, heads: 4, queries: 256, keys: 20, headDim: 64),
  ]

  /// Every size, forward alone and with its gradients.
  package static let standard: [AttentionBenchmark] = sizes.flatMap { size in
    Pass.allCases.map { AttentionBenchmark(size: size, pass: $0) }
  }

  /// Sizes of the random tensors.
  package let size: Size
  /// What is computed.
  package let pass: Pass

  /// Attention on random numbers.
  package init(size: Size, pass: Pass) {
    (self.size, self.pass) = (size, pass)
  }

  /// Floating-point operations of one run.
  package var operations: Double { size.operations(pass) }

  /// Times it under the settings in force.
  package func measure(_ repeats: Timing.Repeats) -> Timing {
    var generator = TorchGenerator(seed: 1)
    let channels = size.heads * size.headDim
    let type = Compute.factorType  // what the layers before it hand over
    let q = Tensor.randn([size.n, size.queries, channels], using: &generator).cast(to: type)
    let k = Tensor.randn([size.n, size.keys, channels], using: &generator).cast(to: type)
    let v = Tensor.randn([size.n, size.keys, channels], using: &generator).cast(to: type)
    let dy = Tensor.randn(q.shape, using: &generator).cast(to: type)
    let inputs = pass == .forward ? [q, k, v] : [q, k, v].map { $0.asVariable() }
    return Timing(repeats) {
      let y = attention(inputs[0], inputs[1], inputs[2], heads: size.heads)
      if pass == .training { _ = gradients(of: y, seed: dy) }
    }
  }
}
