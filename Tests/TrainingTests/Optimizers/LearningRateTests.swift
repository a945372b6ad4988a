import ComputeCore
import TestSupport
import Testing
import Training

@Suite struct LearningRateTests {
  @Test func factorsEqualTransformers() throws {
    for item in try Fixture("learning_rates").cases where item.name.hasPrefix("cosine") {
      let schedule = WarmupCosine(
        peak: 1, warmup: item.int("warmup_steps"), total: item.int("total_steps"))
      let expected = try item.tensor("factors")
      let found = (0..<expected.count).map { schedule.rate(at: $0) }
      expectClose(Tensor(found, [found.count]), expected, "\(item.name)")
    }
  }

  @Test func peakScalesAllOfIt() {
    let schedule = WarmupCosine(peak: 3e-4, warmup: 4, total: 12)
    #expect(schedule.rate(at: 2) == 1.5e-4)
    #expect(schedule.rate(at: 4) == 3e-4)
    #expect(abs(schedule.rate(at: 8) - 1.5e-4) < 1e-10)
    #expect(schedule.rate(at: 12) < 1e-10)
  }

  /// A run whose length is not known yet still warms up.
  @Test func lengthMayBeUnknown() {
    let schedule = WarmupCosine(peak: 1, warmup: 10, total: .max)
    #expect(schedule.rate(at: 5) == 0.5)
    #expect(schedule.rate(at: 10) == 1)
    #expect(schedule.rate(at: 1000) > 0.999)
  }
}
