import Glibc

/// How precisely matrix products and convolutions multiply; sums are always 32-bit.
public enum MatmulPrecision: String, Sendable, CaseIterable {
  /// Factors and sums in 32 bits.
  case float32 = "f32"
  /// Factors rounded to bfloat16 (8 bits of mantissa), sums in 32 bits.
  case bfloat16 = "bf16"
  /// At least as exact as three products of bfloat16 parts (4e-6), which is how linear layers with
  /// frozen weights are computed with AMX. Everything else, and without AMX everything, is as with
  /// `float32`.
  case high
}

/// What the operations on tensors may use: threads, precision, and whether they are recorded.
///
/// The settings are task-local: `Compute.with(…)` changes them for the calls inside its closure.
public struct Compute: Sendable {
  /// Threads an operation may use, at least 1; results do not depend on it.
  public var threads = Compute.processorCount
  /// Precision of matrix products and convolutions.
  public var precision = MatmulPrecision.float32
  /// Whether operations are recorded for gradients.
  public var isRecording = true

  /// The settings in force for the calling task.
  @TaskLocal public static var current = Compute()

  /// The type to hand numbers to the next product in: what it would round them to anyway.
  public static var factorType: DType { FactorType.current.dtype }

  /// Processors that are online, at least 1.
  public static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Runs `body` under changed settings.
  public static func with<R, E: Error>(
    _ change: (inout Compute) -> Void, _ body: () throws(E) -> R
  ) throws(E) -> R {
    var changed = current
    change(&changed)
    var result: Result<R, E>?
    $current.withValue(changed) {
      do throws(E) { result = .success(try body()) } catch { result = .failure(error) }
    }
    guard let result else { preconditionFailure("withValue did not run its closure") }
    return try result.get()
  }

  /// Runs `body` without recording its operations for gradients.
  public static func withoutRecording<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try with({ $0.isRecording = false }, body)
  }
}
