import ComputeCore
import Layers
import TestSupport
import Testing

@Suite struct LayerParityTests {
  private let fixture: LayerFixture

  init() throws {
    fixture = try LayerFixture()
  }

  @Test func feedForwardMatchesDiffusers() throws {
    let layer = FeedForward(6)
    try fixture.load(layer, "feed_forward")
    expectClose(
      layer(try fixture.tensor("feed_forward.x0")), try fixture.tensor("feed_forward.y"))
  }

  @Test func timeEmbeddingMatchesDiffusers() throws {
    let layer = TimestepEmbedding(6, 10)
    try fixture.load(layer, "time_embedding")
    expectClose(
      layer(try fixture.tensor("time_embedding.x0")), try fixture.tensor("time_embedding.y"))
  }

  @Test(arguments: [
    ("sd", Timesteps(8, flipSinToCos: true, freqShift: 0)),
    ("sines_first", Timesteps(6, flipSinToCos: false, freqShift: 1)),
    ("odd", Timesteps(7, flipSinToCos: true, freqShift: 0)),
  ])
  func timestepsMatchDiffusers(_ name: String, _ timesteps: Timesteps) throws {
    // At 999 one unit in the last place of a frequency moves the angle by 6e-5.
    expectClose(
      timesteps([0, 1, 37.5, 999]), try fixture.tensor("timesteps_\(name).y"), tolerance: 1e-4)
  }

  @Test func selfAttentionMatchesDiffusers() throws {
    let layer = Attention(8, heads: 2, headDim: 4, bias: true)
    try fixture.load(layer, "self_attention")
    expectClose(
      layer(try fixture.tensor("self_attention.x0")), try fixture.tensor("self_attention.y"),
      tolerance: 5e-6)
  }

  @Test func maskedCrossAttentionMatchesDiffusers() throws {
    let layer = Attention(6, contextDim: 5, heads: 3, headDim: 4)
    try fixture.load(layer, "cross_attention")
    let y = layer(
      try fixture.tensor("cross_attention.x0"), context: try fixture.tensor("cross_attention.x1"),
      mask: try fixture.tensor("cross_attention.mask"))
    expectClose(y, try fixture.tensor("cross_attention.y"), tolerance: 5e-6)
  }

  @Test func spatialAttentionMatchesDiffusers() throws {
    let layer = SpatialAttention(8, groups: 4, eps: 1e-6)
    try fixture.load(layer, "spatial_attention")
    expectClose(
      layer(try fixture.tensor("spatial_attention.x0")),
      try fixture.tensor("spatial_attention.y"), tolerance: 5e-6)
  }

  @Test func batchNormKeepsTorchsRunningStatistics() throws {
    let layer = BatchNorm2d(3)
    let expected = BatchNorm2d(3)
    try fixture.load(expected, "batch_norm")
    layer.isTraining = true
    for index in 0..<3 {
      if index == 2 { layer.isTraining = false }
      expectClose(
        layer(try fixture.tensor("batch_norm.x\(index)")),
        try fixture.tensor("batch_norm.y\(index)"), tolerance: 5e-6, "call \(index)")
    }
    expectClose(layer.runningMean.value, expected.runningMean.value, tolerance: 5e-6)
    expectClose(layer.runningVar.value, expected.runningVar.value, tolerance: 5e-6)
  }
}
