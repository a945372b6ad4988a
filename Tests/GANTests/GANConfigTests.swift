import Checkpoints
import GAN
import Testing

@Suite struct GANConfigTests {
  @Test func levelsHalveWhileTheyCan() {
    var config = GANConfig()
    #expect(config.levelSizes == [14, 7] && config.levelChannels == [64, 128])
    (config.sampleSize, config.channels) = (128, 3)
    #expect(config.levelSizes == [64, 32, 16, 8, 4])
    #expect(config.levelChannels == [64, 128, 256, 256, 256])
  }

  @Test func sizesThatMakeNoNetworkAreRefused() {
    func expectRefused(_ key: String, _ change: (inout GANConfig) -> Void) {
      var config = GANConfig()
      change(&config)
      let error = #expect(throws: ConfigError.self) { try Generator(config) }
      #expect(error?.key == key)
    }
    expectRefused("sample_size") { $0.sampleSize = 29 }
    expectRefused("sample_size") { $0.sampleSize = 4 }
    expectRefused("channels") { $0.channels = 2 }
    expectRefused("patch_size") { $0.patchSize = 0 }
    expectRefused("latent_size") { $0.latentSize = 0 }
    expectRefused("layers_per_block") { $0.layersPerBlock = 0 }
  }
}
