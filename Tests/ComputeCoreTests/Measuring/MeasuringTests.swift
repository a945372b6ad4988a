import ComputeCore
import Testing
import TileEmulator

@Suite struct MeasuringTests {
  @Test(
    arguments: [([3], 3), ([3, 1], 2), ([9, 1, 2], 2), ([4, 1, 2, 9], 3)] as [([Double], Double)])
  func medianIsTheMiddle(_ seconds: [Double], _ expected: Double) {
    #expect(Timing(seconds: seconds).median == expected)
  }

  @Test func theFirstRunDoesNotCount() {
    var runs = 0
    let timing = Timing(.count(3)) { runs += 1 }
    #expect(runs == 4 && timing.seconds.count == 3)
    runs = 0
    #expect(Timing(.seconds(0, atLeast: 2)) { runs += 1 }.seconds.count == 2)
    #expect(runs == 3)
  }

  @Test(.disabled(if: te_is_emulating() != 0, "an emulated limit takes a minute and means nothing"))
  func limitsGrowWithTheInstructionSet() throws {
    let limits = ProcessorLimit.measureAll()
    #expect(limits.last?.instructionSet == "plain")
    #expect(limits.allSatisfy { $0.float32 > 1e8 })
    // Four times as wide, which shows on a busy machine too.
    if limits.count > 2 { #expect(limits[0].float32 > limits[limits.count - 1].float32) }
    let multiplying = limits.filter { $0.bfloat16 != nil }.map(\.instructionSet)
    #expect(multiplying.allSatisfy { $0 == "amx" || $0 == "avx512bf16" })
    #expect(limits[0].operationsPerSecond(.float32) == limits[0].float32)
  }

  @Test func operationsAreThoseOfTheDirectMethod() {
    #expect(KernelBenchmark(.linear(rows: 2, inputs: 3, outputs: 5)).operations == 60)
    let convolution = KernelBenchmark.Layer.convolution(
      kernel: 3, inputs: 4, outputs: 5, side: 6, images: 2)
    #expect(KernelBenchmark(convolution).operations == 2 * 2 * 36 * 4 * 5 * 9)
    #expect(KernelBenchmark(convolution, .training).operations == 3 * 2 * 2 * 36 * 4 * 5 * 9)
    #expect(KernelBenchmark(convolution).name == "conv3x3 4-5@6x6 b2")
    #expect(KernelBenchmark(convolution, .training).measure(.count(1)).seconds[0] > 0)
  }
}
