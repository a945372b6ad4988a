import Models
import Testing

/// Operation counts as `torch.utils.flop_counter.FlopCounterMode` gives them for diffusers' models
/// (`scripts/fixtures/operation_counts.py`).
@Suite struct WorkTests {
  @Test func stableDiffusionUNet() throws {
    var config = UNetConfig()
    config.crossAttentionDim = 768
    let count = try config.operations(batch: 2, height: 64, width: 64, tokens: 77)
    #expect(count == 1_606_546_882_560)
  }

  @Test func smallUNet() throws {
    var config = UNetConfig()
    (config.inChannels, config.outChannels) = (48, 48)
    config.blockOutChannels = [128, 256]
    config.downBlockTypes = ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"]
    config.upBlockTypes = ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
    config.crossAttentionDim = 384
    let count = try config.operations(batch: 32, height: 16, width: 16, tokens: 20)
    #expect(count == 156_187_492_352)
  }

  @Test func stableDiffusionDecoder() {
    var config = AutoencoderConfig()
    config.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 4)
    config.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 4)
    config.blockOutChannels = [128, 256, 512, 512]
    config.layersPerBlock = 2
    let count = config.decodingOperations(batch: 1, height: 64, width: 64)
    #expect(count == 2_514_518_933_504)
  }
}
