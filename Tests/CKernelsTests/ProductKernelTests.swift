import CKernels
import Testing

/// The product, packing, padding and optimizer kernels on every instruction set of this machine,
/// against loops in Float64, for sizes around those of registers and panels.
@Suite struct ProductKernelTests {
  static let isas = (0...ck_isa().rawValue).map(ck_isa_t.init(rawValue:))

  /// Runs `body` on at most the given instruction set.
  private func limited(_ isa: ck_isa_t, _ body: () -> Void) {
    ck_limit_isa_of_thread(isa)
    defer { ck_limit_isa_of_thread(CK_ISA_AMX) }
    body()
  }

  private func numbers(_ count: Int, seed: UInt32) -> [Float] {
    var bits = seed &* 2_654_435_761
    return (0..<count).map { _ in
      bits = bits &* 1_664_525 &+ 1_013_904_223
      return Float(bits >> 8) / Float(1 << 23) - 1
    }
  }

  private func rounded(_ x: Float) -> Float {
    var bits: UInt16 = 0
    ck_f32_to_bf16(&bits, [x], 1)
    return Float(bitPattern: UInt32(bits) << 16)
  }

  private func panels(_ columns: Int) -> Int {
    (columns + ck_gemm_panel() - 1) / ck_gemm_panel()
  }

  /// `C = A·B + bias` or `C += A·B` with `B` `[k, n]`, or its transpose in memory.
  private func product(
    _ m: Int, _ k: Int, _ n: Int, isBFloat16: Bool, accumulates: Bool, isTransposed: Bool
  ) {
    let (a, b) = (numbers(m * k, seed: 1), numbers(k * n, seed: 2))
    let bias = numbers(n, seed: 3)
    let (stride, guardValue) = (n + 2, Float(77))
    var c = [Float](repeating: guardValue, count: m * stride)
    let length = isBFloat16 ? (k + 1) / 2 * 2 : k
    let packedCount = panels(n) * ck_gemm_panel() * length
    let (kStride, nStride) = isTransposed ? (1, k) : (n, 1)
    func run(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) {
      [0].withUnsafeBufferPointer { segments in
        bias.withUnsafeBufferPointer { bias in
          c.withUnsafeMutableBufferPointer { c in
            var g = ck_gemm_t(
              a: left, row_stride: length, line_stride: 0, image_stride: 0, rows_per_line: m,
              lines_per_image: 1, images: 1, segments: segments.baseAddress, segment_count: 1,
              segment_length: length, b: right, columns: n, c: c.baseAddress, rounded: nil,
              c_stride: stride, bias: accumulates ? nil : bias.baseAddress, bias_step: 0,
              residual: accumulates ? UnsafePointer(c.baseAddress) : nil)
            let blocks = ck_gemm_blocks(&g)
            (isBFloat16 ? ck_gemm_bf16 : ck_gemm_f32)(&g, 0, blocks, 0, panels(n))
            guard isBFloat16, !accumulates else { return }
            var narrow = [UInt16](repeating: 0x7777, count: m * stride)
            narrow.withUnsafeMutableBufferPointer { narrow in
              g.rounded = narrow.baseAddress
              ck_gemm_bf16(&g, 0, blocks, 0, panels(n))
            }
            for index in 0..<m * stride {
              let expected = index % stride < n ? rounded(c[index]) : Float(bitPattern: 0x7777_0000)
              #expect(Float(bitPattern: UInt32(narrow[index]) << 16) == expected)
            }
          }
        }
      }
    }
    if isBFloat16 {
      var packed = [UInt16](repeating: 0xFFFF, count: packedCount)
      ck_pack_b_bf16(&packed, length, 0, b, k, n, kStride, nStride, 0, panels(n))
      var rows = [UInt16](repeating: 0xFFFF, count: m * length)
      var place = ck_pad_t(
        height: 1, width: m, y_channels: length, top: 0, left: 0, dilation: 1, x_height: 1,
        x_width: m, channels: k)
      ck_pad_bf16(&rows, a, &place, 0, 1)
      run(rows, packed)
    } else {
      var packed = [Float](repeating: .nan, count: packedCount)
      ck_pack_b_f32(&packed, k, 0, b, k, n, kStride, nStride, 0, panels(n))
      run(a, packed)
    }
    var worst = 0.0
    for i in 0..<m {
      for j in 0..<n {
        var sum = accumulates ? Double(guardValue) : Double(bias[j])
        for l in 0..<k {
          let (x, y) = (a[i * k + l], b[isTransposed ? j * k + l : l * n + j])
          sum += Double(isBFloat16 ? rounded(x) : x) * Double(isBFloat16 ? rounded(y) : y)
        }
        let difference = abs(Double(c[i * stride + j]) - sum)
        worst = difference.isNaN ? .infinity : max(worst, difference)
      }
      #expect(c[i * stride + n..<(i + 1) * stride].allSatisfy { $0 == guardValue })
    }
    #expect(worst < 2e-5, "\(m) × \(k) × \(n), bf16 \(isBFloat16), transposed \(isTransposed)")
  }

  @Test(arguments: isas)
  func productsAgreeWithLoops(_ isa: ck_isa_t) {
    limited(isa) {
      for m in [1, 3, 4, 5, 8, 9, 17, 33] {
        for k in [0, 1, 2, 15, 16, 33, 64] {
          for n in [1, 7, 8, 16, 17, 32, 33, 65] {
            for (accumulates, isTransposed) in [(false, false), (true, true)] {
              for isBFloat16 in ck_gemm_has_bf16() != 0 ? [false, true] : [false] {
                product(
                  m, k, n, isBFloat16: isBFloat16, accumulates: accumulates,
                  isTransposed: isTransposed)
              }
            }
          }
        }
      }
      // More rows and panels than are worked on together.
      for isBFloat16 in ck_gemm_has_bf16() != 0 ? [false, true] : [false] {
        for accumulates in [false, true] {
          product(
            300, 70, 100, isBFloat16: isBFloat16, accumulates: accumulates, isTransposed: false)
        }
      }
    }
  }

  @Test(arguments: isas)
  func transposesMoveEveryNumber(_ isa: ck_isa_t) {
    limited(isa) {
      for rows in [0, 1, 15, 16, 17, 31, 32, 33] {
        for columns in [0, 1, 15, 16, 17, 40] {
          let stride = columns + 3
          let x = numbers(rows * stride, seed: 5)
          var y = [Float](repeating: .nan, count: columns * rows)
          ck_transpose_f32(&y, rows, x, stride, rows, columns)
          for j in 0..<columns {
            let column = (0..<rows).map { x[$0 * stride + j] }
            #expect(Array(y[j * rows..<(j + 1) * rows]) == column)
          }
        }
      }
    }
  }

  @Test(arguments: isas)
  func bfloat16RowsArePackedInPairs(_ isa: ck_isa_t) {
    limited(isa) {
      for (k, n) in [(1, 1), (2, 33), (5, 16), (7, 65), (70, 24)] {
        for width in [8, 16, 32] {
          let room = (k + 1) / 2 * 2 + 4
          let columns = (n + width - 1) / width * width
          let source = (0..<k * (n + 1)).map { UInt16(truncatingIfNeeded: $0 + 1) }
          var packed = [UInt16](repeating: 0xEEEE, count: columns * room)
          ck_pack_panels_rows_bf16(&packed, room, width, source, n + 1, k, n)
          var widened = [UInt16](repeating: 0xEEEE, count: packed.count)
          let floats = source.map { Float(bitPattern: UInt32($0) << 16) }
          ck_pack_panels_bf16(&widened, room, width, floats, n + 1, k, n)
          for (index, value) in packed.enumerated() {
            let (panel, place) = (index / (room * width), index % (room * width))
            let row = place / (2 * width) * 2 + place % 2
            let column = panel * width + place % (2 * width) / 2
            let isFilled = row < (k + 1) / 2 * 2
            let inside = row < k && column < n
            let expected = isFilled ? inside ? source[row * (n + 1) + column] : 0 : 0xEEEE
            #expect(value == expected)
            // The instruction that rounds takes denormal numbers for 0.
            #expect(widened[index] == expected || expected < 0x80 && widened[index] == 0)
          }
        }
      }
    }
  }

  @Test(arguments: isas)
  func panelsMultiplyAsFloat64Does(_ isa: ck_isa_t) {
    limited(isa) {
      let sizes = [(1, 1, 1), (7, 33, 5), (17, 8, 31), (8, 32, 64), (33, 77, 17), (41, 40, 1_100)]
      for (m, n, k) in sizes {
        let (a, b) = (numbers(k * m, seed: 7), numbers(k * n, seed: 8))
        for isBFloat16 in ck_gemm_has_bf16() != 0 ? [false, true] : [false] {
          let (width, room) = (ck_gemm_panel(), (k + 1) / 2 * 2)
          var left = [Float](repeating: .nan, count: (m + 7) / 8 * 8 * room)
          var right = [Float](repeating: .nan, count: (n + width - 1) / width * width * room)
          var c = [Float](repeating: 2, count: m * (n + 1))
          left.withUnsafeMutableBytes { l in
            right.withUnsafeMutableBytes { r in
              if isBFloat16 {
                ck_pack_panels_bf16(l.halves, room, 8, a, m, k, m)
                ck_pack_panels_bf16(r.halves, room, width, b, n, k, n)
              } else {
                ck_pack_panels_f32(l.floats, room, 8, a, m, k, m)
                ck_pack_panels_f32(r.floats, room, width, b, n, k, n)
              }
              c.withUnsafeMutableBufferPointer { c in
                var g = ck_gemm_panels_t(
                  a: l.baseAddress, b: r.baseAddress, rows: m, columns: n,
                  k: isBFloat16 ? room : k, a_panel_k: room, b_panel_k: room, c: c.baseAddress,
                  c_stride: n + 1, accumulate: 1)
                if isBFloat16 { ck_gemm_panels_bf16(&g) } else { ck_gemm_panels_f32(&g) }
              }
            }
          }
          let (x, y) = isBFloat16 ? (a.map(rounded), b.map(rounded)) : (a, b)
          for i in 0..<m {
            for j in 0..<n {
              let sum = (0..<k).reduce(2.0) {
                $0 + Double(x[$1 * m + i]) * Double(y[$1 * n + j])
              }
              #expect(abs(Double(c[i * (n + 1) + j]) - sum) <= 1e-6 * Double(k + 2))
            }
            #expect(c[i * (n + 1) + n] == 2)
          }
        }
      }
    }
  }

  @Test(arguments: isas)
  func paddingPlacesEveryPixel(_ isa: ck_isa_t) {
    limited(isa) {
      for (top, left) in [(0, 0), (1, 2), (-1, -2), (3, -1), (9, 1), (-9, 0), (1, 9), (1, -9)] {
        for (dilation, channels, padded) in [(1, 3, 3), (1, 3, 4), (2, 17, 18), (3, 1, 1)] {
          let x = numbers(4 * 5 * channels, seed: 6)
          var place = ck_pad_t(
            height: 6, width: 7, y_channels: padded, top: top, left: left, dilation: dilation,
            x_height: 4, x_width: 5, channels: channels)
          var y = [Float](repeating: .nan, count: 6 * 7 * padded)
          var z = [UInt16](repeating: 0xFFFF, count: y.count)
          ck_pad_f32(&y, x, &place, 0, 6)
          ck_pad_bf16(&z, x, &place, 0, 6)
          let expected = y.indices.map { index -> Float in
            let (pixel, channel) = (index / padded, index % padded)
            let (row, column) = (pixel / 7 - top, pixel % 7 - left)
            guard row >= 0, column >= 0, row % dilation == 0, column % dilation == 0,
              row / dilation < 4, column / dilation < 5, channel < channels
            else { return 0 }
            return x[(row / dilation * 5 + column / dilation) * channels + channel]
          }
          #expect(y == expected)
          #expect(z.map { Float(bitPattern: UInt32($0) << 16) } == expected.map(rounded))
          let narrow = x.map { UInt16(rounded($0).bitPattern >> 16) }
          var copy = [UInt16](repeating: 0xFFFF, count: y.count)
          ck_pad_rows_bf16(&copy, narrow, &place, 0, 6)
          #expect(copy == z)
        }
      }
    }
  }

  @Test(arguments: isas)
  func sumsOfSquaresDoNotDependOnInstructions(_ isa: ck_isa_t) {
    for count in [0, 1, 15, 16, 17, 1_000] {
      let x = numbers(count, seed: 8)
      let expected = ck_sum_squares_f32(x, count)
      limited(isa) { #expect(ck_sum_squares_f32(x, count) == expected) }
      let sum = x.reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(abs(sum - expected) <= 1e-12 * max(1, sum))
    }
  }
}
