import ComputeCore
import Foundation

/// `--json` of `imgen bench`.
struct BenchReport: Encodable {
  /// Limits, of the best instruction set first.
  var processor: [ProcessorReport]?
  var kernels: [KernelReport]?
  var attention: [AttentionReport]?
  var networks: [NetworkReport]?
}

/// What one instruction set can do at most, on all threads.
struct ProcessorReport: Encodable {
  let instructionSet: String
  let threads: Int
  let f32GigaflopsPerSecond: Double
  let bf16GigaflopsPerSecond: Double?

  static let table = TextTable(columns: [
    .init(title: "CPU limit", width: 10, isNumber: false), .init(title: "threads", width: 7),
    .init(title: "f32 GFLOP/s", width: 11), .init(title: "bf16 GFLOP/s", width: 12),
  ])

  init(_ limit: ProcessorLimit) {
    instructionSet = limit.instructionSet
    threads = Compute.current.threads
    f32GigaflopsPerSecond = limit.float32 / 1e9
    bf16GigaflopsPerSecond = limit.bfloat16.map { $0 / 1e9 }
  }

  var line: String {
    Self.table.line([
      instructionSet, "\(threads)", decimal(f32GigaflopsPerSecond, 0),
      bf16GigaflopsPerSecond.map { decimal($0, 0) } ?? "-",
    ])
  }
}

/// How fast a product is, and how near to what the CPU can do.
struct ProductRate {
  let precision = Compute.current.precision.inEffect
  let medianSeconds: Double
  let gigaflopsPerSecond: Double
  let shareOfLimit: Double

  static let table = TextTable(columns: [
    .init(title: "shape", width: 27, isNumber: false),
    .init(title: "pass", width: 16, isNumber: false), .init(title: "ms", width: 9),
    .init(title: "GFLOP/s", width: 8), .init(title: "of limit", width: 8),
  ])

  init(_ operations: Double, _ timing: Timing, _ limit: ProcessorLimit) {
    medianSeconds = timing.median
    let rate = operations / timing.median
    gigaflopsPerSecond = rate / 1e9
    shareOfLimit = rate / limit.operationsPerSecond(precision)
  }

  /// A line of the table.
  func line(_ name: String, _ pass: String) -> String {
    Self.table.line([
      name, pass, decimal(medianSeconds * 1e3, 3), decimal(gigaflopsPerSecond, 0),
      decimal(shareOfLimit * 100, 0) + "%",
    ])
  }
}

/// One kernel.
struct KernelReport: Encodable {
  let name: String
  let pass: String
  let precision: String
  let threads: Int
  let repeats: Int
  let medianSeconds: Double
  let gigaflopsPerSecond: Double
  let shareOfLimit: Double

  init(_ kernel: KernelBenchmark, _ rate: ProductRate, repeats: Int) {
    (name, pass) = (kernel.name, kernel.pass.rawValue)
    (precision, threads) = (rate.precision.rawValue, Compute.current.threads)
    self.repeats = repeats
    (medianSeconds, shareOfLimit) = (rate.medianSeconds, rate.shareOfLimit)
    gigaflopsPerSecond = rate.gigaflopsPerSecond
  }
}

/// Attention of one size.
struct AttentionReport: Encodable {
  let n: Int
  let heads: Int
  let queries: Int
  let keys: Int
  let headDim: Int
  let pass: String
  let precision: String
  let medianSeconds: Double
  let gigaflopsPerSecond: Double
  let shareOfLimit: Double

  init(_ benchmark: AttentionBenchmark, _ rate: ProductRate) {
    let size = benchmark.size
    (n, heads, queries) = (size.n, size.heads, size.queries)
    (keys, headDim, pass) = (size.keys, size.headDim, benchmark.pass.rawValue)
    (precision, medianSeconds) = (rate.precision.rawValue, rate.medianSeconds)
    (gigaflopsPerSecond, shareOfLimit) = (rate.gigaflopsPerSecond, rate.shareOfLimit)
  }
}

/// Steps of one network.
struct NetworkReport: Encodable {
  let work: String
  let config: String
  let precision: String
  let threads: Int
  let batch: Int
  /// Height and width of the U-Net's input or of the latents.
  let side: Int
  let tokens: Int
  let parameters: Int
  let setupSeconds: Double
  let steps: Int
  let medianSecondsPerStep: Double
  /// Of work that makes or sees whole pictures.
  let picturesPerSecond: Double?
  /// Of work whose operations are counted.
  let teraflopsPerSecond: Double?
  let peakTensorBytes: Int
  let peakProcessBytes: Int?

  static let table = TextTable(columns: [
    .init(title: "work", width: 5, isNumber: false),
    .init(title: "config", width: 8, isNumber: false),
    .init(title: "precision", width: 9, isNumber: false), .init(title: "batch", width: 5),
    .init(title: "s/step", width: 7), .init(title: "pictures/s", width: 10),
    .init(title: "TFLOP/s", width: 7), .init(title: "tensors GB", width: 10),
    .init(title: "process GB", width: 10), .init(title: "setup s", width: 7),
  ])

  var line: String {
    Self.table.line([
      work, config, precision, "\(batch)", decimal(medianSecondsPerStep, 3),
      picturesPerSecond.map { decimal($0, 2) } ?? "-",
      teraflopsPerSecond.map { decimal($0, 2) } ?? "-",
      decimal(Double(peakTensorBytes) / 1e9, 2),
      peakProcessBytes.map { decimal(Double($0) / 1e9, 2) } ?? "-", decimal(setupSeconds, 1),
    ])
  }
}

private func decimal(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}
