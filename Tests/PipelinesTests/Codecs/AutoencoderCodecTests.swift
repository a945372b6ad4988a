import Checkpoints
import ComputeCore
import Models
import Pipelines
import TestSupport
import Testing

@Suite struct AutoencoderCodecTests {
  @Test(arguments: [(512, 512, false), (768, 768, false), (1024, 1024, true), (512, 1792, true)])
  func tilesAreForPicturesThatWouldTakeMuchMemory(
    _ width: Int, _ height: Int, _ expected: Bool
  ) throws {
    var config = AutoencoderConfig()
    config.blockOutChannels = [128, 256, 512, 512]
    config.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 4)
    config.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 4)
    config.layersPerBlock = 2
    let vae = try AutoencoderKL(config)
    #expect(AutoencoderCodec(vae).usesTiles(width: width, height: height) == expected)
    #expect(AutoencoderCodec(vae, tiles: .on).usesTiles(width: 8, height: 8))
    #expect(!AutoencoderCodec(vae, tiles: .off).usesTiles(width: width, height: height))
  }

  @Test func tilesGiveTheSamePicturesAndLatents() throws {
    func codec(_ use: TileUse) throws -> any PictureCodec {
      var options = LoadingOptions()
      options.tiles = use
      return try TextToImagePipeline.load(folder: modelFolder, options).codec
    }
    var (tiles, generator) = (Tiles(), TorchGenerator(seed: 4))
    (tiles.side, tiles.keepable) = (10, 0)
    let path = modelFolder + "/vae"
    let tiled = AutoencoderCodec(try AutoencoderKL.load(folder: path), tiles: .on, tiles)
    let latents = Tensor.randn([2, 9, 12, 4], using: &generator)
    let pictures = Tensor.randn([1, 18, 24, 3], using: &generator)
    let (on, off) = (try codec(.on), try codec(.off))
    for codec in [on, tiled] {
      expectClose(codec.decode(latents), off.decode(latents), tolerance: 1e-5)
      expectClose(codec.encode(pictures), off.encode(pictures), tolerance: 1e-5)
      expectClose(
        codec.sample(pictures, count: 3) { Tensor.ones($0) },
        off.sample(pictures, count: 3) { Tensor.ones($0) }, tolerance: 1e-5)
    }
  }
}
