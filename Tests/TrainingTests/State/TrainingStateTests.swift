import ComputeCore
import Foundation
import Layers
import TestSupport
import Testing
import Training

@Suite struct TrainingStateTests {
  private let photos: ScratchFolder

  init() throws {
    photos = try ScratchFolder()
    try TinyModelFolder.writePhotos(4, side: 16, to: photos.path)
  }

  /// Parameters, moments, averages and losses are all in the state file.
  @Test(arguments: MatmulPrecision.allCases)
  func aResumedRunIsBitForBitTheUninterruptedOne(_ precision: MatmulPrecision) throws {
    let straight = try stateAfterRun(precision, threads: 1, parts: [6])
    #expect(try stateAfterRun(precision, threads: 1, parts: [3, 3]) == straight)
    #expect(try stateAfterRun(precision, threads: 2, parts: [6]) == straight)
    #expect(try stateAfterRun(precision, threads: 2, parts: [1, 4, 1]) == straight)
  }

  /// The bytes of the last state of a run that was stopped and begun anew after each part.
  private func stateAfterRun(_ precision: MatmulPrecision, threads: Int, parts: [Int]) throws
    -> [UInt8]
  {
    let folder = try ScratchFolder()
    return try Compute.with {
      ($0.precision, $0.threads) = (precision, threads)
    } _: {
      for part in parts {
        let state = TrainingState.latest(in: folder.path)
        var run = try TinyRun(photos: photos.path, steps: 6, state: state)
        var losses = state?.losses ?? []
        for _ in 0..<part { losses += run.trainer.next().map { [$0.loss] } ?? [] }
        try TrainingState.save(
          run.optimizer, step: run.trainer.step, losses: losses, notes: ["a": "b"],
          in: folder.path)
      }
      return try bytes(folder("state-00000006.safetensors"))
    }
  }

  @Test func restoredObjectsEqualTheSavedOnes() throws {
    let folder = try ScratchFolder()
    var run = try TinyRun(photos: photos.path, steps: 6)
    let losses = (0..<2).compactMap { _ in run.trainer.next()?.loss }
    try TrainingState.save(run.optimizer, step: 2, losses: losses, notes: [:], in: folder.path)
    let state = try #require(TrainingState.latest(in: folder.path))
    #expect(state.step == 2)
    #expect(state.losses == losses)
    let fresh = try TinyRun(photos: photos.path, steps: 6, state: state)
    #expect(fresh.optimizer.updates == 2)
    #expect(fresh.trainer.step == 2)
    for (a, b) in zip(run.optimizer.parameters, fresh.optimizer.parameters) {
      #expect(a.parameter.value.values == b.parameter.value.values, "\(a.key)")
    }
    #expect(run.optimizer.averages.map(\.values) == fresh.optimizer.averages.map(\.values))
  }

  @Test func twoStatesAreKeptAndLeftoversOfAKilledRunRemoved() throws {
    let folder = try ScratchFolder()
    let optimizer = AdamW([("bias", Parameter([2], .ones))], AdamW.Config())
    try folder.write("half a state", to: "state-00000007.safetensors.Xy12Zz")
    try folder.write("{}", to: "run.json")
    for step in [8, 9, 10, 11] {
      try TrainingState.save(optimizer, step: step, losses: [], notes: [:], in: folder.path)
    }
    #expect(
      try folder.names(in: ".") == [
        "run.json", "state-00000010.safetensors", "state-00000011.safetensors",
      ])
  }

  /// Whatever is left of the newest file, the one before it is used.
  @Test func anUnreadableStateIsPassedOver() throws {
    let folder = try ScratchFolder()
    let optimizer = AdamW([("bias", Parameter([300], .ones))], AdamW.Config())
    for step in [5, 6] {
      try TrainingState.save(optimizer, step: step, losses: [1], notes: [:], in: folder.path)
    }
    let newest = folder("state-00000006.safetensors")
    let whole = try bytes(newest)
    for length in [0, 7, 8, 40, whole.count / 2, whole.count - 1] {
      try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: newest))
      var skipped: [String] = []
      #expect(TrainingState.latest(in: folder.path) { skipped.append("\($0)") }?.step == 5)
      #expect(skipped.count == 1 && skipped[0].contains("state-00000006.safetensors"))
    }
    try Data(whole.map { ~$0 }).write(to: URL(fileURLWithPath: newest))
    #expect(TrainingState.latest(in: folder.path)?.step == 5)
    try Data(whole).write(to: URL(fileURLWithPath: newest))
    #expect(TrainingState.latest(in: folder.path)?.step == 6)
  }

  @Test func noStateIsNone() throws {
    let folder = try ScratchFolder()
    #expect(TrainingState.latest(in: folder.path) == nil)
    #expect(TrainingState.latest(in: folder("missing")) == nil)
  }

  @Test func aStateOfAnotherRunChangesNothing() throws {
    let folder = try ScratchFolder()
    let saved = AdamW([("bias", Parameter([3], .ones))], AdamW.Config())
    try TrainingState.save(saved, step: 1, losses: [1], notes: [:], in: folder.path)
    let state = try #require(TrainingState.latest(in: folder.path))
    for parameters in [[("bias", Parameter([2], .zeros))], [("weight", Parameter([3], .zeros))]] {
      let other = AdamW(parameters, AdamW.Config())
      #expect(throws: TrainingError.self) { try state.restore(other) }
      #expect(parameters[0].1.value.values.allSatisfy { $0 == 0 })
      #expect(other.updates == 0)
    }
  }
}
