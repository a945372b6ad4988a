import ComputeCore
import Layers

/// Told the part of some work that is done, from 0 to 1.
public typealias WorkProgress = (_ share: Double) -> Void

/// How a network is computed in parts.
public struct Tiles: Sendable {
  /// Most rows and columns of a tile, in pixels of the activation that is made.
  public var side = 256
  /// Most bytes of an activation between stages that is kept whole; two may be there at a time.
  public var keepable = 1 << 30

  /// 256 pixels, and 1 GiB for a whole activation.
  public init() {}
}

/// Stages that are computed tile by tile with the result that they have on the whole.
///
/// Convolutions read a margin around their tile, so nothing needs to be blended; norms use the
/// moments of the whole activation, see `TilePlan`. Results differ from those of the whole by
/// rounding only (in bf16 by as much as those differ from 32-bit ones, for Winograd's tiles lie
/// elsewhere), and do not with a single tile.
struct TiledNetwork {
  let stages: [TileStage]
  let tiles: Tiles

  /// `x` `[1, h, w, C]` → the last stage's result.
  ///
  /// - Parameters:
  ///   - x: what goes into the first stage.
  ///   - progress: told the part of the work that is done, from 0 to 1, after every tile.
  /// - Returns: `[1, H, W, outChannels]`, not recorded.
  func callAsFunction(_ x: Tensor, progress: @escaping WorkProgress) -> Tensor {
    let size = TileSize(height: x.shape[1], width: x.shape[2])
    let plan = TilePlan(stages, size, keepable: tiles.keepable)
    let costs = plan.passes.map { Double(cost(of: $0, plan)) }
    let total = costs.reduce(0, +)
    var (kept, done) = (x, 0.0)
    var moments = stages.map { _ in [GroupMoments]() }
    return Compute.withoutRecording {
      for (pass, cost) in zip(plan.passes, costs) {
        let report = { (share: Double) in progress((done + cost * share) / total) }
        let run = Run(stages: stages, sizes: plan.sizes, first: pass.stages.lowerBound, kept: kept)
        if let norm = pass.norm {
          let found = run.measure(norm, of: pass.stages.upperBound, moments, tiles, report)
          moments[pass.stages.upperBound].append(found)
        } else {
          kept = run.result(of: pass.stages.upperBound - 1, moments, tiles, report)
        }
        done += cost
      }
      return kept
    }
  }

  /// About how much work a pass is: the pixels times the squared channels of what its stages make.
  private func cost(of pass: TilePlan.Pass, _ plan: TilePlan) -> Int {
    let last = pass.norm == 1 ? pass.stages.upperBound + 1 : pass.stages.upperBound
    return (pass.stages.lowerBound..<last).reduce(1) { sum, index in
      let (size, channels) = (plan.sizes[index + 1], stages[index].outChannels)
      return sum + size.height * size.width * channels * channels
    }
  }
}

/// One run over the tiles of an activation, beginning at one that is kept whole.
private struct Run {
  let stages: [TileStage]
  /// Of what goes into each stage, and of the result.
  let sizes: [TileSize]
  /// The stage that `kept` goes into.
  let first: Int
  let kept: Tensor

  /// Moments of what norm `norm` of stage `index` reads.
  func measure(
    _ norm: Int, of index: Int, _ moments: [[GroupMoments]], _ tiles: Tiles,
    _ report: (Double) -> Void
  ) -> GroupMoments {
    var found = GroupMoments(groups: stages[index].norms[norm].groups)
    if norm == 0 && index == first {
      found.add(kept)
      return found
    }
    let size = sizes[index]
    let regions = TileRegion.tiles(of: size, side: tiles.side)
    for (number, region) in regions.enumerated() {
      let source = stages[index].source(ofNorm: norm, region, in: size)
      let tile = activation(before: index, source, moments)
      found.add(
        stages[index].input(ofNorm: norm, tile, at: region, in: size, moments[index]))
      report(Double(number + 1) / Double(regions.count))
    }
    return found
  }

  /// The whole result of stage `index`.
  func result(
    of index: Int, _ moments: [[GroupMoments]], _ tiles: Tiles, _ report: (Double) -> Void
  ) -> Tensor {
    let size = sizes[index + 1]
    let regions = TileRegion.tiles(of: size, side: tiles.side)
    return Tensor(
      assembling: [1, size.height, size.width, stages[index].outChannels],
      at: regions.map { [0, $0.rows.lowerBound, $0.columns.lowerBound, 0] }
    ) { number in
      let part = activation(before: index + 1, regions[number], moments).x
      report(Double(number + 1) / Double(regions.count))
      return part
    }
  }

  /// A region of what goes into stage `index`.
  private func activation(
    before index: Int, _ region: TileRegion, _ moments: [[GroupMoments]]
  ) -> Tile {
    var regions = [region]
    for stage in (first..<index).reversed() {
      regions.append(stages[stage].source(of: regions[regions.count - 1], in: sizes[stage]))
    }
    let whole = TileRegion(rows: 0..<sizes[first].height, columns: 0..<sizes[first].width)
    let source = regions.removeLast()
    var tile = Tile(x: Tile(x: kept, region: whole).cropped(to: source), region: source)
    for (stage, region) in zip(first..<index, regions.reversed()) {
      tile = stages[stage](tile, to: region, in: sizes[stage], moments[stage])
    }
    return tile
  }
}
