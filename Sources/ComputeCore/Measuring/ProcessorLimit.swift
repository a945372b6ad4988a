import CKernels

/// What all threads together multiply and add per second when nothing comes from memory: what
/// kernels are compared with.
///
/// The CPU's clock falls with the number of busy cores and with their load, so this is measured,
/// not computed.
package struct ProcessorLimit: Sendable {
  /// Name of the instruction set, as `IMGEN_ISA` takes it.
  package let instructionSet: String
  /// Floating-point operations per second in 32 bits; a multiply-add is two.
  package let float32: Double
  /// The same with bfloat16 factors, where the CPU has instructions for them.
  package let bfloat16: Double?

  /// The limit of the products that `precision` makes.
  package func operationsPerSecond(_ precision: MatmulPrecision) -> Double {
    precision == .bfloat16 ? bfloat16 ?? float32 : float32
  }

  /// The limits of every instruction set that this CPU has and `IMGEN_ISA` allows, best first.
  ///
  /// Takes about 0.2 seconds for each, on `Compute.current.threads` threads.
  package static func measureAll() -> [ProcessorLimit] {
    let best = ck_isa().rawValue
    return (0...best).reversed().map { measure(ck_isa_t(rawValue: $0)) }
  }

  /// The limit of the best instruction set.
  package static func measure() -> ProcessorLimit { measure(ck_isa()) }

  private static func measure(_ isa: ck_isa_t) -> ProcessorLimit {
    let bfloat16 = rate(isa, ck_peak_bf16)
    return ProcessorLimit(
      instructionSet: String(cString: ck_isa_name(isa)), float32: rate(isa, ck_peak_f32),
      bfloat16: bfloat16 > 0 ? bfloat16 : nil)
  }

  /// The best of some runs of 20 ms each, since anything else on the machine only slows them.
  private static func rate(
    _ isa: ck_isa_t, _ loop: (UnsafeMutablePointer<Float>?, Int) -> Double
  ) -> Double {
    let threads = Compute.current.threads
    let items = threads * 8
    var generator = TorchGenerator(seed: 1)
    let numbers = Tensor.rand([items, Int(CK_PEAK_FLOATS)], using: &generator)
    let operations = Tensor(uninitialized: [items])
    func run(rounds: Int) -> Double {
      elapsedSeconds {
        ThreadPool.shared.run(items: items) { item in
          ck_limit_isa_of_thread(isa)
          defer { ck_limit_isa_of_thread(CK_ISA_AMX) }
          let values = numbers.pointer + item * Int(CK_PEAK_FLOATS)
          operations.pointer[item] = Float(loop(values, rounds))
        }
      }
    }
    let trial = 2_000
    let seconds = run(rounds: trial)
    guard operations.pointer[0] > 0 else { return 0 }
    let rounds = max(trial, Int(Double(trial) * 0.02 / max(seconds, 1e-6)))
    let best = (0..<5).map { _ in run(rounds: rounds) }.min() ?? seconds
    return operations.values.reduce(0) { $0 + Double($1) } / best
  }
}

extension MatmulPrecision {
  /// What this CPU computes when it is asked for this precision.
  package var inEffect: MatmulPrecision {
    self == .bfloat16 && ck_gemm_has_bf16() != 0 ? .bfloat16 : .float32
  }
}
