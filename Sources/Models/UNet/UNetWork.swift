import Checkpoints

extension UNetConfig {
  /// Floating-point operations of one forward pass; a multiply-add is two.
  ///
  /// - Parameters:
  ///   - batch: number of pictures.
  ///   - height: rows of the input.
  ///   - width: columns of the input.
  ///   - tokens: length of the texts.
  /// - Returns: the number for all pictures together.
  /// - Throws: `ConfigError` for settings that the model cannot be built from.
  package func operations(
    batch: Int, height: Int, width: Int, tokens: Int
  ) throws(ConfigError) -> Int {
    let levels = try levels()
    let sizes = levels.indices.map { i in
      (0..<i).reduce((height, width)) { size, _ in ((size.0 + 1) / 2, (size.1 + 1) / 2) }
    }
    let pixels = sizes.map { $0.0 * $0.1 }
    var work = UNetWork(batch: batch, tokens: tokens, tembChannels: 4 * blockOutChannels[0])
    let (inner, temb) = (blockOutChannels[0], work.tembChannels)
    work.count.add(inner, temb, rows: batch)
    work.count.add(temb, temb, rows: batch)
    work.count.add(inChannels, inner, rows: batch * pixels[0], kernel: 3)
    for (i, level) in levels.enumerated() {
      work.addLevel(
        level, level.resnets, hasAttention: level.hasAttentionDown, pixels: pixels[i]
      ) { $0 == 0 ? levels[max(0, i - 1)].channels : level.channels }
      guard i + 1 < levels.count else { continue }
      work.count.add(level.channels, level.channels, rows: batch * pixels[i + 1], kernel: 3)
    }
    let deepest = levels[levels.count - 1]
    let middle = pixels[levels.count - 1]
    if hasMidAttention { work.addTransformer(deepest, pixels: middle) }
    for _ in 0..<(hasMidAttention ? 2 : 1) {
      work.addResnet(deepest.channels, deepest.channels, pixels: middle)
    }
    for (i, level) in levels.enumerated().reversed() {
      let below = levels[min(i + 1, levels.count - 1)].channels
      let outer = levels[max(0, i - 1)].channels
      work.addLevel(
        level, level.resnets + 1, hasAttention: level.hasAttentionUp, pixels: pixels[i]
      ) { ($0 == 0 ? below : level.channels) + ($0 == level.resnets ? outer : level.channels) }
      guard i > 0 else { continue }
      work.count.add(level.channels, level.channels, rows: batch * pixels[i - 1], kernel: 3)
    }
    work.count.add(inner, outChannels, rows: batch * pixels[0], kernel: 3)
    return work.count.operations
  }
}

/// The operations of a U-Net's blocks.
private struct UNetWork {
  let batch: Int
  let tokens: Int
  let tembChannels: Int
  var count = WorkCount()

  /// Residual blocks with `inputs` channels by their index, each with a transformer if there is
  /// attention.
  mutating func addLevel(
    _ level: UNetLevel, _ resnets: Int, hasAttention: Bool, pixels: Int, inputs: (Int) -> Int
  ) {
    for index in 0..<resnets {
      addResnet(inputs(index), level.channels, pixels: pixels)
      if hasAttention { addTransformer(level, pixels: pixels) }
    }
  }

  mutating func addResnet(_ inputs: Int, _ outputs: Int, pixels: Int) {
    count.addResnet(
      inputs, outputs, rows: batch * pixels, items: batch, tembChannels: tembChannels)
  }

  mutating func addTransformer(_ level: UNetLevel, pixels: Int) {
    let (c, rows) = (level.channels, batch * pixels)
    count.add(c, 2 * c, rows: rows)  // projections in and out
    for _ in 0..<level.transformerLayers {
      count.add(c, 4 * c, rows: rows)  // queries, keys, values, output
      count.addAttention(items: batch, queries: pixels, keys: pixels, channels: c)
      count.add(c, 2 * c, rows: rows)  // queries and output
      count.add(level.contextDim, 2 * c, rows: batch * tokens)  // keys and values
      count.addAttention(items: batch, queries: pixels, keys: tokens, channels: c)
      count.add(c, 12 * c, rows: rows)  // feed-forward: to 2 · 4 channels, and back from 4
    }
  }
}
