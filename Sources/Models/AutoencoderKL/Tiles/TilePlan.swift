/// In which order a chain of stages is computed tile by tile.
///
/// A norm needs the moments of an activation that may be too large to be kept. So tiles of the last
/// activation that is kept are run up to the norm, to measure what it reads, before anything after
/// it is computed. Whenever the result of a stage is small enough it is kept, and the stages before
/// it are not computed again. The more may be kept, the less is computed twice.
package struct TilePlan {
  /// One run over all tiles.
  package struct Pass: Equatable {
    /// What is run, beginning at the activation that is kept.
    package let stages: Range<Int>
    /// Which norm of the stage that follows is measured; `nil` when the result is kept.
    package let norm: Int?

    /// A run.
    package init(stages: Range<Int>, norm: Int?) {
      (self.stages, self.norm) = (stages, norm)
    }
  }

  /// The runs in their order; the last one gives the result.
  package let passes: [Pass]
  /// Size of what goes into each stage, and of the result.
  package let sizes: [TileSize]

  /// - Parameters:
  ///   - stages: of the network, one after another.
  ///   - size: of what goes in.
  ///   - keepable: the most bytes that the result of a stage may have to be kept; the last result
  ///     always is.
  package init(_ stages: [TileStage], _ size: TileSize, keepable: Int) {
    var sizes = [size]
    var passes: [Pass] = []
    var first = 0
    for (index, stage) in stages.enumerated() {
      let next = stage.resultSize(sizes[index])
      sizes.append(next)
      passes += stage.norms.indices.map { Pass(stages: first..<index, norm: $0) }
      let bytes = next.height * next.width * stage.outChannels * 4
      guard bytes <= keepable || index + 1 == stages.count else { continue }
      passes.append(Pass(stages: first..<index + 1, norm: nil))
      first = index + 1
    }
    (self.passes, self.sizes) = (passes, sizes)
  }
}
