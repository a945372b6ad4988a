import ArgumentParser
import ComputeCore

extension MatmulPrecision: ExpressibleByArgument {}

/// How fast and how exactly a command computes.
struct ComputeOptions: ParsableArguments {
  @Option(
    help: """
      f32, bf16 (faster with AVX512-BF16 or AMX), or high (errors of about 4e-6; faster \
      than f32 with AMX, else the same). Default: f32, bf16 when training.
      """)
  var precision: MatmulPrecision?

  @Option(help: "Threads to use. Default: one per processor. Results do not depend on it.")
  var threads: Int?

  /// Refuses thread counts that make no sense.
  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads), expected 1 to 1024.")
    }
  }

  /// Runs `body` with these settings.
  func run<R>(defaultPrecision: MatmulPrecision, _ body: () throws -> R) rethrows -> R {
    try Compute.with {
      $0.precision = precision ?? defaultPrecision
      if let threads { $0.threads = threads }
    } _: {
      try body()
    }
  }
}
