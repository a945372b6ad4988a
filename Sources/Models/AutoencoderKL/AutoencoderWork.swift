extension AutoencoderConfig {
  /// Floating-point operations of decoding; a multiply-add is two.
  ///
  /// - Parameters:
  ///   - batch: number of pictures.
  ///   - height: rows of the latents.
  ///   - width: columns of the latents.
  /// - Returns: the number for all pictures together.
  package func decodingOperations(batch: Int, height: Int, width: Int) -> Int {
    var work = WorkCount()
    let channels = Array(blockOutChannels.reversed())
    var rows = batch * height * width
    let deepest = channels[0]
    if usePostQuantConv { work.add(latentChannels, latentChannels, rows: rows) }
    work.add(latentChannels, deepest, rows: rows, kernel: 3)
    for _ in 0..<2 { work.addResnet(deepest, deepest, rows: rows, items: batch) }
    if midBlockAddAttention {
      work.add(deepest, 4 * deepest, rows: rows)  // queries, keys, values, output
      work.addAttention(
        items: batch, queries: height * width, keys: height * width, channels: deepest)
    }
    for (i, c) in channels.enumerated() {
      for index in 0...layersPerBlock {
        work.addResnet(
          index == 0 ? channels[max(0, i - 1)] : c, c, rows: rows, items: batch)
      }
      guard i + 1 < channels.count else { continue }
      rows *= 4
      work.add(c, c, rows: rows, kernel: 3)
    }
    work.add(channels[channels.count - 1], outChannels, rows: rows, kernel: 3)
    return work.operations
  }
}
