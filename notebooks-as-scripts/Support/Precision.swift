import ComputeCore

/// Runs `body` with the factors of products rounded to bfloat16 where the processor is faster so.
package func inBFloat16<R>(_ body: () -> R) -> R {
  Compute.with({ $0.precision = .bfloat16 }, body)
}
