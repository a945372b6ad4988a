import CImageIO
import Foundation

/// The kernel of a resize; when the picture shrinks it is widened, so that nothing aliases.
public enum ResizeFilter: String, CaseIterable, Sendable {
  /// Average of the covered pixels; support 0.5.
  case box
  /// Triangle; support 1.
  case bilinear
  /// Cubic convolution with a = -0.5 (Keys 1981); support 2.
  case bicubic
  /// Windowed sinc of three lobes; support 3.
  case lanczos

  fileprivate var support: Double {
    switch self {
    case .box: 0.5
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  fileprivate func weight(_ x: Double) -> Double {
    let distance = abs(x)
    switch self {
    case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear: return max(0, 1 - distance)
    case .bicubic:
      let a = -0.5
      if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
      return 0
    case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
    }
  }
}

private func sinc(_ x: Double) -> Double {
  x == 0 ? 1 : sin(x * .pi) / (x * .pi)
}

extension Image {
  /// Scales the picture to a new size, antialiased.
  ///
  /// The same pixels as Pillow 13's `Image.resize`: one pass per axis, each rounded to 8 bits, with
  /// weights of 22 fractional bits (Pillow, `src/libImaging/Resample.c`). Rows of pixels are scaled
  /// first, but columns when the height loses more than twice the pixels that the width loses.
  ///
  /// - Parameters:
  ///   - width: at least 1.
  ///   - height: at least 1.
  ///   - filter: the kernel; `lanczos` is sharpest, `box` never overshoots.
  /// - Returns: a `width`x`height` picture; the aspect ratio changes if they say so.
  public func resized(to width: Int, _ height: Int, filter: ResizeFilter = .lanczos) -> Image {
    precondition(width > 0 && height > 0, "resized: size must be positive, got \(width)x\(height)")
    let lostRows = self.height - height
    if lostRows > 0 && lostRows > 2 * (self.width - width) {
      return withHeight(height, filter).withWidth(width, filter)
    }
    return withWidth(width, filter).withHeight(height, filter)
  }

  private func withWidth(_ newWidth: Int, _ filter: ResizeFilter) -> Image {
    guard newWidth != width else { return self }
    let taps = ResizeTaps(from: width, to: newWidth, filter: filter)
    return Image(width: newWidth, height: height) { out in
      cio_resample_rows(
        out, pixels, height, width, newWidth, taps.spans, taps.weights, taps.count)
    }
  }

  private func withHeight(_ newHeight: Int, _ filter: ResizeFilter) -> Image {
    guard newHeight != height else { return self }
    let taps = ResizeTaps(from: height, to: newHeight, filter: filter)
    var scratch = [Int32](repeating: 0, count: width * 3)
    return Image(width: width, height: newHeight) { out in
      cio_resample_columns(
        out, pixels, &scratch, width, newHeight, taps.spans, taps.weights, taps.count)
    }
  }

  /// Cuts the largest centred part of the new aspect ratio and scales it to `width`x`height`.
  public func resizedToFill(
    _ width: Int, _ height: Int, filter: ResizeFilter = .lanczos
  ) -> Image {
    centerCropped(aspect: Double(width) / Double(height)).resized(to: width, height, filter: filter)
  }
}

/// Which input positions make each output position along one axis, and their weights.
private struct ResizeTaps {
  /// `[outSize]`.
  var spans: [cio_span] = []
  /// `[outSize, count]`, fixed point.
  var weights: [Int32] = []
  let count: Int

  init(from inSize: Int, to outSize: Int, filter: ResizeFilter) {
    let scale = Double(inSize) / Double(outSize)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    count = Int(support.rounded(.up)) * 2 + 1
    weights.reserveCapacity(outSize * count)
    for position in 0..<outSize {
      let center = (Double(position) + 0.5) * scale
      let first = max(0, Int(center - support + 0.5))
      let end = min(inSize, Int(center + support + 0.5))
      var row = (first..<end).map { index in
        filter.weight((Double(index) - center + 0.5) * (1 / filterScale))
      }
      let sum = row.reduce(0, +)
      if sum != 0 { row = row.map { $0 / sum } }
      spans.append(cio_span(first: UInt32(first), count: UInt32(row.count)))
      weights += row.map { Self.fixedPoint($0) }
      weights += [Int32](repeating: 0, count: count - row.count)
    }
  }

  /// Rounds half away from zero.
  private static func fixedPoint(_ weight: Double) -> Int32 {
    Int32((weight * Double(1 << CIO_WEIGHT_BITS)).rounded(.toNearestOrAwayFromZero))
  }
}
