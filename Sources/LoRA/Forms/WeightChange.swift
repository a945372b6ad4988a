import Checkpoints
import ComputeCore
import Layers

/// What one adapter of a file does to the weight of its layer; tensors are read when needed.
struct WeightChange: Sendable {
  /// How the strength enters where lengths are kept apart from directions.
  enum MagnitudeRule: Sendable {
    /// `W + strength · (W′ − W)`: ComfyUI `comfy/weight_adapter/base.py`, `weight_decompose`; at
    /// strength 1 LyCORIS `functional/general.py`, `weight_decompose`.
    case outside
    /// The strength multiplies the product inside of W′; none at all at strength 0. Source: peft
    /// `tuners/lora/dora.py`, whose files are the ones that this is for.
    case inside
  }

  let file: SafetensorsFile
  let keys: [LoRAKey.Part: String]
  let form: LoRAForm
  /// Factor that belongs to the trained weights.
  let scale: Float
  /// Shape of the layer's weight in a checkpoint.
  let shape: Shape
  let magnitudeRule: MagnitudeRule

  init(_ entry: LoRAEntry, in file: LoRAFile, scale: Float, shape: Shape) {
    self.file = file.file
    keys = entry.keys
    form = entry.form
    self.scale = scale
    self.shape = shape
    let isPEFT = entry.keys[.magnitude]?.contains("lora_magnitude_vector") == true
    magnitudeRule = isPEFT ? .inside : .outside
  }

  /// What is to be added to `base`, which is not changed by other adapters.
  ///
  /// - Parameters:
  ///   - base: the layer's weight.
  ///   - layout: how `base` relates to `shape`.
  ///   - strength: 0 for nothing, 1 for as trained.
  /// - Returns: a tensor of `base`'s shape.
  /// - Throws: what reading the file throws.
  func change(
    of base: Tensor, layout: Parameter.Layout, strength: Float
  ) throws(CheckpointError) -> Tensor {
    try exactly { () throws(CheckpointError) in
      let product = layout.inMemory(try difference(), base.shape)
      guard let key = keys[.magnitude], strength != 0 else { return product * strength }
      let magnitude = try file.tensor(key)
      let inner = magnitudeRule == .inside ? strength : 1
      let direction = inner == 1 ? base + product : base + product * inner
      let axis = isPerOutput(magnitude.shape) ? 0 : layout == .convolution ? base.rank - 1 : 1
      let change = rescaled(direction, along: axis, to: magnitude.values) - base
      return magnitudeRule == .outside && strength != 1 ? change * strength : change
    }
  }

  /// `ΔW` times `scale`, in `shape`.
  func difference() throws(CheckpointError) -> Tensor {
    switch form {
    case .difference, .norm:
      guard let key = keys[.diff] ?? keys[.normWeight] else { return Tensor.zeros(shape) }
      return try file.tensor(key).reshaped(shape)
    case .lowRank, .tucker:
      let (down, up) = try thinFactors()
      return scaled(matmul(up, down))
    case .hadamard:
      let first = try product(.hadaW1A, .hadaW1B, kernel: .hadaT1)
      return scaled(first * (try product(.hadaW2A, .hadaW2B, kernel: .hadaT2)))
    case .kronecker:
      let first =
        try keys[.lokrW1] == nil ? product(.lokrW1A, .lokrW1B, kernel: nil) : whole(.lokrW1)
      let second =
        try keys[.lokrW2] == nil ? product(.lokrW2A, .lokrW2B, kernel: .lokrT2) : whole(.lokrW2)
      return scaled(kronecker(first, second))
    }
  }

  /// `down` `[rank, in · kh · kw]` and `up` `[out, rank]`, a kernel between them multiplied out.
  func thinFactors() throws(CheckpointError) -> (down: Tensor, up: Tensor) {
    let up = matrix(try read(.up))
    guard keys[.mid] != nil else { return (matrix(try read(.down)), up) }
    let identity = Tensor.identity(up.shape[1])
    return (rebuilt(try read(.mid), identity, matrix(try read(.down))), up)
  }

  private func scaled(_ x: Tensor) -> Tensor { (scale == 1 ? x : x * scale).reshaped(shape) }

  private func read(_ part: LoRAKey.Part) throws(CheckpointError) -> Tensor {
    guard let key = keys[part] else {
      throw .noSuchKey(file: file.path, key: part.rawValue)
    }
    return try file.tensor(key)
  }

  private func whole(_ part: LoRAKey.Part) throws(CheckpointError) -> Tensor {
    matrix(try read(part))
  }

  /// `a · b`, or the Tucker form with a kernel between them, `[rows of a, columns]`.
  private func product(
    _ a: LoRAKey.Part, _ b: LoRAKey.Part, kernel: LoRAKey.Part?
  ) throws(CheckpointError) -> Tensor {
    let (left, right) = (matrix(try read(a)), matrix(try read(b)))
    guard let kernel, keys[kernel] != nil else { return matmul(left, right) }
    return rebuilt(try read(kernel), left, right)
  }

  /// Whether lengths belong to the outputs: LyCORIS writes `[out, 1, …]` for these and
  /// `[1, in, …]` for the inputs', peft `[out]` and `[1, out, 1, 1]`.
  private func isPerOutput(_ magnitude: Shape) -> Bool {
    if magnitudeRule == .inside || magnitude.count == 1 { return true }
    return magnitude[0] == shape[0]
  }
}

/// Runs `body` in 32 bits and without recording.
func exactly<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
  try Compute.with(
    {
      $0.precision = .float32
      $0.isRecording = false
    }, body)
}

/// A tensor as a matrix with the rows of its first axis.
func matrix(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0], x.count / max(1, x.shape[0])]) }

/// `y[p, r, …] = Σᵢⱼ t[i, j, …] · a[i, p] · b[j, r]` as a matrix `[p, r · …]`.
///
/// Source: LyCORIS `functional/general.py`, `rebuild_tucker`.
private func rebuilt(_ t: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let (i, j) = (t.shape[0], t.shape[1])
  let taps = t.count / max(1, i * j)
  let (p, r) = (a.shape[1], b.shape[1])
  let left = matmul(a.transposed([1, 0]), t.reshaped([i, j * taps]))  // [p, j · taps]
  let inner = left.reshaped([p, j, taps]).transposed([0, 2, 1]).reshaped([p * taps, j])
  let full = matmul(inner, b).reshaped([p, taps, r])
  return full.transposed([0, 2, 1]).reshaped([p, r * taps])
}

/// The Kronecker product of `a` `[m, n]` and `b` `[p, q]`, `[m · p, n · q]`.
private func kronecker(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (m, n, p, q) = (a.shape[0], a.shape[1], b.shape[0], b.shape[1])
  let y = Tensor(uninitialized: [m * p, n * q])
  withExtendedLifetime((a, b)) {
    for row in 0..<m * p {
      let (factors, source) = (a.pointer + row / p * n, b.pointer + row % p * q)
      let target = y.pointer + row * n * q
      for column in 0..<n {
        for k in 0..<q { target[column * q + k] = factors[column] * source[k] }
      }
    }
  }
  return y
}

/// `x` with its slices along `axis` scaled to given lengths.
private func rescaled(_ x: Tensor, along axis: Int, to lengths: [Float]) -> Tensor {
  let n = x.shape[axis]
  let inner = x.shape[(axis + 1)...].reduce(1, *)
  let outer = n * inner == 0 ? 0 : x.count / (n * inner)
  var squares = [Double](repeating: 0, count: n)
  let y = Tensor(uninitialized: x.shape)
  withExtendedLifetime(x) {
    for o in 0..<outer {
      for i in 0..<n {
        let row = x.pointer + (o * n + i) * inner
        var sum = 0.0
        for k in 0..<inner { sum += Double(row[k]) * Double(row[k]) }
        squares[i] += sum
      }
    }
    // The references add the smallest difference from 1, so that nothing is divided by zero.
    let factors = zip(lengths, squares).map { $0 / (Float($1.squareRoot()) + Float.ulpOfOne) }
    for o in 0..<outer {
      for i in 0..<n {
        let start = (o * n + i) * inner
        for k in start..<start + inner { y.pointer[k] = x.pointer[k] * factors[i] }
      }
    }
  }
  return y
}

extension Tensor {
  /// Ones on the diagonal, `[n, n]`.
  fileprivate static func identity(_ n: Int) -> Tensor {
    Tensor((0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 }, [n, n])
  }
}
