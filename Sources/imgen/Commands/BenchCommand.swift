import ArgumentParser
import ComputeCore

/// Times kernels and whole steps on random data.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time kernels and whole steps on random data.",
    discussion: """
      kernels: first what the CPU can do at most (multiply-adds in registers), then products of \
      Stable Diffusion 1.5 and of a small U-Net: \(shapes). linear is rows x inputs x outputs; \
      conv is channels@size and batch. forward has its weight packed before; forward+backward \
      makes both gradients.
      attention: batch x heads, queries x keys, numbers per head.
      unet: one denoising step. vae: decoding of latents. train: a training step of all weights \
      with AdamW and a moving average. lora: a training step of rank 16 on attention's projections. \
      gan: a training step of the generator and discriminator that imgen gan train begins with.
      Configs: sd15 (Stable Diffusion 1.5), unet25m (128/256 channels, 16x16x48 in, 25 million \
      weights), small (the bundled model), or a model folder. All weights are random.
      Times are medians, in bf16 unless f32 is asked for. Run it on an idle machine; for memory, \
      run one work by itself.
      With IMGEN_PROFILE=1 in the environment, any command tells the time of every operation.
      """)

  private static var shapes: String {
    KernelBenchmark.standard.filter { $0.pass == .forward }.map(\.name).joined(separator: ", ")
  }

  /// What can be timed.
  enum Work: String, CaseIterable, ExpressibleByArgument {
    case kernels, attention, unet, vae, train, lora, gan
  }

  @Argument(help: "What to time. Default: everything, in a few minutes.")
  var work: Work?

  @Option(help: "sd15, unet25m, small or a model folder. Default: unet25m to train, else sd15.")
  var config: String?

  @Option(
    help: "Pictures per step. Default: 2 for unet, 1 for vae and lora, 32 to train and for gan.")
  var batch: Int?

  @Option(
    name: [.customLong("steps"), .customLong("repeats")],
    help: "Runs to time, after the first. Default: as many as a few seconds hold.")
  var steps: Int?

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if let batch, !(1...4096).contains(batch) {
      throw ValidationError("--batch is \(batch), expected 1 to 4096.")
    }
    if let steps, !(1...100_000).contains(steps) {
      throw ValidationError("--steps is \(steps), expected 1 to 100000.")
    }
    let isProduct = work == nil || work == .kernels || work == .attention
    if batch != nil, isProduct {
      throw ValidationError("--batch goes with unet, vae, train, lora or gan.")
    }
    if config != nil, isProduct || work == .gan {
      throw ValidationError("--config goes with unet, vae, train or lora.")
    }
  }

  func run() throws {
    var report = BenchReport()
    try compute.run(defaultPrecision: .bfloat16) {
      let works = work.map { [$0] } ?? Work.allCases
      let products = works.filter { $0 == .kernels || $0 == .attention }
      if !products.isEmpty { time(products: products, &report) }
      for work in works { try time(network: work, &report) }
    }
    try console.report(report)
  }

  private func time(network work: Work, _ report: inout BenchReport) throws {
    switch work {
    case .kernels, .attention: break
    case .unet: add(try benchmark("sd15").unet(), to: &report)
    case .vae: add(try benchmark("sd15").vae(), to: &report)
    case .train: add(try benchmark("unet25m").train(), to: &report)
    case .lora: add(try benchmark("sd15").lora(), to: &report)
    case .gan: add(try GANBenchmark(batch: batch ?? 32, steps: steps).report(), to: &report)
    }
  }

  /// Times kernels beside what the CPU can do at most.
  private func time(products works: [Work], _ report: inout BenchReport) {
    console.say(ProcessorReport.table.header)
    let limits = ProcessorLimit.measureAll()
    let processor = limits.map(ProcessorReport.init)
    for limit in processor { console.say(limit.line) }
    report.processor = processor
    let repeats: Timing.Repeats = steps.map { .count($0) } ?? .seconds(0.5)
    console.say("\nprecision \(Compute.current.precision.inEffect.rawValue)")
    console.say(ProductRate.table.header)
    func rate(_ operations: Double, _ timing: Timing, _ name: String, _ pass: String) -> ProductRate
    {
      let rate = ProductRate(operations, timing, limits[0])
      console.say(rate.line(name, pass))
      return rate
    }
    if works.contains(.kernels) {
      report.kernels = KernelBenchmark.standard.map { kernel in
        let timing = kernel.measure(repeats)
        return KernelReport(
          kernel, rate(kernel.operations, timing, kernel.name, kernel.pass.rawValue),
          repeats: timing.seconds.count)
      }
      console.say(
        "Operations of convolutions are those of the direct method, also where a faster one is used."
      )
    }
    if works.contains(.attention) {
      report.attention = AttentionBenchmark.standard.map { work in
        AttentionReport(
          work,
          rate(work.operations, work.measure(repeats), work.size.name, work.pass.rawValue))
      }
    }
  }

  private func benchmark(_ standard: String) throws -> NetworkBenchmark {
    NetworkBenchmark(network: try .named(config ?? standard), batch: batch, steps: steps)
  }

  /// Adds steps to the report and prints their line, the first one under a header.
  private func add(_ network: NetworkReport, to report: inout BenchReport) {
    if report.networks == nil { console.say(NetworkReport.table.header) }
    console.say(network.line)
    report.networks = (report.networks ?? []) + [network]
  }
}
