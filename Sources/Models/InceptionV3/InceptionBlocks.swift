import ComputeCore
import Layers

/// Branches of 1×1, 5×5 and two 3×3 convolutions at 35×35 pixels.
final class InceptionA: Module {
  let branch1x1: InceptionConv
  let branch5x5First: InceptionConv
  let branch5x5Second: InceptionConv
  let branch3x3First: InceptionConv
  let branch3x3Second: InceptionConv
  let branch3x3Third: InceptionConv
  let branchPool: InceptionConv

  static let keyOverrides = [
    "branch5x5First": "branch5x5_1", "branch5x5Second": "branch5x5_2",
    "branch3x3First": "branch3x3dbl_1", "branch3x3Second": "branch3x3dbl_2",
    "branch3x3Third": "branch3x3dbl_3",
  ]

  init(_ inChannels: Int, poolChannels: Int) {
    branch1x1 = InceptionConv(inChannels, 64, (1, 1))
    branch5x5First = InceptionConv(inChannels, 48, (1, 1))
    branch5x5Second = InceptionConv(48, 64, (5, 5), padding: (2, 2))
    branch3x3First = InceptionConv(inChannels, 64, (1, 1))
    branch3x3Second = InceptionConv(64, 96, (3, 3), padding: (1, 1))
    branch3x3Third = InceptionConv(96, 96, (3, 3), padding: (1, 1))
    branchPool = InceptionConv(inChannels, poolChannels, (1, 1))
  }

  /// `x` `[N, H, W, in]` → `[N, H, W, 224 + poolChannels]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenated([
      branch1x1(x), branch5x5Second(branch5x5First(x)),
      branch3x3Third(branch3x3Second(branch3x3First(x))),
      branchPool(neighborhoodMean(x)),
    ])
  }
}

/// From 35×35 to 17×17 pixels.
final class InceptionB: Module {
  let branch3x3: InceptionConv
  let doubleFirst: InceptionConv
  let doubleSecond: InceptionConv
  let doubleThird: InceptionConv

  static let keyOverrides = [
    "doubleFirst": "branch3x3dbl_1", "doubleSecond": "branch3x3dbl_2",
    "doubleThird": "branch3x3dbl_3",
  ]

  init(_ inChannels: Int) {
    branch3x3 = InceptionConv(inChannels, 384, (3, 3), stride: 2)
    doubleFirst = InceptionConv(inChannels, 64, (1, 1))
    doubleSecond = InceptionConv(64, 96, (3, 3), padding: (1, 1))
    doubleThird = InceptionConv(96, 96, (3, 3), stride: 2)
  }

  /// `x` `[N, H, W, in]` → `[N, H / 2, W / 2, in + 480]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenated([
      branch3x3(x), doubleThird(doubleSecond(doubleFirst(x))), maxPool2d(x, size: 3, stride: 2),
    ])
  }
}

/// Branches of 1×1 and of one and two 7×7 convolutions, made of rows and columns, at 17×17 pixels.
final class InceptionC: Module {
  let branch1x1: InceptionConv
  let branch7x7: [InceptionConv]
  let branch7x7Double: [InceptionConv]
  let branchPool: InceptionConv

  static let keyOverrides = ["branch7x7Double": "branch7x7dbl"]

  init(_ inChannels: Int, inner: Int) {
    branch1x1 = InceptionConv(inChannels, 192, (1, 1))
    branch7x7 = [
      InceptionConv(inChannels, inner, (1, 1)), .row7(inner, inner), .column7(inner, 192),
    ]
    branch7x7Double = [
      InceptionConv(inChannels, inner, (1, 1)), .column7(inner, inner), .row7(inner, inner),
      .column7(inner, inner), .row7(inner, 192),
    ]
    branchPool = InceptionConv(inChannels, 192, (1, 1))
  }

  /// `x` `[N, H, W, in]` → `[N, H, W, 768]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenated([
      branch1x1(x), branch7x7.reduce(x) { $1($0) }, branch7x7Double.reduce(x) { $1($0) },
      branchPool(neighborhoodMean(x)),
    ])
  }
}

/// From 17×17 to 8×8 pixels.
final class InceptionD: Module {
  let branch3x3: [InceptionConv]
  let branch7x7: [InceptionConv]

  static let keyOverrides = ["branch7x7": "branch7x7x3"]

  init(_ inChannels: Int) {
    branch3x3 = [
      InceptionConv(inChannels, 192, (1, 1)), InceptionConv(192, 320, (3, 3), stride: 2),
    ]
    branch7x7 = [
      InceptionConv(inChannels, 192, (1, 1)), .row7(192, 192), .column7(192, 192),
      InceptionConv(192, 192, (3, 3), stride: 2),
    ]
  }

  /// `x` `[N, H, W, in]` → `[N, H / 2, W / 2, in + 512]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    concatenated([
      branch3x3.reduce(x) { $1($0) }, branch7x7.reduce(x) { $1($0) },
      maxPool2d(x, size: 3, stride: 2),
    ])
  }
}

/// Branches that end in rows and columns beside each other, at 8×8 pixels.
final class InceptionE: Module {
  /// What the last branch does with the neighbourhood of each pixel.
  enum Pooling {
    /// Its mean, without what is outside of the picture.
    case average
    /// Its maximum, a mistake in the original network that its weights were trained with.
    case maximum
  }

  let branch1x1: InceptionConv
  let branch3x3First: InceptionConv
  let branch3x3Row: InceptionConv
  let branch3x3Column: InceptionConv
  let doubleFirst: InceptionConv
  let doubleSecond: InceptionConv
  let doubleRow: InceptionConv
  let doubleColumn: InceptionConv
  let branchPool: InceptionConv
  private let pooling: Pooling

  static let keyOverrides = [
    "branch3x3First": "branch3x3_1", "branch3x3Row": "branch3x3_2a",
    "branch3x3Column": "branch3x3_2b", "doubleFirst": "branch3x3dbl_1",
    "doubleSecond": "branch3x3dbl_2", "doubleRow": "branch3x3dbl_3a",
    "doubleColumn": "branch3x3dbl_3b",
  ]

  init(_ inChannels: Int, pooling: Pooling) {
    branch1x1 = InceptionConv(inChannels, 320, (1, 1))
    branch3x3First = InceptionConv(inChannels, 384, (1, 1))
    branch3x3Row = InceptionConv(384, 384, (1, 3), padding: (0, 1))
    branch3x3Column = InceptionConv(384, 384, (3, 1), padding: (1, 0))
    doubleFirst = InceptionConv(inChannels, 448, (1, 1))
    doubleSecond = InceptionConv(448, 384, (3, 3), padding: (1, 1))
    doubleRow = InceptionConv(384, 384, (1, 3), padding: (0, 1))
    doubleColumn = InceptionConv(384, 384, (3, 1), padding: (1, 0))
    branchPool = InceptionConv(inChannels, 192, (1, 1))
    self.pooling = pooling
  }

  /// `x` `[N, H, W, in]` → `[N, H, W, 2048]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (once, twice) = (branch3x3First(x), doubleSecond(doubleFirst(x)))
    let pooled =
      switch pooling {
      case .average: neighborhoodMean(x)
      case .maximum: maxPool2d(x, size: 3, stride: 1, padding: 1)
      }
    return concatenated([
      branch1x1(x), branch3x3Row(once), branch3x3Column(once), doubleRow(twice),
      doubleColumn(twice), branchPool(pooled),
    ])
  }
}

extension InceptionConv {
  /// A 1×7 convolution that keeps the size.
  static func row7(_ inChannels: Int, _ outChannels: Int) -> InceptionConv {
    InceptionConv(inChannels, outChannels, (1, 7), padding: (0, 3))
  }

  /// A 7×1 convolution that keeps the size.
  static func column7(_ inChannels: Int, _ outChannels: Int) -> InceptionConv {
    InceptionConv(inChannels, outChannels, (7, 1), padding: (3, 0))
  }
}

/// The mean of each pixel and its neighbours inside of the picture: torch's `avg_pool2d` with
/// `count_include_pad=False`, window 3, stride 1, padding 1.
private func neighborhoodMean(_ x: Tensor) -> Tensor {
  let (height, width) = (x.shape[1], x.shape[2])
  func inside(_ index: Int, _ length: Int) -> Float {
    Float(min(index + 1, length - 1) - max(index - 1, 0) + 1)
  }
  let factors = (0..<height * width).map {
    9 / (inside($0 / width, height) * inside($0 % width, width))
  }
  return averagePool2d(x, size: 3, stride: 1, padding: 1)
    * Tensor(factors, [1, height, width, 1])
}
