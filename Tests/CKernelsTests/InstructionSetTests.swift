import CKernels
import Testing

/// Every kernel gives the same on every instruction set of this machine, up to rounding.
@Suite struct InstructionSetTests {
  typealias Buffer = UnsafeMutablePointer<Float>

  /// A kernel on `rows` × `cols` numbers.
  struct Kernel: Sendable, CustomTestStringConvertible {
    let name: String
    /// Gets the output, zeros at first, and three inputs of numbers in [0.1, 2), all with room for
    /// more than `4 · rows · cols`.
    let run: @Sendable (Buffer, Buffer, Buffer, Buffer, _ rows: Int, _ cols: Int) -> Void
    var isExact = false
    var testDescription: String { name }

    init(
      _ name: String, isExact: Bool = false,
      _ run: @escaping @Sendable (Buffer, Buffer, Buffer, Buffer, Int, Int) -> Void
    ) {
      self.name = name
      self.run = run
      self.isExact = isExact
    }
  }

  static let unary: [Kernel] = [
    Kernel("exp") { y, x, _, _, r, c in ck_exp_f32(y, x, r * c) },
    Kernel("log") { y, x, _, _, r, c in ck_log_f32(y, x, r * c) },
    Kernel("sqrt", isExact: true) { y, x, _, _, r, c in ck_sqrt_f32(y, x, r * c) },
    Kernel("abs", isExact: true) { y, x, _, _, r, c in ck_abs_f32(y, x, r * c) },
    Kernel("square", isExact: true) { y, x, _, _, r, c in ck_square_f32(y, x, r * c) },
    Kernel("tanh") { y, x, _, _, r, c in ck_tanh_f32(y, x, r * c) },
    Kernel("sigmoid") { y, x, _, _, r, c in ck_sigmoid_f32(y, x, r * c) },
    Kernel("silu") { y, x, _, _, r, c in ck_silu_f32(y, x, r * c) },
    Kernel("relu", isExact: true) { y, x, _, _, r, c in ck_relu_f32(y, x, r * c) },
    Kernel("gelu") { y, x, _, _, r, c in ck_gelu_f32(y, x, r * c) },
    Kernel("gelu_tanh") { y, x, _, _, r, c in ck_gelu_tanh_f32(y, x, r * c) },
    Kernel("quick_gelu") { y, x, _, _, r, c in ck_quick_gelu_f32(y, x, r * c) },
    Kernel("leaky_relu", isExact: true) { y, x, _, _, r, c in
      ck_leaky_relu_f32(y, x, 0.2, r * c)
    },
    Kernel("clamp", isExact: true) { y, x, _, _, r, c in ck_clamp_f32(y, x, 0.5, 1, r * c) },
    Kernel("geglu") { y, x, _, _, r, c in ck_geglu_f32(y, x, r, c) },
  ]

  static let unaryBackward: [Kernel] = [
    Kernel("exp_backward") { y, a, b, _, r, c in ck_exp_backward_f32(y, a, b, r * c) },
    Kernel("log_backward") { y, a, b, _, r, c in ck_log_backward_f32(y, a, b, r * c) },
    Kernel("sqrt_backward") { y, a, b, _, r, c in ck_sqrt_backward_f32(y, a, b, r * c) },
    Kernel("abs_backward") { y, a, b, _, r, c in ck_abs_backward_f32(y, a, b, r * c) },
    Kernel("square_backward") { y, a, b, _, r, c in ck_square_backward_f32(y, a, b, r * c) },
    Kernel("tanh_backward") { y, a, b, _, r, c in ck_tanh_backward_f32(y, a, b, r * c) },
    Kernel("sigmoid_backward") { y, a, b, _, r, c in ck_sigmoid_backward_f32(y, a, b, r * c) },
    Kernel("silu_backward") { y, a, b, _, r, c in ck_silu_backward_f32(y, a, b, r * c) },
    Kernel("relu_backward") { y, a, b, _, r, c in ck_relu_backward_f32(y, a, b, r * c) },
    Kernel("gelu_backward") { y, a, b, _, r, c in ck_gelu_backward_f32(y, a, b, r * c) },
    Kernel("gelu_tanh_backward") { y, a, b, _, r, c in
      ck_gelu_tanh_backward_f32(y, a, b, r * c)
    },
    Kernel("quick_gelu_backward") { y, a, b, _, r, c in
      ck_quick_gelu_backward_f32(y, a, b, r * c)
    },
    Kernel("leaky_relu_backward") { y, a, b, _, r, c in
      ck_leaky_relu_backward_f32(y, a, b, 0.2, r * c)
    },
    Kernel("clamp_backward") { y, a, b, _, r, c in
      ck_clamp_backward_f32(y, a, b, 0.5, 1, r * c)
    },
    Kernel("geglu_backward") { y, a, b, _, r, c in
      ck_geglu_backward_f32(y, a, b, r, c)
    },
  ]

  static let binary: [Kernel] = [CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE].flatMap { op in
    [(0, 0), (0, 1), (1, 0), (1, 1)].map { columns in
      Kernel("binary \(op.rawValue), columns \(columns)", isExact: true) { y, a, b, _, r, c in
        ck_binary_f32(
          y, ck_operand_t(x: a, row: c, col: columns.0),
          ck_operand_t(x: b, row: columns.1 == 0 ? 1 : 0, col: columns.1), op, r, c)
      }
    }
  }

  static let rows: [Kernel] = [
    Kernel("affine") { y, a, _, _, r, c in ck_affine_f32(y, a, 3, 0.1, r * c) },
    Kernel("reciprocal", isExact: true) { y, a, _, _, r, c in
      ck_reciprocal_f32(y, 3, a, r * c)
    },
    Kernel("divide", isExact: true) { y, a, _, _, r, c in ck_divide_scalar_f32(y, a, 3, r * c) },
    Kernel("sum") { y, a, _, _, r, c in ck_sum_f32(y, a, r * c) },
    Kernel("max", isExact: true) { y, a, _, _, r, c in
      ck_max_f32(y, a, max(1, r * c))
    },
    Kernel("sum_rows") { y, a, _, _, r, c in
      ck_sum_rows_f32(y, a, 0.5, r, c)
    },
    Kernel("max_rows", isExact: true) { y, a, _, _, r, c in
      ck_max_rows_f32(y, a, r, c)
    },
    Kernel("sum_columns") { y, a, _, _, r, c in
      ck_sum_columns_f32(y, a, 0.5, r, c, c)
    },
    Kernel("max_columns", isExact: true) { y, a, _, _, r, c in
      ck_max_columns_f32(y, a, r, c, c)
    },
    Kernel("repeat_row", isExact: true) { y, a, _, _, r, c in ck_repeat_row_f32(y, a, 0.5, r, c) },
    Kernel("repeat_columns", isExact: true) { y, a, _, _, r, c in
      ck_repeat_columns_f32(y, a, 0.5, r, c)
    },
    Kernel("max_backward") { y, a, b, scratch, r, c in
      ck_max_columns_f32(scratch, b, r, c, c)
      ck_max_backward_f32(y, scratch + c, a, b, scratch, r, c)
    },
    Kernel("softmax") { y, a, _, _, r, c in ck_softmax_f32(y, a, r, c) },
    Kernel("softmax_backward") { y, a, b, _, r, c in ck_softmax_backward_f32(y, a, b, r, c) },
  ]

  static let norms: [Kernel] = [
    Kernel("channel_moments") { y, a, _, _, r, c in
      ck_channel_moments(y, y + c, a, 0, r, c)
    },
    Kernel("normalize") { y, a, b, k, r, c in ck_normalize(y, 0, a, 0, b, k, b, 0, r, c) },
    Kernel("normalize silu") { y, a, b, k, r, c in ck_normalize(y, 0, a, 0, b, k, b, 1, r, c) },
    Kernel("normalize_sums") { y, a, b, k, r, c in
      var call = normalization(a, b, k, isSilu: false)
      ck_normalize_sums(y, y + c, &call, r, c)
    },
    Kernel("normalize_sums silu") { y, a, b, k, r, c in
      var call = normalization(a, b, k, isSilu: true)
      ck_normalize_sums(y, y + c, &call, r, c)
    },
    Kernel("normalize_backward") { y, a, b, k, r, c in
      var call = normalization(a, b, k, isSilu: false)
      ck_normalize_backward(y, &call, k, b, k, r, c)
    },
    Kernel("normalize_backward silu") { y, a, b, k, r, c in
      var call = normalization(a, b, k, isSilu: true)
      ck_normalize_backward(y, &call, k, b, k, r, c)
    },
    Kernel("layer_norm") { y, a, b, k, r, c in
      ck_layer_norm(y + 2 * r, 0, y, y + r, a, b, k, 1e-3, r, c)
    },
    Kernel("layer_norm_backward") { y, a, b, k, r, c in
      ck_layer_norm_backward(y + 2 * c, y, y + c, a, 0, b, k, k, b, r, c)
    },
  ]

  /// The gradient `dy` of a normalised `x`, by the same numbers for every channel's settings.
  private static func normalization(_ dy: Buffer, _ x: Buffer, _ settings: Buffer, isSilu: Bool)
    -> ck_normalize_t
  {
    ck_normalize_t(
      x: x, dy: dy, x_is_bf16: 0, dy_is_bf16: 0, mean: settings, scale: settings, bias: settings,
      silu: isSilu ? 1 : 0)
  }

  static let losses: [Kernel] = [
    Kernel("squared_error") { y, a, b, _, r, c in
      ck_squared_error_f32(y, a, b, r * c)
    },
    Kernel("absolute_error") { y, a, b, _, r, c in
      ck_absolute_error_f32(y, a, b, r * c)
    },
    Kernel("bce_logits") { y, a, b, _, r, c in
      ck_bce_logits_f32(y, a, b, r * c)
    },
    Kernel("squared_error_backward") { y, a, b, _, r, c in
      ck_squared_error_backward_f32(y, a, b, 0.5, r * c)
    },
    Kernel("absolute_error_backward") { y, a, b, _, r, c in
      ck_absolute_error_backward_f32(y, a, b, 0.5, r * c)
    },
    Kernel("bce_logits_backward") { y, a, b, _, r, c in
      ck_bce_logits_backward_f32(y, a, b, 0.5, r * c)
    },
    Kernel("cross_entropy") { y, a, _, _, r, c in
      ck_cross_entropy_f32(y, a, (0..<r).map { Int32($0 % max(1, c)) }, c == 0 ? 0 : r, c)
    },
    Kernel("cross_entropy_backward") { y, a, _, _, r, c in
      ck_cross_entropy_backward_f32(
        y, a, (0..<r).map { Int32($0 % max(1, c)) }, 0.5, c == 0 ? 0 : r, c)
    },
  ]

  static let spatial: [Kernel] = [
    Kernel("upsample_row_backward") { y, a, _, _, r, c in
      ck_upsample_row_backward_f32(y, a, (0...r).map { UInt32($0 * 2) }, r, c, 1, 2 * r)
    },
    Kernel("max_pool_row", isExact: true) { y, a, _, _, r, c in
      let picture = ck_picture_t(height: 2, width: r, channels: c)
      ck_max_pool_row_f32(y, a, picture, ck_window_t(size: 2, stride: 2, padding: 0), 0, r / 2)
    },
    Kernel("average_pool_row") { y, a, _, _, r, c in
      let picture = ck_picture_t(height: 2, width: r, channels: c)
      ck_average_pool_row_f32(
        y, a, picture, ck_window_t(size: 2, stride: 2, padding: 0), 0, r / 2)
    },
    Kernel("max_pool_row_backward") { y, a, b, scratch, r, c in
      let picture = ck_picture_t(height: 2, width: r, channels: c)
      let window = ck_window_t(size: 2, stride: 2, padding: 0)
      ck_max_pool_row_f32(scratch, b, picture, window, 0, r / 2)
      ck_max_pool_row_backward_f32(
        y, scratch + r * c, a, b, scratch, picture, window, 0, r / 2)
    },
    Kernel("average_pool_row_backward") { y, a, _, _, r, c in
      let picture = ck_picture_t(height: 2, width: r, channels: c)
      ck_average_pool_row_backward_f32(
        y, a, picture, ck_window_t(size: 2, stride: 2, padding: 0), 0, r / 2)
    },
    Kernel("box_muller", isExact: true) { y, a, _, _, r, c in
      let count = r * c / 16 * 16
      for index in 0..<count { y[index] = a[index] / 2 }
      ck_box_muller_f32(y, count)
    },
    Kernel("mt19937_uniform", isExact: true) { y, a, _, _, r, c in
      ck_mt19937_uniform_f32(y, (0..<r * c).map { UInt32($0) &* 2_654_435_761 }, r * c)
    },
  ]

  static let attention: [Kernel] = [
    Kernel("attention") { y, a, b, k, r, c in attend(y, a, b, k, r, c, isCausal: false) },
    Kernel("attention causal") { y, a, b, k, r, c in attend(y, a, b, k, r, c, isCausal: true) },
    Kernel("adamw") { y, a, b, k, r, c in
      var step = ck_adamw_t(
        learning_rate: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.01,
        correction1: 0.1, correction2: 0.01, gradient_scale: 0.5, ema_decay: 0.9)
      ck_adamw_f32(y, y + r * c, k, y + 2 * r * c, a, b, r * c, &step)
    },
  ]

  /// One head's attention and its gradients; `a`, `b` and `k` are queries, keys and values.
  private static func attend(
    _ y: Buffer, _ a: Buffer, _ b: Buffer, _ k: Buffer, _ rows: Int, _ cols: Int, isCausal: Bool
  ) {
    var head = ck_attention_t(
      heads: 1, queries: rows, keys: rows, head_dim: cols, stride: cols, q: a, k: b, v: k,
      key_index: nil, is_causal: isCausal ? 1 : 0, is_bfloat16: 0,
      is_stored_bfloat16: 0, scale: 1 / Float(cols).squareRoot())
    let size = rows * cols
    let bytes = max(ck_attention_forward_bytes(&head), ck_attention_backward_bytes(&head))
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { scratch.deallocate() }
    ck_attention_forward(&head, y, y + 4 * size, 0, rows, scratch)
    var gradients = ck_attention_gradients_t(
      dy: a + size, y: y, log_sums: y + 4 * size, dq: y + size, dk: y + 2 * size, dv: y + 3 * size)
    ck_attention_backward(&head, &gradients, 0, rows, scratch)
  }

  static let all = unary + unaryBackward + binary + rows + norms + losses + spatial + attention

  /// The result of a kernel, on at most the given instruction set.
  private func result(_ kernel: Kernel, _ rows: Int, _ cols: Int, isa: ck_isa_t) -> [Float] {
    ck_limit_isa_of_thread(isa)
    defer { ck_limit_isa_of_thread(CK_ISA_AMX) }
    let size = max(4, 4 * (rows + 1) * (cols + 1))
    let buffers = (0..<4).map { _ in UnsafeMutablePointer<Float>.allocate(capacity: size) }
    defer { for buffer in buffers { buffer.deallocate() } }
    var bits: UInt32 = 12_345
    for (index, buffer) in buffers.enumerated() {
      for element in 0..<size {
        bits = bits &* 1_664_525 &+ 1_013_904_223
        buffer[element] = index == 0 ? 0 : 0.1 + Float(bits >> 8) / Float(1 << 24) * 1.9
      }
    }
    kernel.run(buffers[0], buffers[1], buffers[2], buffers[3], rows, cols)
    return Array(UnsafeBufferPointer(start: buffers[0], count: size))
  }

  @Test(arguments: all)
  func instructionSetsAgree(_ kernel: Kernel) {
    let best = ck_isa()
    for rows in [1, 2, 7, 33] {
      for cols in [1, 3, 7, 8, 15, 16, 17, 33, 100] {
        let expected = result(kernel, rows, cols, isa: CK_ISA_PLAIN)
        let largest = expected.reduce(1e-3) { max($0, abs($1)) }
        for isa in [CK_ISA_AVX2, CK_ISA_AVX512] where isa.rawValue <= best.rawValue {
          let found = result(kernel, rows, cols, isa: isa)
          let tolerance = kernel.isExact ? 0 : 4e-6 * largest
          let isClose = zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
          #expect(isClose, "\(rows) × \(cols), \(String(cString: ck_isa_name(isa)))")
        }
      }
    }
  }

  /// Names that can be followed, and what is said of others.
  @Test(arguments: [
    ("plain", CK_ISA_PLAIN, ""), ("avx2", CK_ISA_AVX2, ""), ("avx512", CK_ISA_AVX2, "not have it"),
    ("amx", CK_ISA_AVX2, "not have it"), ("sse", CK_ISA_AVX2, "no such instruction set"),
    ("", CK_ISA_AVX2, "no such instruction set"),
  ])
  func namesAreFollowedOrReported(_ name: String, _ expected: ck_isa_t, _ reason: String) {
    var message = [CChar](repeating: 1, count: 256)
    #expect(ck_isa_wanted(name, CK_ISA_AVX2, &message, message.count) == expected)
    let bytes = message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.isEmpty == reason.isEmpty && text.contains(reason))
    #expect(reason.isEmpty || text.contains("IMGEN_ISA=\(name)") && text.contains(", avx2."))
  }

  /// The plain kernels have a second name where they are compiled to NEON.
  @Test func neonIsKnownOn64BitArm() {
    var message = [CChar](repeating: 1, count: 256)
    _ = ck_isa_wanted("neon", CK_ISA_PLAIN, &message, message.count)
    #if arch(arm64)
      #expect(message[0] == 0)
    #else
      #expect(message[0] != 0)
    #endif
  }

  @Test func theLimitHoldsForThisThreadOnly() {
    ck_limit_isa_of_thread(CK_ISA_PLAIN)
    #expect(ck_isa() == CK_ISA_PLAIN)
    ck_limit_isa_of_thread(CK_ISA_AMX)
    #expect(String(cString: ck_isa_name(CK_ISA_AVX2)) == "avx2")
  }
}
