import GAN
import Testing

@Suite struct GANConfigTests {
  @Test func levelsHalveWhileTheyCan() {
    let small = GANConfig(sampleSize: 28, channels: 1)
    #expect(small.levelSizes == [28, 14, 7] && small.levelChannels == [32, 64, 128])
    let large = GANConfig(sampleSize: 128, channels: 3, baseChannels: 64)
    #expect(large.levelSizes == [128, 64, 32, 16, 8, 4])
    #expect(large.levelChannels == [64, 128, 256, 256, 256, 256])
  }
}
