import ComputeCore
import Layers
import Models
import TestSupport
import Testing

@Suite struct TilesTests {
  private let vae: AutoencoderKL

  init() throws {
    var config = AutoencoderConfig()
    config.blockOutChannels = [8, 16, 16]
    config.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 3)
    config.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 3)
    (config.layersPerBlock, config.normNumGroups) = (1, 4)
    vae = try AutoencoderKL(config)
    var generator = TorchGenerator(seed: 5)
    vae.initialize(using: &generator)
    vae.freeze()
  }

  /// Latents with very large numbers in one corner, as the published autoencoders make them.
  private func latents(_ height: Int, _ width: Int) -> Tensor {
    var generator = TorchGenerator(seed: 6)
    let x = Tensor.randn([1, height, width, 4], using: &generator)
    let spot = (0..<height * width).map { Float($0 / width < 2 && $0 % width < 3 ? 40 : 1) }
    return x * Tensor(spot, [1, height, width, 1])
  }

  private func pictures(_ height: Int, _ width: Int) -> Tensor {
    var generator = TorchGenerator(seed: 7)
    return Tensor.randn([1, height, width, 3], using: &generator)
  }

  private func tiles(_ side: Int, keepable: Int = .max) -> Tiles {
    var tiles = Tiles()
    (tiles.side, tiles.keepable) = (side, keepable)
    return tiles
  }

  @Test(arguments: MatmulPrecision.allCases)
  func oneTileIsTheWhole(_ precision: MatmulPrecision) {
    Compute.with {
      ($0.precision, $0.isRecording) = (precision, false)
    } _: {
      let (z, x) = (latents(9, 14), pictures(36, 20))
      for keepable in [0, .max] {
        let tiles = tiles(1_000, keepable: keepable)
        #expect(vae.decode(z, tiles: tiles).values == vae.decode(z).values)
        #expect(vae.moments(x, tiles: tiles).values == vae.moments(x).values)
      }
    }
  }

  /// Sides that divide the picture and ones that do not, with everything, something and nothing
  /// kept between the stages.
  @Test(arguments: [2, 7, 16, 40], [0, 60_000, .max])
  func manyTilesDifferByRounding(_ side: Int, keepable: Int) {
    let tiles = tiles(side, keepable: keepable)
    let (z, x) = (latents(11, 13), pictures(44, 52))
    expectClose(vae.decode(z, tiles: tiles), vae.decode(z), tolerance: 1e-5, "decoded")
    expectClose(vae.moments(x, tiles: tiles), vae.moments(x), tolerance: 1e-5, "moments")
  }

  /// Roundings fall on other numbers, but are no larger.
  @Test func bfloat16TilesAreAsExactAsTheWhole() {
    let z = latents(16, 16)
    let exact = vae.decode(z)
    func error(_ decode: () -> Tensor) -> Double {
      let found = Compute.with({ $0.precision = .bfloat16 }, decode)
      let differences = (found - exact).values.map { Double(abs($0)) }
      return differences.reduce(0, +) / Double(differences.count)
    }
    let tiled = error { vae.decode(z, tiles: tiles(14, keepable: 0)) }
    #expect(tiled < 1.2 * error { vae.decode(z) } + 1e-5)
  }

  @Test func batchesAreTheirPictures() {
    let (z, other) = (latents(6, 6), latents(6, 6) * 0.3)
    let both = vae.decode(concatenated([z, other], axis: 0), tiles: tiles(10))
    #expect(both.sliced(axis: 0, 0..<1).values == vae.decode(z, tiles: tiles(10)).values)
    #expect(both.sliced(axis: 0, 1..<2).values == vae.decode(other, tiles: tiles(10)).values)
    expectThreadIndependence { [vae.decode(z, tiles: tiles(10))] }
  }

  /// Grey levels from one column to the next where tiles meet, compared with the whole picture's.
  ///
  /// Tiles that are decoded one by one show what the measure is able to see.
  @Test func thereIsNoSeam() {
    let z = latents(16, 16)
    let whole = vae.decode(z)
    let strips = stride(from: 0, to: 16, by: 4).map {
      vae.decode(z.sliced(axis: 2, $0..<$0 + 4))
    }
    let seams = [16, 32, 48]
    let expected = jumps(whole, seams)
    let alone = jumps(concatenated(strips, axis: 2), seams)
    let tiled = jumps(vae.decode(z, tiles: tiles(16, keepable: 0)), seams)
    #expect(abs(tiled / expected - 1) < 1e-4, "\(tiled) instead of \(expected)")
    #expect(abs(alone / expected - 1) > 0.2, "\(alone) instead of \(expected)")
  }

  /// Mean grey levels from the column before to each of `columns`.
  private func jumps(_ picture: Tensor, _ columns: [Int]) -> Double {
    let steps = columns.flatMap { column in
      let (before, after) = (
        picture.sliced(axis: 2, column - 1..<column), picture.sliced(axis: 2, column..<column + 1)
      )
      return (after - before).values.map { Double(abs($0)) * 127.5 }
    }
    return steps.reduce(0, +) / Double(steps.count)
  }

  @Test func progressGoesFromNothingToAll() {
    var shares: [Double] = []
    _ = vae.decode(latents(8, 8), tiles: tiles(8)) { shares.append($0) }
    #expect(shares.count > 20 && shares == shares.sorted())
    #expect(abs((shares.last ?? 0) - 1) < 1e-9)
    #expect((shares.first ?? 1) < 0.2)
  }

  @Test(arguments: [(1, 1, 4), (7, 5, 2), (40, 33, 16), (256, 100, 256), (9, 9, 1)])
  func regionsCoverTheWholeOnce(_ height: Int, _ width: Int, _ side: Int) {
    var counts = [Int](repeating: 0, count: height * width)
    let regions = TileRegion.tiles(of: TileSize(height: height, width: width), side: side)
    for region in regions {
      #expect(region.rows.count <= max(2, side) && region.columns.count <= max(2, side))
      #expect(region.rows.lowerBound % 2 == 0 && region.columns.lowerBound % 2 == 0)
      for row in region.rows { for column in region.columns { counts[row * width + column] += 1 } }
    }
    #expect(counts.allSatisfy { $0 == 1 })
  }

  @Test func plansKeepWhatFits() {
    let stages: [TileStage] = [
      .resnet(ResnetBlock2D(16, 16, tembChannels: nil, groups: 4, eps: 1e-6)),
      .upsample(Upsample2D(16)),
      .output(GroupNorm(16, groups: 4, eps: 1e-6), Conv2d(16, 3, kernelSize: 3, padding: 1)),
    ]
    let size = TileSize(height: 10, width: 6)
    func passes(_ keepable: Int) -> [TilePlan.Pass] {
      TilePlan(stages, size, keepable: keepable).passes
    }
    typealias Pass = TilePlan.Pass
    let block = [Pass(stages: 0..<0, norm: 0), Pass(stages: 0..<0, norm: 1)]
    #expect(
      passes(0) == block + [Pass(stages: 0..<2, norm: 0), Pass(stages: 0..<3, norm: nil)])
    #expect(
      passes(10 * 6 * 16 * 4) == block + [
        Pass(stages: 0..<1, norm: nil), Pass(stages: 1..<2, norm: 0),
        Pass(stages: 1..<3, norm: nil),
      ])
    #expect(
      passes(20 * 12 * 16 * 4) == block + [
        Pass(stages: 0..<1, norm: nil), Pass(stages: 1..<2, norm: nil),
        Pass(stages: 2..<2, norm: 0), Pass(stages: 2..<3, norm: nil),
      ])
    #expect(
      TilePlan(stages, size, keepable: 0).sizes.map(\.height) == [10, 10, 20, 20])
  }
}
