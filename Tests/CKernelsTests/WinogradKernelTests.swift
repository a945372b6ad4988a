import CKernels
import Testing

/// Winograd's algorithm, put together from its kernels, against loops in Float64.
@Suite struct WinogradKernelTests {
  static let isas = (0...ck_isa().rawValue).map(ck_isa_t.init(rawValue:))

  /// Sizes and data of a convolution `[h, w, c]` → `[h, w, o]` with one row of zeros around.
  struct Problem {
    let (h, w, c, o): (Int, Int, Int, Int)
    let x, weight, dy: [Float]

    init(_ h: Int, _ w: Int, _ c: Int, _ o: Int) {
      (self.h, self.w, self.c, self.o) = (h, w, c, o)
      x = Problem.numbers(h * w * c, seed: 1)
      weight = Problem.numbers(o * 9 * c, seed: 2)
      dy = Problem.numbers(h * w * o, seed: 3)
    }

    static func numbers(_ count: Int, seed: UInt64) -> [Float] {
      var state = seed
      return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(1 << 31)
      }
    }

    /// How tiles of `side` lie on the source and on the target.
    func geometry(side: Int) -> (reading: ck_winograd_t, writing: ck_winograd_t) {
      func picture(_ channels: Int, border: Int) -> ck_winograd_t {
        ck_winograd_t(
          height: h, width: w, channels: channels, side: side, tiles_down: (h + side - 1) / side,
          tiles_across: (w + side - 1) / side, top: border, left: border, bias_step: 0)
      }
      return (picture(c, border: 1), picture(o, border: 0))
    }

    /// Calls `body` for every product that the convolution sums up.
    func forEachTerm(_ body: (_ input: Int, _ kernel: Int, _ output: Int) -> Void) {
      for i in 0..<h {
        for j in 0..<w {
          for tap in 0..<9 {
            let (y, x) = (i + tap / 3 - 1, j + tap % 3 - 1)
            guard (0..<h).contains(y), (0..<w).contains(x) else { continue }
            for out in 0..<o {
              for channel in 0..<c {
                body(
                  (y * w + x) * c + channel, (out * 9 + tap) * c + channel, (i * w + j) * o + out)
              }
            }
          }
        }
      }
    }
  }

  static let problems = [
    Problem(1, 1, 1, 1), Problem(2, 3, 7, 8), Problem(5, 4, 17, 33), Problem(7, 7, 33, 17),
    Problem(3, 8, 70, 40), Problem(9, 6, 16, 48),
  ]

  private func limited(_ isa: ck_isa_t, _ body: () -> Void) {
    ck_limit_isa_of_thread(isa)
    defer { ck_limit_isa_of_thread(CK_ISA_AMX) }
    body()
  }

  /// Error allowed, relative to the largest number, for `float32` with tiles of 2x2 and 4x4 pixels.
  static let sides = [(side: 2, tolerance: 3e-6), (side: 4, tolerance: 1e-5)]

  @Test(arguments: isas)
  func forwardAgreesWithLoops(_ isa: ck_isa_t) {
    limited(isa) {
      for t in WinogradKernelTests.problems {
        var expected = [Double](repeating: 0, count: t.h * t.w * t.o)
        t.forEachTerm { expected[$2] += Double(t.x[$0]) * Double(t.weight[$1]) }
        for (side, tolerance) in WinogradKernelTests.sides {
          expect(forward(t, side, isBFloat16: false), expected, tolerance: tolerance)
        }
        guard ck_gemm_has_bf16() != 0 else { continue }
        expect(forward(t, 2, isBFloat16: true), expected, tolerance: 2e-2)
      }
    }
  }

  @Test(arguments: isas)
  func weightGradientAgreesWithLoops(_ isa: ck_isa_t) {
    limited(isa) {
      for t in WinogradKernelTests.problems {
        var expected = [Double](repeating: 0, count: t.o * 9 * t.c)
        t.forEachTerm { expected[$1] += Double(t.x[$0]) * Double(t.dy[$2]) }
        for (side, tolerance) in WinogradKernelTests.sides {
          expect(weightGradient(t, side, isBFloat16: false), expected, tolerance: tolerance)
        }
        guard ck_gemm_has_bf16() != 0 else { continue }
        expect(weightGradient(t, 2, isBFloat16: true), expected, tolerance: 2e-2)
      }
    }
  }

  /// Agreement relative to the largest number.
  private func expect(_ found: [Float], _ expected: [Double], tolerance: Double) {
    let largest = expected.map { abs($0) }.max() ?? 0
    for (a, b) in zip(found, expected) {
      #expect(abs(Double(a) - b) <= tolerance * max(largest, 1))
    }
  }

  private func forward(_ t: Problem, _ side: Int, isBFloat16: Bool) -> [Float] {
    var (reading, writing) = t.geometry(side: side)
    let (tiles, places) = (reading.tiles_down * reading.tiles_across, (side + 2) * (side + 2))
    let k = isBFloat16 ? (t.c + 1) / 2 * 2 : t.c
    let width = ck_gemm_panel()
    let panels = (t.o + width - 1) / width
    let (uPlane, vPlane, mPlane) = (panels * width * k, tiles * k + 6, tiles * t.o + 3)
    var kernel = ck_winograd_kernel_t(row: 1, column: 9 * t.c, tap: t.c, flipped: 0, side: side)
    var u = [Float](repeating: .nan, count: places * uPlane)
    var v = [Float](repeating: .nan, count: places * vPlane)
    var m = [Float](repeating: .nan, count: places * mPlane)
    var y = [Float](repeating: .nan, count: t.h * t.w * t.o)
    u.withUnsafeMutableBytes { u in
      v.withUnsafeMutableBytes { v in
        m.withUnsafeMutableBufferPointer { m in
          for panel in 0..<panels {
            if isBFloat16 {
              ck_winograd_weights_bf16(u.halves, uPlane, k, t.weight, &kernel, t.c, t.o, panel)
            } else {
              ck_winograd_weights_f32(u.floats, uPlane, k, t.weight, &kernel, t.c, t.o, panel)
            }
          }
          var call = ck_winograd_products_t(
            places: places, m: m.baseAddress, v: v.baseAddress, u: u.baseAddress, m_plane: mPlane,
            v_plane: vPlane, u_plane: uPlane, v_stride: k, tiles: tiles, k: k, columns: t.o,
            accumulate: 0)
          if isBFloat16 {
            ck_winograd_input_bf16(v.halves, vPlane, k, t.x, 0, &reading, 0, tiles)
            ck_winograd_products_bf16(&call)
          } else {
            ck_winograd_input_f32(v.floats, vPlane, k, t.x, &reading, 0, tiles)
            ck_winograd_products_f32(&call)
          }
        }
      }
    }
    ck_winograd_output(&y, 0, nil, m, mPlane, nil, &writing, 0, tiles, 0, t.o)
    return y
  }

  private func weightGradient(_ t: Problem, _ side: Int, isBFloat16: Bool) -> [Float] {
    var (reading, writing) = t.geometry(side: side)
    let (tiles, places) = (reading.tiles_down * reading.tiles_across, (side + 2) * (side + 2))
    let (rows, width) = ((tiles + 1) / 2 * 2, ck_gemm_panel())
    let k = isBFloat16 ? rows : tiles
    let leftPlane = (t.o + 7) / 8 * 8 * rows + 32
    let rightPlane = (t.c + width - 1) / width * width * rows + 32
    var left = [Float](repeating: .nan, count: places * leftPlane)
    var right = [Float](repeating: .nan, count: places * rightPlane)
    var du = [Float](repeating: .nan, count: places * t.o * t.c)
    left.withUnsafeMutableBytes { l in
      right.withUnsafeMutableBytes { r in
        if isBFloat16 {
          ck_winograd_gradient_panels_bf16(
            l.halves, leftPlane, rows, 8, t.dy, 0, &writing, 0, 0, tiles)
          ck_winograd_input_panels_bf16(
            r.halves, rightPlane, rows, width, t.x, 0, &reading, 0, 0, tiles)
        } else {
          ck_winograd_gradient_panels_f32(
            l.floats, leftPlane, rows, 8, t.dy, &writing, 0, 0, tiles)
          ck_winograd_input_panels_f32(
            r.floats, rightPlane, rows, width, t.x, &reading, 0, 0, tiles)
        }
        du.withUnsafeMutableBufferPointer { du in
          let bytes = isBFloat16 ? 2 : 4
          for place in 0..<places {
            var g = ck_gemm_panels_t(
              a: l.baseAddress.map { $0 + place * leftPlane * bytes },
              b: r.baseAddress.map { $0 + place * rightPlane * bytes }, rows: t.o, columns: t.c,
              k: k, a_panel_k: rows, b_panel_k: rows,
              c: du.baseAddress.map { $0 + place * t.o * t.c }, c_stride: t.c, accumulate: 0)
            if isBFloat16 { ck_gemm_panels_bf16(&g) } else { ck_gemm_panels_f32(&g) }
          }
        }
      }
    }
    var dw = [Float](repeating: .nan, count: t.o * 9 * t.c)
    for out in 0..<t.o {
      du.withUnsafeBufferPointer { du in
        dw.withUnsafeMutableBufferPointer { dw in
          ck_winograd_weight_gradient_f32(
            dw.baseAddress.map { $0 + out * 9 * t.c }, du.baseAddress.map { $0 + out * t.c },
            t.o * t.c, t.c, side)
        }
      }
    }
    return dw
  }
}

extension UnsafeMutableRawBufferPointer {
  var floats: UnsafeMutablePointer<Float>? { baseAddress?.assumingMemoryBound(to: Float.self) }
  var halves: UnsafeMutablePointer<UInt16>? { baseAddress?.assumingMemoryBound(to: UInt16.self) }
}
