import ComputeCore
import Pipelines
import Testing

@Suite struct SpaceToDepthCodecTests {
  @Test(arguments: [1, 2, 4])
  func decodingUndoesEncoding(_ block: Int) {
    let codec = SpaceToDepthCodec(blockSize: block)
    var generator = TorchGenerator(seed: 1)
    let pictures = Tensor.randn([2, 8, 12, 3], using: &generator)
    let latents = codec.encode(pictures)
    #expect(latents.shape == [2, 8 / block, 12 / block, codec.latentChannels])
    let decoded = codec.decode(latents)
    #expect(decoded.shape == pictures.shape)
    #expect(decoded.values == pictures.values)
  }

  /// `torch.nn.functional.pixel_unshuffle`: channel `c · r² + row · r + column`.
  @Test func channelsAreInTorchsOrder() {
    let (block, height, width) = (2, 4, 6)
    let codec = SpaceToDepthCodec(blockSize: block)
    let pictures = Tensor((0..<height * width * 3).map(Float.init), [1, height, width, 3])
    let latents = codec.encode(pictures).values
    for y in 0..<height {
      for x in 0..<width {
        for color in 0..<3 {
          let channel = color * block * block + (y % block) * block + x % block
          let place = ((y / block) * (width / block) + x / block) * codec.latentChannels + channel
          #expect(latents[place] == Float((y * width + x) * 3 + color))
        }
      }
    }
  }
}
